internal import Kernels

/// Applies what a network answers to the spectra that it saw: a complex filter over time on each
/// low bin, and a gain on each band above.
///
/// Y[k] = Σ_j c_j[k] X_(t-j)[k] for the low bins, gain(band of k) X_t[k] for the others, where t
/// is `lookAhead` hops ago. Thread: audio.
public struct SpectralFilter: Sendable {
  /// Spectra that the complex filter reaches back over.
  public let taps: Int
  /// Hops.
  public let lookAhead: Int
  /// Spectra that the history has to keep.
  public var depth: Int { taps + lookAhead }

  public init(taps: Int, lookAhead: Int) {
    self.taps = taps
    self.lookAhead = lookAhead
  }

  /// `filter` is [low bins][taps][real, imaginary], `gains` has one value a band, `output` room
  /// for `bands.bins` complex numbers.
  public func apply(
    filter: UnsafePointer<Float>, gains: UnsafePointer<Float>,
    to history: borrowing SpectrumHistory, bands: borrowing Bands,
    into output: UnsafeMutablePointer<Float>
  ) {
    unsafe output.update(repeating: 0, count: 2 * bands.low)
    for tap in 0..<taps {
      unsafe SignalKernels.filter(
        filter + 2 * tap, stride: 2 * taps, of: history.pointer(age: lookAhead + tap),
        bins: bands.low, addingTo: output)
    }
    unsafe bands.apply(gains: gains, to: history.pointer(age: lookAhead), into: output)
  }
}
