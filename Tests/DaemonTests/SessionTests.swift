import QDAudioHost
import QDAudioPath
import QDControl
import Synchronization
import Testing

import qdenoise
import QDMessages

/// The daemon on a server in virtual time.
@Suite struct `A session on a scripted server` {
  private let server: ScriptedServer
  /// Of a tone's amplitude.
  private static func level(_ amplitude: Float) -> Float { amplitude / Float(2).squareRoot() }

  init() throws {
    server = try ScriptedServer()
    server.plug("headset", tone: 0.5, index: 1)
    server.plug("webcam", tone: 0.1, index: 2)
    server.defaultSource = "headset"
  }

  private func hears(_ amplitude: Float) -> Bool {
    abs(server.level(milliseconds: 200) - Self.level(amplitude)) < 0.01 * amplitude + 0.001
  }

  /// What the ledger says of what arrives at once, in microseconds.
  private var fragment: Double {
    status.latency.stages.first { $0.name == "capture fragment" }?.microseconds ?? 0
  }

  private var status: Status { server.status.status(at: server.now) }

  // MARK: Listeners

  @Test func `while nobody listens nothing is captured, and then the default microphone is`() {
    server.pass(milliseconds: 100)
    #expect(server.isEstablished)
    #expect(server.session.order.source == nil && server.session.order.route == nil)
    #expect(status.state == .idle)
    server.listen()
    server.pass(milliseconds: 500)
    #expect(hears(0.5))
    #expect(status.listeners == ["call"])
    #expect(status.microphone.name == "headset")
    server.recordings = []
    server.tell()
    server.pass(milliseconds: 50)
    #expect(server.session.order.source == nil)
    #expect(status.state == .idle)
  }

  @Test func `a recording captures though nobody listens, and gives nothing to applications`() {
    server.pass(milliseconds: 100)
    server.session.set(isRecorded: true)
    server.pass(milliseconds: 200)
    #expect(server.session.order.source == "headset")
    #expect(server.session.order.route == .nowhere)
    #expect(server.heard.isEmpty)
    #expect(server.active.link.hops.load(ordering: .relaxed) > 10)
    server.session.set(isRecorded: false)
    server.pass(milliseconds: 50)
    #expect(server.session.order.source == nil)
  }

  // MARK: Hot-plug

  @Test func `another default is captured in a call`() {
    server.listen()
    server.pass(milliseconds: 500)
    server.defaultSource = "webcam"
    server.tell()
    server.pass(milliseconds: 500)
    #expect(hears(0.1))
    #expect(status.microphone.reason == "the default device")
  }

  @Test func `a person who makes us the default still speaks into the microphone of before`() {
    server.listen()
    server.pass(milliseconds: 500)
    server.defaultSource = Product.source
    server.tell()
    server.pass(milliseconds: 500)
    #expect(hears(0.5))
    #expect(status.microphone.name == "headset")
  }

  @Test func `a microphone of the person's choice that goes gives way, and has its place again`() {
    server.preferences.set(device: "webcam")
    server.listen()
    server.pass(milliseconds: 500)
    #expect(hears(0.1))
    server.unplug("webcam")
    server.pass(milliseconds: 500)
    #expect(hears(0.5))
    #expect(status.microphone.reason.contains("'webcam', chosen by you, is not there"))
    server.plug("webcam", tone: 0.2, index: 9)
    server.pass(milliseconds: 500)
    #expect(hears(0.2))
  }

  @Test func `without any microphone there is silence, and a replugged one is heard`() {
    server.listen()
    server.pass(milliseconds: 500)
    server.unplug("webcam")
    server.unplug("headset")
    server.defaultSource = Product.source
    server.tell()
    server.pass(milliseconds: 500)
    #expect(server.level(milliseconds: 200) == 0)
    #expect(status.state == .waiting && status.stateReason == "there is no microphone")
    server.plug("headset", tone: 0.3, index: 12)
    server.defaultSource = "headset"
    server.tell()
    server.pass(milliseconds: 500)
    #expect(hears(0.3))
  }

  @Test func `a microphone that is away so short that nobody tells is captured again`() {
    server.listen()
    server.pass(milliseconds: 500)
    // Its recording ends with it; the daemon looks when another one of the name is there.
    server.sources.removeAll { $0.name == "headset" }
    server.pass(milliseconds: 5)
    server.plug("headset", tone: 0.3, index: 12)
    server.pass(milliseconds: 500)
    #expect(hears(0.3))
  }

  // MARK: Strays

  @Test func `a call that the server takes to the replugged microphone is brought home`() {
    server.listen()
    server.pass(milliseconds: 500)
    server.unplug("headset")
    server.defaultSource = Product.source
    server.pass(milliseconds: 100)
    server.plug("headset", tone: 0.5, index: 12)
    server.defaultSource = "headset"
    server.listen(to: "headset")
    server.pass(milliseconds: 100)
    #expect(server.moves == [70])
    #expect(server.place(of: 70) == Product.source)
    #expect(status.strays.isEmpty)
  }

  @Test func `a move that the server does not tell of is found and undone`() {
    server.listen()
    server.pass(milliseconds: 5000)
    server.plug("desk", tone: 0.5, index: 12)
    server.defaultSource = "desk"
    server.pass(milliseconds: 100)
    // No event comes with it.
    server.recordings[0].device = server.index(of: "desk")
    server.pass(milliseconds: 500)
    #expect(server.place(of: 70) == Product.source)
  }

  @Test func `a stream that a person moves is left and told of, and the next daemon knows it`() {
    server.listen()
    server.pass(milliseconds: 5000)
    server.listen(to: "webcam")
    server.pass(milliseconds: 2000)
    #expect(server.moves.isEmpty)
    #expect(status.strays.map(\.chosen) == [true])
    #expect(server.memory.entries.map(\.isHome) == [false])
  }

  // MARK: The server

  @Test func `a server that restarts has everything again within a fifth of a second`() {
    server.listen()
    server.pass(milliseconds: 500)
    server.crash()
    server.pass(milliseconds: 100)
    #expect(status.state == .waiting)
    #expect(status.server == "" && status.listeners.isEmpty && status.microphone.name == "")
    server.isUp = true
    server.pass(milliseconds: 200)
    #expect(server.connections == 2)
    #expect(server.isEstablished)
    server.listen(5)
    server.pass(milliseconds: 500)
    #expect(hears(0.5))
  }

  @Test func `a server that stays away is tried ever more rarely, but at least every two seconds`()
  {
    server.isUp = false
    server.pass(milliseconds: 120_000)
    let pauses = zip(server.attempts, server.attempts.dropFirst()).map { $1 - $0 }
    #expect(pauses[0] <= 50_000)
    #expect(pauses.last! > 1_900_000 && pauses.max()! <= 2_001_000)
    #expect(status.stateReason == "the scripted server is away")
    server.isUp = true
    server.pass(milliseconds: 2100)
    #expect(status.state == .idle)
  }

  @Test func `a second daemon waits for the first, longer each time`() {
    server.isTaken = true
    server.pass(milliseconds: 180_000)
    let pauses = zip(server.attempts, server.attempts.dropFirst()).map { $1 - $0 }
    #expect(pauses[0] >= 2_000_000)
    #expect(pauses.max()! >= 29_000_000 && pauses.max()! <= 30_001_000)
    #expect(!server.isEstablished)
  }

  @Test func `audio that loses its connection gets a new one, and the back end is told`() {
    server.listen()
    server.pass(milliseconds: 500)
    server.refusesAudio = true
    let connection = server.session.order.connection
    server.defaultSource = "webcam"
    server.tell()
    server.pass(milliseconds: 100)
    #expect(server.audioFailures == ["the scripted server refuses audio"])
    #expect(server.session.isAudioLost)
    server.refusesAudio = false
    server.session.retry()
    server.pass(milliseconds: 500)
    #expect(server.session.order.connection == connection + 1)
    #expect(hears(0.1))
  }

  @Test func `what is turned down on the way is warned of with what undoes it`() {
    server.listen()
    server.attenuations = [
      Status.Attenuation(
        place: UserMessage("the virtual microphone"), percent: 3, remedy: "pactl x")
    ]
    server.tell()
    server.pass(milliseconds: 100)
    #expect(
      status.warnings.contains("the virtual microphone is turned down to 3 %; `pactl x` undoes it"))
    server.attenuations = []
    server.tell()
    server.pass(milliseconds: 100)
    #expect(status.warnings.isEmpty)
  }

  // MARK: Time

  @Test func `after a stall nothing old is heard, and it is told`() {
    server.listen()
    server.pass(milliseconds: 1000)
    let before = server.session.order
    server.stall(milliseconds: 400)
    server.pass(milliseconds: 420)
    #expect(status.stateReason.hasPrefix("the audio thread got no processor for"))
    #expect(status.hops.skipped >= 30)
    server.pass(milliseconds: 600)
    #expect(hears(0.5))
    #expect(server.session.order == before)
    server.pass(milliseconds: 2000)
    #expect(!status.stateReason.hasPrefix("the audio thread"))
  }

  @Test(arguments: [256, 1024, 2048, 4096])
  func `another quantum is followed without a break, and the ledger says so`(quantum: Int) {
    server.listen()
    server.pass(milliseconds: 1000)
    server.quantum = quantum
    server.pass(milliseconds: 3000)
    #expect(hears(0.5))
    #expect(abs(fragment - Double(quantum) / 0.048) < 1000)
    let skipped = status.hops.skipped
    server.quantum = 480
    server.pass(milliseconds: 3000)
    #expect(status.hops.skipped - skipped <= UInt64(quantum / 480 + 1))
    #expect(abs(fragment - 10_000) < 1000)
  }

  @Test(arguments: [-3000.0, 3000])
  func `an output whose clock differs does not lag behind for good`(drift: Double) {
    server.hasClock = true
    server.drift = drift
    server.listen()
    server.pass(milliseconds: 20_000)
    // Unfollowed, 20 s at 3000 ppm are 60 ms.
    #expect(server.active.link.fill.load(ordering: .relaxed) < 960 + 2 * 480)
    #expect(drift > 0 || status.hops.resynchronizations + status.hops.skipped > 0)
  }
}

@Suite struct `A session on ALSA` {
  @Test func `it listens always, to the PCMs of the configuration`() throws {
    let server = try ScriptedServer("[alsa]\ncapture = \"mic\"\nplayback = \"out\"")
    let link = server.active.link
    let session = Session(
      server.preferences, link: link, strays: StrayListeners(), keep: { _ in }, wakeAudio: {},
      open: { configuration throws(BackendError) in ALSABackend(configuration.alsa) })
    let status = StatusSource(
      server.preferences, server.active, session, isRecording: { false },
      realTime: { UserMessage(pattern: "") })
    server.preferences.set(channels: [2])
    session.step(at: 1)
    #expect(session.order.transport == .alsa(capture: "mic", playback: "out"))
    #expect(session.order.pinned == 2)
    #expect(session.isRunning)
    let said = status.status(at: 1)
    #expect(said.server == "ALSA" && said.virtualMicrophone == "out")
    #expect(said.microphone.name == "mic")
    #expect(said.microphone.reason == "chosen in the configuration")
    #expect(status.line == "Denoising ALSA 'mic' to 'out'")
  }
}
