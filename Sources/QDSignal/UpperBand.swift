internal import QDKernels
internal import QDMemory

/// Joins a processed lower band and the band above it, which is the noisy sound minus its decimated
/// and interpolated copy.
///
/// If the lower band is unchanged and the gain is 1, the output is the noisy sound, delayed,
/// whatever the filter is. Thread: audio.
public struct BandJoin: ~Copyable {
  /// Samples of the higher rate.
  private let hop: Int
  private let low: Int
  private var lower: Interpolator
  private var noisy: Interpolator
  /// Delays the noisy sound by both filters, then the band above until the lower band arrives.
  private var whole: DelayLine
  private var upper: DelayLine
  private var piece: AlignedBuffer<Float>
  private var gain: Float = 0

  /// - Parameters:
  ///   - hop: samples of the higher rate.
  ///   - latency: of the lower band between decimation and here, in samples of the higher rate.
  public init(_ filter: DecimationFilter, hop: Int, latency: Int) {
    self.hop = hop
    low = hop / filter.factor
    lower = Interpolator(filter, hop: hop)
    noisy = Interpolator(filter, hop: hop)
    whole = DelayLine(samples: 2 * filter.delay, hop: hop)
    upper = DelayLine(samples: latency, hop: hop)
    piece = AlignedBuffer(count: hop)
  }

  /// One hop.
  /// - Parameters:
  ///   - lower: `hop` / factor samples of the lower band, denoised.
  ///   - decimated: `hop` / factor samples of the noisy sound.
  ///   - input: the `hop` samples from which these were decimated.
  ///   - gain: of the band above, gliding from the last one.
  public mutating func process(
    _ lower: UnsafePointer<Float>, decimated: UnsafePointer<Float>, input: UnsafePointer<Float>,
    gain next: Float, into output: UnsafeMutablePointer<Float>
  ) {
    let above = unsafe whole.push(input)
    unsafe noisy.push(decimated, into: piece.pointer)
    unsafe SignalKernels.mix(piece.pointer, by: -1, with: above, by: 1, count: hop)
    let delayed = unsafe upper.push(piece.pointer)
    unsafe self.lower.push(lower, into: output)
    let step = (next - gain) / Float(hop)
    for index in 0..<hop {
      unsafe output[index] += (gain + (Float(index) + 0.5) * step) * delayed[index]
    }
    gain = next
  }

  /// Clears all earlier samples.
  public mutating func reset() {
    lower.reset()
    noisy.reset()
    whole.reset()
    upper.reset()
    gain = 0
  }
}

/// A delay of `samples` samples. Thread: audio.
struct DelayLine: ~Copyable {
  private let samples: Int
  private let hop: Int
  private var values: AlignedBuffer<Float>

  init(samples: Int, hop: Int) {
    self.samples = samples
    self.hop = hop
    values = AlignedBuffer(count: samples + hop)
  }

  /// Takes a hop and returns the hop `samples` before, valid until the next call.
  mutating func push(_ input: UnsafePointer<Float>) -> UnsafePointer<Float> {
    let start = unsafe values.pointer
    unsafe start.update(from: start + hop, count: samples)
    unsafe (start + samples).update(from: input, count: hop)
    return unsafe UnsafePointer(start)
  }

  mutating func reset() { values.fill(with: 0) }
}

/// The gain of a network in the upper part of its band.
///
/// g = √(Σ |Y[k]|² / Σ |X[k]|²) over the upper half of `bins` bins, at most 1.
public func upperGain(
  of denoised: UnsafePointer<Float>, over noisy: UnsafePointer<Float>, bins: Int
) -> Float {
  var (before, after): (Float, Float) = (0, 0)
  for index in bins / 2 * 2..<2 * bins {
    unsafe before += noisy[index] * noisy[index]
    unsafe after += denoised[index] * denoised[index]
  }
  return before > 0 ? min(1, (after / before).squareRoot()) : 0
}
