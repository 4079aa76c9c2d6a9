package import QDAudioHost
import QDControl
package import QDMessages

/// Plays what others hear, or the raw microphone. Thread: one.
package struct Monitor {
  /// The source that is played.
  package let source: String
  package let sink: String
  private let server: PulseConnection
  /// Samples that the server keeps before it plays: 30 ms.
  private static let target = 1440

  /// - Parameters:
  ///   - microphone: the source that is played instead of the virtual microphone.
  ///   - sink: the output; nil for the default one.
  package init(
    on server: PulseConnection, microphone: String? = nil, to sink: String? = nil
  ) throws {
    let source = microphone ?? Product.source
    guard try server.sources().contains(where: { $0.name == source }) else {
      throw MonitorError.noSource(source.isEmpty ? "microphone" : source)
    }
    guard let sink = try sink ?? server.server().defaultSink else { throw MonitorError.noSink }
    guard !Self.feedsUs(sink, among: try server.sinks()) else { throw MonitorError.ourSink(sink) }
    self.source = source
    self.sink = sink
    self.server = server
  }

  /// Whether the virtual microphone would hear what is played to the sink.
  private static func feedsUs(_ name: String, among sinks: [AudioDevice]) -> Bool {
    var name: String? = name
    for _ in 0...sinks.count {
      if name == Product.sink { return true }
      guard let master = sinks.first(where: { $0.name == name })?.master else { return false }
      name = master
    }
    return true
  }

  /// Plays until `end` is readable.
  package func play(until end: Int32) throws {
    var ended = false
    let watch = server.loop.watch(end) { ended = true }
    defer { withExtendedLifetime(watch) {} }
    let playback = try PulsePlaybackStream(
      server, name: "Hear yourself", sink: sink, sampleRate: 48_000, target: Self.target,
      request: 480)
    let record = try unsafe PulseRecordStream(
      server, name: "Hear yourself", source: source, sampleRate: 48_000, fragment: 480
    ) { samples, count in
      // The two devices have different clocks: an excess is dropped.
      if let answer = playback.takeAnswer(), answer.fill > 4 * Self.target { playback.flush() }
      _ = playback.askFill()
      if let samples = unsafe samples { _ = unsafe playback.write(samples, count) }
    }
    while !ended {
      if record.hasFailed { throw record.failure }
      if playback.hasFailed { throw MonitorError.sinkGone(sink) }
      server.loop.iterate(timeoutMicroseconds: nil)
    }
  }
}

package enum MonitorError: MessageError, Equatable {
  case noSource(String)
  case noSink
  case ourSink(String)
  case sinkGone(String)

  package var message: UserMessage {
    switch self {
    case .noSource(let name):
      UserMessage("there is no '\(name)' to listen to; `denoisectl doctor` says why")
    case .noSink:
      UserMessage("there is no output to play to; plug one in or name one with --to")
    case .ourSink(let name):
      UserMessage(
        "'\(name)' plays into the virtual microphone itself: others would hear you in a circle;"
          + " name another output with --to")
    case .sinkGone(let name):
      UserMessage("cannot play to '\(name)'; `pactl list short sinks` lists what there is")
    }
  }
}
