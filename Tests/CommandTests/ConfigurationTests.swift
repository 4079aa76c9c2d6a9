import QDControl
import Foundation
import Seeded
import TestSupport
import Testing
import QDMessages
import qdenoise

/// `config.toml` as the daemon reads it.
struct ConfigurationTests {
  @Test func `a missing file means the defaults`() throws {
    #expect(try Configuration.load(path: "/nowhere/config.toml") == Configuration())
  }

  @Test func `an empty file means the defaults`() throws {
    #expect(try Configuration(toml: "") == Configuration())
  }

  @Test func `every key is read`() throws {
    let configuration = try Configuration(
      toml: """
        backend = "alsa"
        output = "pipe"
        mode = "strong"
        strength = 18
        model = "light"
        device = "alsa_input.usb"
        channels = [3, 1]
        [latency]
        budget_ms = 42.5
        [alsa]
        capture = "hw:1"
        playback = "hw:2"
        [realtime]
        enabled = false
        priority = 5
        [models]
        full = "/m/full.tflite"
        light = "/m/light.tflite"
        low-latency = "/m/low.tflite"
        """)
    var expected = Configuration()
    expected.backend = .alsa
    expected.output = .pipe
    expected.settings = Settings(
      mode: .strong, strength: 18, model: .light, device: "alsa_input.usb", channels: [1, 3])
    expected.latencyBudgetMilliseconds = 42.5
    expected.alsa.capture = "hw:1"
    expected.alsa.playback = "hw:2"
    expected.realTime.enabled = false
    expected.realTime.priority = 5
    expected.models.full = "/m/full.tflite"
    expected.models.light = "/m/light.tflite"
    expected.models.lowLatency = "/m/low.tflite"
    #expect(configuration == expected)
  }

  @Test func `a model is a word or what is installed`() throws {
    let sandbox = try Sandbox("models")
    let folder = "\(sandbox.directory)/home/.local/share/qdenoise/models"
    try makeDirectory(folder)
    try makeDirectory("\(sandbox.directory)/home/.config/qdenoise")
    try write(
      "model = \"other\"\n", to: "\(sandbox.directory)/home/.config/qdenoise/config.toml")
    for (installed, words) in [
      ([], "\"low-latency\"; none is installed"), (["mine"], "\"low-latency\", \"mine\""),
    ] as [([String], String)] {
      for name in installed {
        try FileManager.default.copyItem(
          atPath: "\(Piece.root)/models/light.int8.tflite", toPath: "\(folder)/\(name).tflite")
      }
      let (status, output) = try sandbox.run(Piece.built("qdenoise"), [])
      #expect(status == 78)
      #expect(output.contains("'model' cannot be \"other\"; allowed: \"auto\""), "\(output)")
      #expect(output.contains(words), "\(output)")
    }
  }

  @Test(arguments: [
    ("mode = \"light\"\noutput = \n", 2),
    ("[latency\nbudget_ms = 1", 1),
    ("mode = 1\nmode = 2", 2),
    ("# one\n# two\nmode = \"light\"\0", 3),
  ])
  func `a syntax error names its line`(toml: String, line: Int) {
    #expect {
      try Configuration(toml: toml, path: "c.toml")
    } throws: { error in
      guard case ConfigurationError.syntax("c.toml", line, _, _) = error else { return false }
      return "\(error)".hasPrefix("c.toml: line \(line), column ")
    }
  }

  @Test(arguments: [
    ("[", 1, 2), ("[\n", 1, 2), ("[[", 1, 3), ("[alsa", 1, 6), ("[[alsa]", 1, 8),
    ("mode = [", 1, 9), ("mode = {", 1, 9), ("mode = \"", 1, 8), ("mode", 1, 5),
    ("\nmode = \"light\" x", 2, 16), ("a = 1\n\n  = 2", 3, 3),
    (String(repeating: "[", count: 100_000), 1, 3),
    ("a = " + String(repeating: "[", count: 100_000), 1, 37),
  ])
  func `an unfinished line is an error with its place`(toml: String, line: Int, column: Int) {
    #expect {
      try Configuration(toml: toml, path: "c.toml")
    } throws: { error in
      guard case ConfigurationError.syntax("c.toml", line, column, _) = error else {
        Issue.record("\(error)")
        return false
      }
      return true
    }
  }

  @Test func `TOML's ways to write a value are read`() throws {
    let configuration = try Configuration(
      toml: """
        \u{FEFF}# \u{E9}
        "mode"='light' # comment
        strength = 1_2.5e0
        device = \"""
        a\\
            "b\\u00e9\\\"\"""
        latency = { "budget_ms" = 0x2A }
        alsa.capture = '''
        c:\\'''\r
        [ realtime ]\t
        enabled=true\r\npriority= 0b101
        """)
    #expect(configuration.settings.mode == .light)
    #expect(configuration.settings.strength == 12.5)
    #expect(configuration.settings.device == "a\"b\u{E9}\"")
    #expect(configuration.latencyBudgetMilliseconds == 42)
    #expect(configuration.alsa.capture == "c:\\")
    #expect(configuration.realTime.enabled)
    #expect(configuration.realTime.priority == 5)
  }

  @Test(arguments: [
    "mode = 1\nmode = 2", "[alsa]\n[alsa]", "alsa.capture = \"a\"\n[alsa]",
    "alsa = { capture = \"a\" }\nalsa.playback = \"b\"", "[alsa.capture]\n[alsa]\ncapture = 1",
    "mode = 012", "mode = 1__2", "mode = 1.", "mode = light", "mode = \"\\q\"",
    "mode = \"\\ud800\"", "mode = \"a\nb\"", "mode\n= 1", "mode = 1 2", "mode = \"\u{1}\"",
  ])
  func `what TOML does not allow is a syntax error`(toml: String) {
    #expect {
      try Configuration(toml: toml, path: "c.toml")
    } throws: {
      if case ConfigurationError.syntax = $0 { true } else { false }
    }
  }

  @Test func `damaged files give an error that names the file, or a configuration`() {
    let whole = """
      # A microphone
      backend = "pulse"
      strength = 18.5
      device = 'alsa_input.usb'
      latency.budget_ms = 42
      alsa = { capture = "hw:1", playback = \"""hw:2\""" }
      [realtime]
      enabled = false
      priority = 5
      [models]
      full = "/m/\\u00e9.tflite"

      """
    let bytes = Array(whole.utf8)
    let letters = Array("[]{}=\"'\\#.,\n\r\t _-+09aetux:\u{0}\u{7F}\u{E9}".utf8)
    var generator = SeededGenerator(seed: 15)
    for round in 0..<20_000 {
      var damaged = bytes
      if round.isMultiple(of: 2) {
        damaged.removeLast(.random(in: 0..<damaged.count, using: &generator))
      }
      for _ in 0..<Int.random(in: 0...3, using: &generator) {
        let place = Int.random(in: 0..<damaged.count, using: &generator)
        let letter = letters.randomElement(using: &generator)!
        switch Int.random(in: 0..<3, using: &generator) {
        case 0: damaged[place] = letter
        case 1: damaged.insert(letter, at: place)
        default: if damaged.count > 1 { damaged.remove(at: place) }
        }
      }
      let text = String(decoding: damaged, as: UTF8.self)
      do {
        _ = try Configuration(toml: text, path: "c.toml")
      } catch {
        #expect("\(error)".hasPrefix("c.toml: "), "\(text)")
      }
    }
  }

  /// Through the real program, as opening some of these waits without end.
  @Test(arguments: ["fifo", "directory", "device", "large", "[", "mode = ["])
  func `whatever stands in the file's place, the program says so and ends`(kind: String) throws {
    let sandbox = try Sandbox("config")
    let path = "\(sandbox.directory)/config.toml"
    var said = "\(path): "
    switch kind {
    case "fifo":
      mkfifo(path, 0o600)
      said += "is a FIFO, not a regular file"
    case "directory":
      try makeDirectory(path)
      said += "is a directory, not a regular file"
    case "device":
      symlink("/dev/zero", path)
      said += "is a device, not a regular file"
    case "large":
      close(open(path, O_CREAT | O_WRONLY, 0o600))
      truncate(path, 100_000_000)
      said += "is larger than 1 MiB"
    default:
      try write(kind, to: path)
      said += "line 1, column \(kind.count + 1): "
    }
    let (status, output) = try sandbox.run(
      Piece.built("qdenoise"), ["--config", path, "--check-config"], seconds: 10)
    #expect(status == 1)
    #expect(output.contains(said), "\(output)")
    #expect(output.count(where: \.isNewline) == 1)
  }

  @Test func `a configuration that is not there, and models that it names, are checked`() throws {
    let sandbox = try Sandbox("config")
    let path = "\(sandbox.directory)/config.toml"
    func check() throws -> (status: Int32, output: String) {
      try sandbox.run(
        Piece.built("qdenoise"), ["--config", path, "--check-config"], seconds: 10)
    }
    let missing = try check()
    #expect(missing.status == 1)
    #expect(missing.output.contains("cannot be opened: No such file"), "\(missing.output)")
    let model = "\(sandbox.directory)/nothing.tflite"
    for key in ["full", "light", "low-latency"] {
      try write("[models]\n\(key) = \"\(model)\"\n", to: path)
      let wrong = try check()
      #expect(wrong.status == 1, "\(key)")
      #expect(wrong.output.contains("\(model): "), "\(wrong.output)")
    }
    // Its hops are half as long, so that the governor cannot step down to it.
    let short = "\(Piece.root)/models/low-latency.int8.tflite"
    try write("[models]\nlight = \"\(short)\"\n", to: path)
    let unfit = try check()
    #expect(unfit.status == 1)
    #expect(unfit.output.contains("\(short): hops of 240 samples"), "\(unfit.output)")
    try write("mode = \"light\"\n", to: path)
    #expect(try check().status == 0)
  }

  @Test(arguments: [
    ("mod = \"light\"", "mod", "mode"),
    ("budget_ms = 40", "budget_ms", "latency.budget_ms"),
    ("[latency]\nbudgetms = 40", "latency.budgetms", "latency.budget_ms"),
    ("[alsa]\ncature = \"hw:0\"", "alsa.cature", "alsa.capture"),
    ("[realtime]\nprio = 3", "realtime.prio", "realtime.priority"),
    ("latency = 40", "latency", "latency.budget_ms"),
    ("foo = 1", "foo", nil), ("modes.x = 1", "modes.x", nil),
    ("[realtime]\nnicest = 3", "realtime.nicest", nil),
  ])
  func `an unknown key names the nearest known one, if one is near`(
    toml: String, key: String, nearest: String?
  ) {
    #expect(throws: ConfigurationError.unknownKey(path: "c.toml", key: key, nearest: nearest)) {
      try Configuration(toml: toml, path: "c.toml")
    }
  }

  @Test(arguments: [
    ("mode = 3", "mode", "3", "\"bypass\", \"light\", \"standard\", \"strong\", \"mute\""),
    ("backend = \"jack\"", "backend", "\"jack\"", "\"auto\", \"pipewire\", \"pulse\", \"alsa\""),
    ("strength = -1", "strength", "-1", "a number from 0 to 100"),
    ("strength = nan", "strength", "nan", "a number from 0 to 100"),
    ("latency.budget_ms = \"40\"", "latency.budget_ms", "\"40\"", "a number from 1 to 10000"),
    ("realtime.enabled = \"yes\"", "realtime.enabled", "\"yes\"", "true, false"),
    ("realtime.priority = 2.5", "realtime.priority", "2.5", "a whole number from 1 to 99"),
    ("realtime.priority = 100", "realtime.priority", "100", "a whole number from 1 to 99"),
    ("channels = 2", "channels", "2", "whole numbers from 1 to 32 in brackets"),
    ("channels = []", "channels", "[]", "whole numbers from 1 to 32 in brackets"),
    ("channels = [0]", "channels", "[0]", "whole numbers from 1 to 32 in brackets"),
    ("device = [\"a\"]", "device", "[\"a\"]", "a text in quotes"),
  ])
  func `a wrong value names its key and what is allowed`(
    toml: String, key: String, found: String, allowed: String
  ) {
    let error = #expect(throws: ConfigurationError.self) {
      try Configuration(toml: toml, path: "c.toml")
    }
    #expect(error?.description == "c.toml: '\(key)' cannot be \(found); allowed: \(allowed)")
  }

  @Test func `a file that is not text is refused`() throws {
    let path = FileManager.default.temporaryDirectory.path + "/qdenoise-\(UUID()).toml"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try Data([0x6d, 0xff, 0xfe]).write(to: URL(filePath: path))
    let error = #expect(throws: ConfigurationError.self) { try Configuration.load(path: path) }
    #expect(error?.description == "\(path): is not UTF-8 text; save it as such")
  }

  @Test func `a directory in the file's place is refused`() {
    let error = #expect(throws: ConfigurationError.self) { try Configuration.load(path: "/tmp") }
    #expect(error?.description == "/tmp: is a directory, not a regular file")
  }
}
