import QDAudioHost
import Glibc
import TestSupport
import Testing
import QDMessages

/// A private PulseAudio with a fake microphone, and a connection to it.
private final class Desk {
  let sandbox: Sandbox
  let server: SoundServer
  let microphone: FakeMicrophone
  let loop = EventLoop()
  let connection: PulseConnection

  init() throws {
    try Piece.require(.pulseAudio)
    sandbox = try Sandbox("pulse")
    server = try SoundServer(.pulseAudio, in: sandbox)
    microphone = try FakeMicrophone(on: server)
    connection = PulseConnection(loop: loop, name: "test", server: server.address)
    try connection.connect()
  }

  /// Runs the loop until something is the case.
  func run(seconds: Double = 30, until condition: () -> Bool) -> Bool {
    let end = now() + seconds
    while !condition() {
      guard now() < end else { return false }
      loop.iterate(timeoutMicroseconds: 20_000)
    }
    return true
  }
}

@Suite(.serialized) struct `Pulse connection` {
  @Test func `the server names itself, its devices and its defaults`() throws {
    let desk = try Desk()
    let server = try desk.connection.server()
    #expect(server.name == "pulseaudio")
    #expect(!server.isPipeWire)
    #expect(server.defaultSource == desk.microphone.name)
    let sources = try desk.connection.sources()
    let microphone = try #require(sources.first { $0.name == desk.microphone.name })
    #expect(microphone.monitorOf == nil)
    #expect(microphone.channels == 1)
    #expect(microphone.sampleRate == 48_000)
    #expect(sources.contains { $0.monitorOf == "speakers" })
    #expect(try desk.connection.sinks().contains { $0.name == "speakers" })
  }

  @Test func `a module is loaded, listed and unloaded`() throws {
    let desk = try Desk()
    let index = try desk.connection.loadModule("module-null-sink", "sink_name=extra")
    let module = try desk.connection.modules().first { $0.index == index }
    #expect(module?.name == "module-null-sink")
    #expect(module?.argument == "sink_name=extra")
    try desk.connection.unloadModule(index)
    #expect(try !desk.connection.modules().contains { $0.index == index })
  }

  @Test func `what the server refuses is an error that says what`() throws {
    let desk = try Desk()
    let error = #expect(throws: PulseError.self) {
      try desk.connection.loadModule("module-that-is-not", "")
    }
    #expect(error?.description.contains("module-that-is-not") == true)
    #expect(throws: PulseError.self) { try desk.connection.unloadModule(9999) }
    #expect(try desk.connection.server().name == "pulseaudio")
  }

  @Test func `a server that is not there is unreachable`() throws {
    let connection = PulseConnection(
      loop: EventLoop(), name: "test", server: "unix:/tmp/qdenoise-no-such-socket")
    let error = #expect(throws: PulseError.self) { try connection.connect() }
    guard case .unreachable = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `a server that dies is noticed`() throws {
    let desk = try Desk()
    var states = 0
    desk.connection.onStateChange = { states += 1 }
    desk.server.kill()
    #expect(desk.run { desk.connection.hasFailed })
    #expect(states > 0)
    #expect(throws: PulseError.self) { try desk.connection.server() }
  }

  @Test func `events tell of listeners that come and go`() throws {
    let desk = try Desk()
    var events: [PulseEvent] = []
    desk.connection.onEvent = { events.append($0) }
    try desk.connection.subscribe()
    let stream = try PulseRecordStream(
      desk.connection, name: "test", source: desk.microphone.name, sampleRate: 48_000,
      fragment: 480
    ) { _, _ in }
    #expect(desk.run { events.contains { $0.subject == .sourceOutput && $0.change == .new } })
    let listeners = try desk.connection.listeners()
    let source = try desk.connection.sources().first { $0.name == desk.microphone.name }
    #expect(listeners.contains { $0.device == source?.index && $0.application == "test" })
    stream.close()
    #expect(
      desk.run { events.contains { $0.subject == .sourceOutput && $0.change == .removed } })
  }
}

@Suite(.serialized, .realTime) struct `Pulse streams` {
  @Test func `what is played into the microphone is recorded at its pace in small fragments`()
    throws
  {
    let desk = try Desk()
    var count = 0
    var loudest: Float = 0
    var largest = 0
    let playback = try PulsePlaybackStream(
      desk.connection, name: "test", sink: desk.microphone.sink, sampleRate: 48_000,
      target: 4800, request: 480)
    let record = try PulseRecordStream(
      desk.connection, name: "test", source: desk.microphone.name, sampleRate: 48_000,
      fragment: 480
    ) { samples, length in
      count += length
      largest = max(largest, length)
      guard let samples else { return }
      for index in 0..<length { loudest = max(loudest, abs(samples[index])) }
    }
    let tone = (0..<480).map { Float($0 % 48 < 24 ? 0.25 : -0.25) }
    func feed() {
      while playback.writable >= 480 { _ = playback.write(tone, 480) }
    }
    #expect(
      desk.run {
        feed(); return count > 0 && loudest > 0.2
      })
    #expect(record.source == desk.microphone.name)
    #expect(record.fragment == 480)
    let (before, start) = (count, now())
    #expect(
      !desk.run(seconds: 2) {
        feed(); return false
      })
    let rate = Double(count - before) / (now() - start)
    #expect(abs(rate - 48_000) < 4_000)
    #expect(loudest < 0.3)
    #expect(largest <= 4 * 480)
  }

  @Test func `a stream whose source goes away says so`() throws {
    let desk = try Desk()
    var changes = 0
    let record = try PulseRecordStream(
      desk.connection, name: "test", source: desk.microphone.name, sampleRate: 48_000,
      fragment: 480
    ) { _, _ in }
    record.onChange = { changes += 1 }
    #expect(desk.run { record.isReady })
    let before = changes
    try desk.microphone.unplug()
    #expect(desk.run { changes > before })
    #expect(record.hasFailed || record.source != desk.microphone.name)
  }

  @Test func `a source that is not there fails the stream with its reason`() throws {
    let desk = try Desk()
    let record = try PulseRecordStream(
      desk.connection, name: "test", source: "nowhere", sampleRate: 48_000, fragment: 480
    ) { _, _ in }
    #expect(desk.run { record.hasFailed })
    #expect(record.failure.description.contains("No such entity"))
  }
}

@Suite struct `Event loop` {
  @Test func `a wake-up that comes before the wait is not lost`() {
    let loop = EventLoop()
    let start = now()
    for _ in 0..<100 {
      loop.waker.wake()
      loop.iterate(timeoutMicroseconds: 10_000_000)
    }
    #expect(now() - start < 10)
  }

  @Test func `a descriptor in the loop is told of once it can be read`() {
    let loop = EventLoop()
    var ends: [Int32] = [-1, -1]
    #expect(pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    var told = 0
    let watch = loop.watch(ends[0]) { told += 1 }
    loop.iterate(timeoutMicroseconds: 1000)
    #expect(told == 0)
    var byte: UInt8 = 1
    #expect(write(ends[1], &byte, 1) == 1)
    loop.iterate(timeoutMicroseconds: 1_000_000)
    #expect(told == 1)
    watch.want(readable: false, writable: false)
    loop.iterate(timeoutMicroseconds: 1000)
    #expect(told == 1)
  }
}

@Test(arguments: [
  ("PulseAudio (on PipeWire 1.4.2)", "15.0.0", "PipeWire", "1.4.2"),
  ("PulseAudio (on PipeWire 0.3.65)", "15.0.0", "PipeWire", "0.3.65"),
  ("pulseaudio", "16.1", "pulseaudio", "16.1"),
])
func `a server is called what it is`(
  said: String, protocolVersion: String, name: String, version: String
) {
  let server = ServerDescription(
    name: said, version: protocolVersion, defaultSource: nil, defaultSink: nil)
  #expect((server.name, server.version) == (name, version))
  #expect(server.isPipeWire == (name == "PipeWire"))
}
