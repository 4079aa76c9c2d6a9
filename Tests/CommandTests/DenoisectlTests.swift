import QDControl
import ControlSupport
import Foundation
import TestSupport
import Testing
import denoisectl

/// The real `denoisectl` against a real control server on a private bus.
struct DenoisectlTests {
  let sandbox: Sandbox

  init() throws {
    sandbox = try Sandbox("command")
    try sandbox.startSessionBus()
  }

  private func serve(_ status: Status = Status()) throws -> ServedControl {
    try ServedControl(address: sandbox.environment["DBUS_SESSION_BUS_ADDRESS"]!, status: status)
  }

  @discardableResult
  private func denoisectl(_ words: String...) throws -> (status: Int32, output: String) {
    try sandbox.run(Piece.built("denoisectl"), words)
  }

  @Test(arguments: [
    ["status"], ["status", "--json"], ["status", "--watch"], ["mode"], ["mode", "light"],
    ["strength", "12"], ["model", "full"], ["use", "default"], ["monitor"], ["reload"],
    ["record", "/nowhere/x.wav"],
  ])
  func `without a daemon a command says so and exits with 3`(words: [String]) throws {
    let (status, output) = try sandbox.run(Piece.built("denoisectl"), words)
    #expect(status == 3)
    #expect(
      output == "denoisectl: the daemon qdenoise is not running; "
        + "start it with `systemctl --user start qdenoise`\n")
  }

  @Test func `without a session bus a command says so and exits with 3`() throws {
    let (status, output) = try sandbox.run(
      Piece.built("denoisectl"), ["status"],
      environment: ["DBUS_SESSION_BUS_ADDRESS": "unix:path=/nowhere"])
    #expect(status == 3)
    #expect(output.hasPrefix("denoisectl: no session bus (No such file or directory); "))
    #expect(output.count(where: \.isNewline) == 1)
  }

  @Test(arguments: [
    ["bogus"], ["mode", "loud"], ["mode", "light", "x"], ["strength", "-3"], ["strength", "101"],
    ["strength", "much"], ["model", "huge"], ["use"], ["use", "x", "--channels", "left"],
    ["status", "--bogus"], ["record"],
    ["record", "--seconds", "0", "x.wav"], ["model", "inspect"],
  ])
  func `wrong usage is one line and exits with 64`(words: [String]) throws {
    let (status, output) = try sandbox.run(Piece.built("denoisectl"), words)
    #expect(status == 64)
    #expect(output.hasPrefix("denoisectl: "), "\(output)")
    #expect(output.contains("; usage: denoisectl"), "\(output)")
    #expect(output.count(where: \.isNewline) == 1, "\(output)")
  }

  @Test(arguments: [["--help"], ["help", "mode"], ["--version"], ["model", "inspect", "--help"]])
  func `help and version succeed`(words: [String]) throws {
    let (status, output) = try sandbox.run(Piece.built("denoisectl"), words)
    #expect(status == 0)
    #expect(!output.isEmpty)
  }

  @Test func `status shows people what it shows programs`() throws {
    var shown = Status()
    shown.version = Product.version
    shown.state = .running
    shown.listeners = ["Firefox"]
    shown.hops.count = 12_345
    let served = try serve(shown)
    defer { served.stop() }
    let people = try denoisectl("status")
    #expect(people.status == 0)
    #expect(people.output.hasPrefix("qdenoise \(Product.version): running\n"))
    #expect(people.output.contains("listeners    Firefox\n"))
    let programs = try denoisectl("status", "--json")
    #expect(programs.status == 0)
    #expect(try Status(json: programs.output) == shown)
  }

  @Test func `watching goes on, a line of JSON a time, until the daemon leaves`() throws {
    let served = try serve()
    let child = try sandbox.start(Piece.built("denoisectl"), ["status", "--watch", "--json"])
    #expect(eventually { child.output.count(where: \.isNewline) >= 2 })
    served.stop()
    #expect(child.wait(seconds: 30) == 3)
    let lines = child.output.split(separator: "\n")
    #expect(try Status(json: String(lines[0])) == Status())
    #expect(lines.last?.hasPrefix("denoisectl: the daemon qdenoise is not running") == true)
  }

  @Test func `on a terminal watching has a screen of its own and outlives the daemon`() throws {
    try Piece.require(["script"])
    var shown = Status()
    shown.stateReason = "first"
    var served = try serve(shown)
    let child = try sandbox.start(
      "script", ["-qec", "\(Piece.built("denoisectl")) status --watch", "/dev/null"],
      environment: ["TERM": "xterm"])
    #expect(eventually { child.output.contains("first") })
    served.stop()
    #expect(eventually { child.output.contains("waiting: the daemon qdenoise is not running") })
    shown.stateReason = "second"
    served = try serve(shown)
    defer { served.stop() }
    #expect(eventually { child.output.contains("second") })
    child.signal(SIGTERM)
    child.wait(seconds: 10)
    #expect(child.output.hasPrefix("\u{1B}[?1049h"))
    let output = child.output.split(separator: "\u{1B}[J").dropLast().joined()
    // Nothing scrolls: no line is ended but in its place, and none goes beyond the screen.
    #expect(output.contains("\u{1B}[H"))
    #expect(!output.replacing("\r\n", with: "").contains("\n"))
  }

  @Test func `without a terminal that moves its cursor there are no escapes`() throws {
    try Piece.require(["script"])
    let served = try serve()
    defer { served.stop() }
    let child = try sandbox.start(
      "script", ["-qec", "\(Piece.built("denoisectl")) status --watch", "/dev/null"],
      environment: ["TERM": "dumb"])
    #expect(eventually { child.output.count { $0 == "q" } > 2 })
    child.stop()
    #expect(!child.output.contains("\u{1B}"))
  }

  @Test func `a screen shows as much as it has room for`() {
    #expect(
      Screen.fit("one\ntwenty\nthree\nfour", rows: 3, columns: 4)
        == "one\u{1B}[K\r\ntwen\u{1B}[K\r\nthre\u{1B}[K")
  }

  @Test func `without a locale of Unicode there is ASCII alone`() throws {
    var shown = Status()
    shown.hops.p50Microseconds = 41
    shown.microphone.description = "Gr\u{FC}n"
    let served = try serve(shown)
    defer { served.stop() }
    let plain = try sandbox.run(
      Piece.built("denoisectl"), ["status"], environment: ["LC_ALL": "C"]
    ).output
    #expect(plain.contains("p50 41.0 us") && plain.contains("Gr\\u00fcn"), "\(plain)")
    #expect(plain.utf8.allSatisfy { $0 < 128 })
    let unicode = try denoisectl("status").output
    #expect(unicode.contains("p50 41.0 \u{B5}s") && unicode.contains("Gr\u{FC}n"))
  }

  @Test func `what stands above the configuration is said, and reset`() throws {
    var shown = Status()
    shown.overrides = [
      .init(setting: "mode", value: "light", configured: "strong"),
      .init(setting: "device", value: "usb", configured: "default"),
    ]
    let served = try serve(shown)
    defer { served.stop() }
    let output = try denoisectl("reload").output
    #expect(
      output.hasPrefix(
        "mode: light holds, as `denoisectl mode` set it; the configuration says strong, which"
          + " `denoisectl mode --reset` brings back\ndevice: usb holds, as `denoisectl use`"))
    for words in [
      ["mode", "--reset"], ["use", "--reset"], ["strength", "--reset"], ["model", "--reset"],
    ] {
      let (status, output) = try sandbox.run(Piece.built("denoisectl"), words)
      #expect(status == 0 && output.isEmpty, "\(words): \(output)")
    }
    #expect(served.status.overrides.isEmpty)
    #expect(try denoisectl("reload").output.isEmpty)
  }

  @Test(arguments: [
    (["strength", "200"], "'200' is no strength"),
    (["mode", "light", "--reset"], "--reset goes without a mode"),
    (["use"], "Name a microphone, default or --reset"),
    (["model", "inspect", "nosuch.tflite"], "; put nosuch.tflite there or name a file"),
  ])
  func `what is wrong is said as it is`(words: [String], said: String) throws {
    let (status, output) = try sandbox.run(Piece.built("denoisectl"), words)
    #expect(status != 0)
    #expect(output.contains(said), "\(output)")
  }

  @Test func `settings are set and said`() throws {
    let served = try serve()
    defer { served.stop() }
    for words in [["mode", "strong"], ["strength", "18"], ["model", "light"]] {
      let (status, output) = try sandbox.run(Piece.built("denoisectl"), words)
      #expect(status == 0 && output.isEmpty, "\(output)")
    }
    #expect(served.status.settings == Settings(mode: .strong, strength: 18, model: .light))
    #expect(try denoisectl("mode").output == "strong\n")
    #expect(try denoisectl("strength").output == "18.0\n")
    #expect(try denoisectl("model").output == "light\n")
    #expect(try denoisectl("reload").status == 0)
    #expect(served.reloadCount == 1)
    try denoisectl("strength", "auto")
    #expect(try denoisectl("strength").output == "auto\n")
  }

  @Test func `devices are listed, and chosen by name or description`() throws {
    try Piece.require(.pulseAudio)
    let server = try SoundServer(.pulseAudio, in: sandbox)
    let first = try FakeMicrophone("first", on: server)
    let second = try FakeMicrophone("second", on: server, isDefault: false)
    defer { withExtendedLifetime((first, second)) {} }
    let list = try denoisectl("devices").output
    #expect(list.contains("  first   first, 48000 Hz, 1 ch (default)\n"), "\(list)")
    #expect(list.contains("  second  second, 48000 Hz, 1 ch\n"), "\(list)")
    #expect(!list.contains("monitor"))

    let served = try serve()
    defer { served.stop() }
    #expect(try denoisectl("use", "SECOND").status == 0)
    #expect(served.status.settings.device == "second")
    #expect(try denoisectl("use", "default").status == 0)
    #expect(served.status.settings.device == nil)
    let (status, output) = try denoisectl("use", "third")
    #expect(status == 1)
    #expect(
      output == "denoisectl: there is no microphone 'third'; "
        + "`denoisectl devices` lists what there is\n")
  }

  @Test func `without a sound server devices says so and exits with 1`() throws {
    let (status, output) = try denoisectl("devices")
    #expect(status == 1)
    #expect(output.hasPrefix("denoisectl: sound server: cannot connect"), "\(output)")
    #expect(output.count(where: \.isNewline) == 1)
  }

  @Test func `a refusal exits with 1 and the daemon's words`() throws {
    try Piece.require(.pulseAudio)
    let server = try SoundServer(.pulseAudio, in: sandbox)
    let microphone = try FakeMicrophone(ServedControl.refusedDevice, on: server)
    defer { withExtendedLifetime(microphone) {} }
    let served = try serve()
    defer { served.stop() }
    let (status, output) = try denoisectl("use", ServedControl.refusedDevice)
    #expect(status == 1)
    #expect(output == "denoisectl: 'forbidden' is refused\n")
  }

  @Test func `doctor on a bare machine lists problems with advice and exits with 1`() throws {
    let units = "\(sandbox.directory)/home/.config/systemd/user"
    try makeDirectory(units)
    try write("", to: "\(units)/qdenoise.service")
    let (status, output) = try denoisectl("doctor")
    #expect(status == 1)
    #expect(output.contains("problem  daemon          not running\n"), "\(output)")
    #expect(output.contains("-> systemctl --user enable --now qdenoise\n"))
    #expect(output.contains("problem  sound server    none answers: "))
  }

  @Test func `doctor finds a muted microphone on a real server`() throws {
    try Piece.require(.pulseAudio)
    let server = try SoundServer(.pulseAudio, in: sandbox)
    let microphone = try FakeMicrophone(on: server)
    var shown = Status()
    shown.version = Product.version
    let served = try serve(shown)
    defer { served.stop() }
    #expect(try denoisectl("doctor").status == 0)
    try server.pactl("set-source-mute", microphone.name, "1")
    let (status, output) = try denoisectl("doctor")
    #expect(status == 1)
    #expect(output.contains("-> pactl set-source-mute fakemic 0\n"), "\(output)")
  }

  @Test func `completions are made for every shell`() throws {
    for shell in ["bash", "zsh", "fish"] {
      let (status, output) = try denoisectl("--generate-completion-script", shell)
      #expect(status == 0)
      #expect(output.contains("denoisectl") && output.contains("strength"), "\(shell)")
    }
    let check =
      "set -o pipefail; \(Piece.built("denoisectl")) --generate-completion-script bash | bash -n"
    #expect(try sandbox.run("bash", ["-c", check]).status == 0)
  }

  @Test func `the shell is offered models, choices and outputs`() throws {
    let script = """
      cd \(sandbox.directory); mkdir sub; touch mine.tflite other.wav; PATH=\(sandbox.directory):$PATH
      ln -s \(Piece.built("denoisectl")) denoisectl
      eval "$(denoisectl --generate-completion-script bash)"
      offer() {
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMPREPLY=()
        _denoisectl denoisectl "${@: -1}" "${@: -2:1}"; echo "${COMPREPLY[*]}"
      }
      offer denoisectl model l
      offer denoisectl process --model ""
      offer denoisectl bench m
      offer denoisectl monitor --to ""
      """
    try Piece.require(.pulseAudio)
    let server = try SoundServer(.pulseAudio, in: sandbox)
    defer { withExtendedLifetime(server) {} }
    let lines = try sandbox.run("bash", ["-c", script]).output.split(separator: "\n")
    try #require(lines.count == 4, "\(lines)")
    #expect(lines[0] == "light low-latency")
    #expect(lines[1].hasPrefix("full light low-latency "))
    #expect(lines[1].contains("mine.tflite") && lines[1].contains("sub/"))
    #expect(!lines[1].contains("other.wav"))
    #expect(lines[2] == "mine.tflite")
    #expect(lines[3].contains("speakers"))
  }

  @Test func `a model, a strength or a file that cannot be is told of in plain words`() throws {
    let model = try denoisectl("process", "--model", "nosuch.tflite", "a.wav", "b.wav")
    #expect(model.status == 1)
    #expect(model.output.contains("; put nosuch.tflite there or name a file"), "\(model.output)")
    let strength = try denoisectl("strength", "200")
    #expect(strength.status == 64)
    #expect(strength.output.contains("'200' is no strength: name decibels from 0 to 100, or auto"))
  }

  @Test func `inspect shows a model and says why a file is none`() throws {
    let (status, output) = try denoisectl("model", "inspect", "\(Piece.root)/models/light.tflite")
    #expect(status == 0)
    #expect(output.contains("runs here    yes, "), "\(output)")
    let wrong = try denoisectl("model", "inspect", "\(Piece.root)/Package.swift")
    #expect(wrong.status == 1)
    #expect(wrong.output.contains("Package.swift: this is not a .tflite file"))
    let missing = try denoisectl("model", "inspect", "/nowhere")
    #expect(missing.status == 1)
    #expect(missing.output.hasPrefix("denoisectl: /nowhere: No such file or directory; "))
  }

  @Test func `a converted model holds int8 weights and runs`() throws {
    let out = "\(sandbox.directory)/small.tflite"
    let (status, output) = try denoisectl(
      "model", "convert", "\(Piece.root)/models/light.tflite", out, "--optimize", "default")
    #expect(status == 0, "\(output)")
    let report = try denoisectl("model", "inspect", out).output
    #expect(report.contains(" int8"), "\(report)")
    #expect(report.contains("runs here    yes, "), "\(report)")
    #expect(try denoisectl("model", "convert", out, "x", "--optimize", "int3").status == 64)
  }

  @Test func `a model that cannot be written leaves no file`() throws {
    let out = "/proc/small.tflite"
    let (status, output) = try denoisectl(
      "model", "convert", "\(Piece.root)/models/light.tflite", out)
    #expect(status == 1)
    #expect(output.hasPrefix("denoisectl: \(out): cannot be written: "), "\(output)")
  }
}
