internal import QDMemory

/// Removes rumble from a spectrum with the magnitude response of a second-order Butterworth
/// high-pass at 80 Hz, (f/f0)² / √(1 + (f/f0)⁴), without its phase.
///
/// A time-domain filter would shift the phase of a voice's lowest harmonics. Thread: any, one at a
/// time; nothing is allocated after `init`.
public struct LowCut: ~Copyable {
  /// The -3 dB frequency, in Hz.
  public static let frequency: Float = 80
  /// From eight times that frequency on its attenuation is below 0.001 dB, and it is not applied.
  private static let highest = 8 * frequency

  /// One per bin.
  private let gains: AlignedBuffer<Float>

  /// For spectra of `bins` bins up to half the sample rate.
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
