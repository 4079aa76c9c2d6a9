internal import Memory

/// Takes rumble out of a spectrum: the magnitudes of a second-order Butterworth high-pass at 80 Hz,
/// (f/f0)² / √(1 + (f/f0)⁴), without its phase.
///
/// A filter in time would turn the phase of the lowest harmonics of a voice. Thread: any, one at a
/// time; nothing is allocated after `init`.
public struct LowCut: ~Copyable {
  /// Where it takes 3 dB, in Hz.
  public static let frequency: Float = 80
  /// From eight times that frequency on it takes less than 0.001 dB, and is left out.
  private static let highest = 8 * frequency

  /// One a bin.
  private let gains: AlignedBuffer<Float>

  /// For spectra of so many bins up to half the sample rate.
  public init(bins: Int, sampleRate: Int) {
    let width = Float(sampleRate) / Float(2 * (bins - 1))
    let count = min(bins, Int(LowCut.highest / width) + 1)
    gains = AlignedBuffer(
      (0..<count).map { bin in
        let square =
          (Float(bin) * width / LowCut.frequency) * (Float(bin) * width / LowCut.frequency)
        return square / (1 + square * square).squareRoot()
      })
  }

  /// `spectrum` holds as many complex numbers as there are bins.
  public func apply(to spectrum: UnsafeMutablePointer<Float>) {
    for bin in 0..<gains.count {
      unsafe spectrum[2 * bin] *= gains[bin]
      unsafe spectrum[2 * bin + 1] *= gains[bin]
    }
  }
}
