import ArgumentParser
import AudioHost
import Control

struct MonitorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "monitor",
    abstract: "Plays what others hear of you, until Ctrl-C. Use headphones.")

  @Option(
    help: ArgumentHelp("The output to play to.", valueName: "sink"),
    completion: .custom { _, _, _ in
      ((try? SoundServer.connect().sinks()) ?? []).map(\.name).filter { $0 != Product.sink }
    })
  var to: String?

  @Flag(help: "Play the microphone as it is instead.")
  var raw = false

  func run() throws {
    let microphone = try ControlClient().status().microphone.name
    let source = raw ? microphone : Product.source
    let server = try SoundServer.connect()
    guard try server.sources().contains(where: { $0.name == source }) else {
      throw MonitorError.noSource(source.isEmpty ? "microphone" : source)
    }
    guard let sink = try to ?? server.server().defaultSink else { throw MonitorError.noSink }
    try play(source, to: sink, on: server)
  }

  private func play(_ source: String, to sink: String, on server: PulseConnection) throws {
    let interrupt = Interrupt()
    var ended = false
    let watch = server.loop.watch(interrupt.descriptor) { ended = true }
    defer { withExtendedLifetime(watch) {} }
    let playback = try PulsePlaybackStream(
      server, name: "Hear yourself", sink: sink, sampleRate: 48_000, target: Self.target,
      request: 480)
    let record = try unsafe PulseRecordStream(
      server, name: "Hear yourself", source: source, sampleRate: 48_000, fragment: 480
    ) { samples, count in
      // The two devices have clocks of their own: what runs ahead is thrown away.
      if (playback.fill ?? 0) > 4 * Self.target { playback.flush() }
      if let samples = unsafe samples { _ = unsafe playback.write(samples, count) }
    }
    printError("playing to \(sink); Ctrl-C ends it")
    while !ended {
      if record.hasFailed { throw record.failure }
      if playback.hasFailed { throw MonitorError.sinkGone(sink) }
      server.loop.iterate(timeoutMicroseconds: nil)
    }
  }

  /// Samples that the server keeps before it plays: 30 ms.
  private static let target = 1440
}

enum MonitorError: Error, Equatable, CustomStringConvertible {
  case noSource(String)
  case noSink
  case sinkGone(String)

  var description: String {
    switch self {
    case .noSource(let name):
      "there is no '\(name)' to listen to; `denoisectl doctor` says why"
    case .noSink:
      "there is no output to play to; plug one in or name one with --to"
    case .sinkGone(let name):
      "cannot play to '\(name)'; `pactl list short sinks` lists what there is"
    }
  }
}
