import QDAudioHost
import QDClient
import QDControl
import QDKernels
import QDModelStore
import Testing
import QDMessages

/// What `doctor` concludes from what it found.
struct ExaminationTests {
  /// A machine on which nothing is wrong.
  private static var healthy: Examination {
    var status = Status()
    status.version = Product.version
    status.state = .idle
    status.microphone.name = "usb"
    status.virtualMicrophone = Product.microphone
    status.realTime = "SCHED_FIFO 10"
    return Examination(
      daemon: .success(status),
      server: .success(
        Examination.Server(
          server: ServerDescription(
            name: "PulseAudio", version: "16.1", defaultSource: "usb", defaultSink: "speakers"),
          sources: [
            AudioDevice(index: 1, name: "usb", description: "USB microphone"),
            AudioDevice(index: 2, name: "speakers.monitor", monitorOf: "speakers"),
            AudioDevice(index: 3, name: Product.source),
          ],
          modules: [
            PulseModule(
              index: 7, name: "module-pipe-source", argument: "source_name=qdenoise file=/f")
          ])),
      models: [("full", .success("one, int8")), ("light", .success("two, int8"))],
      realTimeLimit: 0, instructionSet: .avx2)
  }

  private static func change(
    _ examination: inout Examination, _ body: (inout Examination.Server) -> Void
  ) {
    guard case .success(var server) = examination.server else { return }
    body(&server)
    examination.server = .success(server)
  }

  private static func change(
    _ examination: inout Examination, status body: (inout Status) -> Void
  ) {
    guard case .success(var status) = examination.daemon else { return }
    body(&status)
    examination.daemon = .success(status)
  }

  private func only(_ verdict: Finding.Verdict, _ examination: Examination) throws -> Finding {
    let findings = examination.findings.filter { $0.verdict == verdict }
    try #require(findings.count == 1, "\(findings.map(\.text))")
    return findings[0]
  }

  @Test func `a daemon that waits although all is there says what for`() throws {
    var examination = Self.healthy
    Self.change(&examination) { (status: inout Status) in
      status.state = .waiting
      status.stateReason = "it loads no modules; allow them"
    }
    let finding = try only(.problem, examination)
    #expect(finding.subject.description == "daemon")
    #expect(finding.observation.description == "waiting: it loads no modules; allow them")
    #expect(finding.advice == nil)
  }

  @Test func `a session's directory that is not there is a problem of its own`() throws {
    var examination = Self.healthy
    examination.sessionProblem = UserMessage("XDG_RUNTIME_DIR is not set")
    #expect(try only(.problem, examination).subject.description == "session")
  }

  @Test func `a daemon whose unit is not installed is not to be enabled`() throws {
    var examination = Self.healthy
    examination.daemon = .failure(.notRunning)
    examination.hasUnit = false
    let problems = examination.findings.filter { $0.verdict == .problem }
    #expect(problems.first?.observation.description == "not running, and its unit is not installed")
    #expect(problems.first?.advice?.description.contains("systemctl") == false)
  }

  @Test(arguments: [
    ("silence: the microphone is suspended", "pactl suspend-source usb 0"),
    ("silence: sound server: no such entity", "systemctl --user restart qdenoise"),
    ("hops were late: the light model", "close what keeps the machine busy"),
  ])
  func `less than was asked for has a remedy that fits`(reason: String, remedy: String) throws {
    var examination = Self.healthy
    Self.change(&examination) { (status: inout Status) in
      status.state = .degraded
      status.stateReason = reason
    }
    #expect(try only(.problem, examination).advice?.description.hasPrefix(remedy) == true)
  }

  @Test func `names in a remedy are words of the shell`() throws {
    var examination = Self.healthy
    Self.change(&examination) { (server: inout Examination.Server) in
      server.sources[0].name = "usb; rm it's"
      server.sources[0].isMuted = true
    }
    Self.change(&examination, status: { $0.microphone.name = "usb; rm it's" })
    #expect(
      try only(.problem, examination).advice?.description
        == "pactl set-source-mute 'usb; rm it'\\''s' 0")
  }

  @Test func `a healthy machine needs nothing`() {
    #expect(Self.healthy.findings.allSatisfy { $0.verdict == .good && $0.advice == nil })
  }

  @Test func `a daemon that does not run is to be started`() throws {
    var examination = Self.healthy
    examination.daemon = .failure(.notRunning)
    Self.change(&examination) { $0.modules = [] }
    #expect(
      try only(.problem, examination)
        == .problem(
          "daemon", "not running", do: .command("systemctl --user enable --now qdenoise")))
  }

  @Test func `a muted microphone is to be unmuted`() throws {
    var examination = Self.healthy
    Self.change(&examination) { $0.sources[0].isMuted = true }
    #expect(try only(.problem, examination).advice?.description == "pactl set-source-mute usb 0")
  }

  @Test func `what is turned down is a problem with its command, once`() throws {
    var examination = Self.healthy
    Self.change(&examination) { $0.sources[0].volume = 3 }
    let microphone = Status.Attenuation(
      place: UserMessage("the microphone 'USB microphone'"), percent: 3,
      remedy: "pactl set-source-volume usb 100%")
    let stream = Status.Attenuation(
      place: UserMessage("the recording stream of qdenoise"),
      remedy: "pactl set-source-output-mute 12 0")
    Self.change(
      &examination,
      status: {
        $0.attenuations = [microphone, stream]
        $0.warnings = [microphone, stream].map { "\($0.sentence); `\($0.remedy)` undoes it" }
      })
    let problems = examination.findings.filter { $0.verdict == .problem }
    #expect(problems.map { $0.advice?.description } == [microphone.remedy, stream.remedy])
    #expect(
      problems[1].observation.description
        == "the recording stream of qdenoise is muted: listeners get silence")
  }

  @Test func `no microphone is a problem, monitors and ourselves are none`() throws {
    var examination = Self.healthy
    Self.change(&examination) { $0.sources.removeFirst() }
    #expect(try only(.problem, examination).observation.description == "there is none")
  }

  @Test func `a telephone's rate is remarked upon`() throws {
    var examination = Self.healthy
    Self.change(&examination) { $0.sources[0].sampleRate = 16_000 }
    #expect(try only(.remark, examination).observation.description.contains("16000 Hz"))
  }

  @Test func `no sound server is a problem, and none with the alsa back end`() throws {
    var examination = Self.healthy
    examination.server = .failure(.unreachable(reason: "Connection refused"))
    #expect(
      try only(.problem, examination).observation.description == "none answers: Connection refused")
    Self.change(&examination, status: { $0.server = "ALSA" })
    #expect(examination.findings.allSatisfy { $0.verdict != .problem })
  }

  @Test func `a loopback into our own sink is a loop`() throws {
    var examination = Self.healthy
    Self.change(&examination) {
      $0.modules.append(
        PulseModule(index: 9, name: "module-loopback", argument: "source=usb sink=qdenoise_feed"))
    }
    #expect(try only(.problem, examination).advice?.description == "pactl unload-module 9")
  }

  @Test func `modules of a daemon that is gone are found`() throws {
    var examination = Self.healthy
    examination.daemon = .failure(.notRunning)
    let problems = examination.findings.filter { $0.verdict == .problem }
    #expect(problems.map(\.subject.description) == ["daemon", "modules"])
    #expect(problems.last?.advice?.description.contains("pactl unload-module 7") == true)
  }

  @Test func `two virtual microphones are one too many`() throws {
    var examination = Self.healthy
    Self.change(&examination) {
      $0.modules += [
        PulseModule(index: 8, name: "module-null-sink", argument: "sink_name=qdenoise_feed"),
        PulseModule(
          index: 9, name: "module-remap-source",
          argument: "source_name=qdenoise master=qdenoise_feed.monitor"),
      ]
    }
    #expect(try only(.problem, examination).subject.description == "modules")
  }

  @Test func `what the daemon warns of is passed on`() throws {
    var examination = Self.healthy
    Self.change(&examination, status: { $0.warnings = ["latency is above the budget"] })
    #expect(
      try only(.problem, examination).observation.description == "latency is above the budget")
  }

  @Test func `who asked for us and gets the raw microphone is a problem, told once`() throws {
    var examination = Self.healthy
    let stray = Status.Stray(application: "call", stream: 70, microphone: "USB", chosen: false)
    Self.change(
      &examination,
      status: {
        $0.strays = [stray]
        $0.warnings = ["\(stray.text); `\(stray.remedy)` mends it"]
      })
    let problem = try only(.problem, examination)
    #expect(
      problem.observation.description
        == "call asked for 'Denoised Microphone' but gets 'USB': it is not denoised")
    #expect(problem.advice?.description == "pactl move-source-output 70 qdenoise")
  }

  @Test func `whom the person moved is a remark`() throws {
    var examination = Self.healthy
    let stray = Status.Stray(application: "call", stream: 70, microphone: "USB", chosen: true)
    Self.change(&examination, status: { $0.strays = [stray] })
    #expect(
      try only(.remark, examination).observation.description
        == "call was moved to 'USB': it is not denoised")
  }

  @Test(
    arguments: [
      (3, nil, "gets silence"), (1, "qdenoise", "not denoised"), (1, nil, ""),
    ] as [(UInt32, String?, String)])
  func `without the daemon it is told who hears silence or the raw microphone`(
    source: UInt32, target: String?, expected: String
  ) throws {
    var examination = Self.healthy
    examination.daemon = .failure(.notRunning)
    Self.change(&examination) {
      $0.modules = []
      $0.listeners = [
        AudioStream(index: 70, device: source, application: "call", target: target)
      ]
    }
    let told = examination.findings.filter { $0.subject.description == "listener" }
    #expect(told.count == (expected.isEmpty ? 0 : 1))
    #expect(
      told.allSatisfy { $0.verdict == .problem && $0.observation.description.hasSuffix(expected) })
  }

  @Test func `another version of the daemon is to be restarted`() throws {
    var examination = Self.healthy
    Self.change(&examination, status: { $0.version = "0.0.1" })
    #expect(
      try only(.problem, examination).advice?.description == "systemctl --user restart qdenoise")
  }

  @Test func `without the full model there is nothing to run, without the light one there is less`()
    throws
  {
    let missing = ModelStoreError.notFound(name: "full", searched: ["/m"])
    var examination = Self.healthy
    examination.models[1].model = .failure(missing)
    #expect(try only(.remark, examination).subject.description == "model light")
    examination.models[0].model = .failure(missing)
    #expect(try only(.problem, examination).subject.description == "model full")
  }

  @Test func `every problem says what to do`() {
    var examination = Self.healthy
    examination.daemon = .failure(.noAnswer)
    examination.server = .failure(.timedOut(during: "listing"))
    let problems = examination.findings.filter { $0.verdict == .problem }
    #expect(problems.count == 2)
    #expect(problems.allSatisfy { $0.advice != nil })
  }

  @Test(arguments: [
    ("pactl set-source-mute usb 0", ["pactl", "set-source-mute", "usb", "0"]),
    ("pactl set-source-volume 'my mic' 100%", ["pactl", "set-source-volume", "my mic", "100%"]),
    ("pactl set-source-mute 'it'\\''s' 0", ["pactl", "set-source-mute", "it's", "0"]),
    (
      "systemctl --user enable --now qdenoise",
      ["systemctl", "--user", "enable", "--now", "qdenoise"]
    ),
  ])
  func `advice that is one command can be run`(advice: String, words: [String]) {
    #expect(Finding.problem("x", "y", do: .command(advice)).command == words)
  }

  @Test(arguments: [
    "", "install rtkit", "pactl", "systemctl --user status qdenoise",
    "systemctl --user start pipewire-pulse (or pulseaudio)",
    "pactl unload-module 5; pactl unload-module 4", "pactl unload-module $(reboot)",
    "start the daemon, which adopts them, or: pactl unload-module 5", "rm -r /", "denoisectl 'x",
    "denoisectl model light, or wait",
  ])
  func `advice that is more than a command is left to the person`(advice: String) {
    #expect(Finding.problem("x", "y", do: .command(advice)).command == nil)
  }
}
