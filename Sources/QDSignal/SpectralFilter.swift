internal import QDKernels

/// Applies a network's outputs to the spectra: a complex filter over time on each low bin, and a
/// gain on each band above.
///
/// Y[k] = Σ_j c_j[k] X_(n - age j)[k] for the bins that have a filter, gain(band of k) X_t[k] for
/// the others, where n is the newest hop and t is `lookAhead` hops ago. Thread: audio.
public struct SpectralFilter: Sendable {
  /// Hops.
  public let lookAhead: Int
  /// The age of each tap in hops behind the newest spectrum.
  private let ages: [Int]
  /// The number of low bins that have a filter; `nil` for all below the first band.
  private let filtered: Int?

  /// Taps of the complex filter.
  public var taps: Int { ages.count }
  /// The number of spectra that the history must keep.
  public var depth: Int { max(ages.max() ?? 0, lookAhead) + 1 }

  public init(taps: Int, lookAhead: Int) {
    self.lookAhead = lookAhead
    ages = (0..<taps).map { lookAhead + $0 }
    filtered = nil
  }

  /// - Parameters:
  ///   - ages: of each tap, hops behind the newest spectrum.
  ///   - bins: the number of lowest bins that have a filter, where gains of bands do not apply.
  public init(ages: [Int], bins: Int, lookAhead: Int) {
    self.ages = ages
    self.lookAhead = lookAhead
    filtered = bins
  }

  /// `filter` is [low bins][taps][real, imaginary], `gains` has one value per band, `output` has
  /// room for `bands.bins` complex numbers.
  public func apply(
    filter: UnsafePointer<Float>, gains: UnsafePointer<Float>,
    to history: borrowing SpectrumHistory, bands: borrowing Bands,
    into output: UnsafeMutablePointer<Float>
  ) {
    unsafe bands.apply(gains: gains, to: history.pointer(age: lookAhead), into: output)
    unsafe apply(filter: filter, to: history, bands: bands, into: output)
  }

  /// The low bins alone, over spectra that may differ from those of the gains.
  public func apply(
    filter: UnsafePointer<Float>, to history: borrowing SpectrumHistory, bands: borrowing Bands,
    into output: UnsafeMutablePointer<Float>
  ) {
    let bins = filtered ?? bands.low
    unsafe output.update(repeating: 0, count: 2 * bins)
    for tap in 0..<taps {
      unsafe SignalKernels.filter(
        filter + 2 * tap, stride: 2 * taps, of: history.pointer(age: ages[tap]), bins: bins,
        addingTo: output)
    }
  }
}
