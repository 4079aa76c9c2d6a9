import AudioHost
import Denoise
import Memory
import Signal

/// A playback stream into the virtual microphone's sink, with the resampler between the
/// microphone's clock and the sink's. Thread: audio.
final class SinkOutput: HopOutput {
  /// What waits in the server right before a hop is written: a cycle of PipeWire's, and as much for
  /// its being late.
  static let targetMicroseconds = 10_000

  private let sampleRate: Int
  private let stream: PulsePlaybackStream
  private var resampler: DriftResampler
  private var piece: AlignedBuffer<Float>
  private var silence: AlignedBuffer<Float>
  private var isPrimed = false
  /// Samples that waited in the server before the last hop.
  private(set) var fill = 0

  /// `target` is what the server is asked to hold, in samples.
  init(
    _ connection: PulseConnection, sink: String, target: Int, sampleRate: Int,
    changed: @escaping () -> Void
  ) throws(PulseError) {
    self.sampleRate = sampleRate
    stream = try PulsePlaybackStream(
      connection, name: VirtualMicrophone.description, sink: sink, sampleRate: sampleRate,
      target: target, request: sampleRate / 200)
    stream.onChange = changed
    let waiting = Self.targetMicroseconds * sampleRate / 1_000_000
    resampler = DriftResampler(
      hop: Model.largestHop, sampleRate: sampleRate, target: Double(waiting))
    piece = AlignedBuffer(count: 2 * Model.largestHop)
    silence = AlignedBuffer(count: waiting)
  }

  /// The server has ended the stream.
  var hasFailed: Bool { stream.hasFailed }

  /// Writes one hop; false if the stream did not take it.
  func write(_ hop: UnsafeBufferPointer<Float>) -> Bool {
    guard stream.isReady else { return true }
    if !isPrimed {
      isPrimed = unsafe stream.write(silence.pointer, silence.count)
    }
    fill = max(0, stream.latencyMicroseconds ?? 0) * sampleRate / 1_000_000
    unsafe resampler.push(hop.baseAddress!, hop.count, outside: Double(fill))
    let count = unsafe resampler.pull(into: piece.pointer, count: piece.count)
    return unsafe stream.write(piece.pointer, count)
  }

  /// A new stream is needed for that; see `AudioOutput.mustReopen`.
  func resynchronize() {}

  var drift: Double? { resampler.control.driftPartsPerMillion }
}
