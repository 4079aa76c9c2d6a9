internal import Memory

/// What becomes of the bins above those that a network knows: a gain that follows what it does to
/// the top of its own band.
///
/// g = √(Σ |Y[k]|² / Σ |X[k]|²) over the upper half of the network's bins, at most 1. Thread: audio.
public struct UpperBand: Sendable {
  /// Bins of the network.
  private let low: Int
  private let bins: Int

  public init(low: Int, bins: Int) {
    self.low = low
    self.bins = bins
  }

  /// Completes `output`, whose low bins are there, from the noisy spectrum.
  public func apply(
    to noisy: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    var (before, after): (Float, Float) = (0, 0)
    for index in low / 2 * 2..<2 * low {
      unsafe before += noisy[index] * noisy[index]
      unsafe after += output[index] * output[index]
    }
    let gain = before > 0 ? min(1, (after / before).squareRoot()) : 0
    for index in 2 * low..<2 * bins { unsafe output[index] = gain * noisy[index] }
  }
}
