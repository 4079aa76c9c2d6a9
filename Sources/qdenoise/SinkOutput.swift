import AudioHost
import Memory
import Signal

/// A playback stream into the virtual microphone's sink, with the resampler between the microphone's clock
/// and the sink's. Thread: audio.
final class SinkOutput {
  /// Milliseconds that wait in the server right before a hop is written.
  static let targetMicroseconds = 10_000

  private let sampleRate: Int
  private let stream: PulsePlaybackStream
  private var resampler: DriftResampler
  private var piece: AlignedBuffer<Float>
  /// Samples that waited in the server before the last hop.
  private(set) var fill = 0

  /// `target` is what the server is asked to hold, in samples.
  init(
    _ connection: PulseConnection, sink: String, target: Int, hop: Int, sampleRate: Int,
    changed: @escaping () -> Void
  ) throws(PulseError) {
    self.sampleRate = sampleRate
    stream = try PulsePlaybackStream(
      connection, name: VirtualMicrophone.description, sink: sink, sampleRate: sampleRate,
      target: target, request: hop)
    stream.onChange = changed
    resampler = DriftResampler(
      hop: hop, sampleRate: sampleRate,
      target: Double(Self.targetMicroseconds * sampleRate / 1_000_000))
    piece = AlignedBuffer(count: 2 * hop)
  }

  /// The server has ended the stream.
  var hasFailed: Bool { stream.hasFailed }

  /// Writes one hop; false if the stream did not take it.
  func write(_ samples: UnsafePointer<Float>) -> Bool {
    guard stream.isReady else { return true }
    fill = max(0, stream.latencyMicroseconds ?? 0) * sampleRate / 1_000_000
    unsafe resampler.push(samples, outside: Double(fill))
    let count = unsafe resampler.pull(into: piece.pointer, count: piece.count)
    return unsafe stream.write(piece.pointer, count)
  }

  /// How much faster the sink's clock is than the microphone's, in parts per million.
  var drift: Double? { resampler.control.driftPartsPerMillion }
}
