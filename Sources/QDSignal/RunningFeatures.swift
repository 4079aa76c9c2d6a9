import Glibc
internal import QDMemory

/// The levels of bands in dB, each relative to its running mean.
///
/// L_b = 10 log10(mean of |s X[k]|² over the band + 1e-10); m_b = (1 - a) L_b + a m_b; the feature
/// is (L_b - m_b) / divisor (Schröter et al., 2022). Thread: audio.
public struct BandLevels: ~Copyable {
  private let power: Float
  private let decay: Float
  private let divisor: Float
  private let edges: [Int]
  private var means: AlignedBuffer<Float>
  private let start: AlignedBuffer<Float>

  /// - Parameters:
  ///   - edges: band b is the bins `edges[b] ..< edges[b + 1]`.
  ///   - start: the mean of the first and of the last band before the first hop.
  public init(
    edges: [Int], scale: Float, decay: Float, start: BandRamp, divisor: Float
  ) {
    self.edges = edges
    power = scale * scale
    self.decay = decay
    self.divisor = divisor
    self.start = start.values(count: edges.count - 1)
    means = start.values(count: edges.count - 1)
  }

  public mutating func compute(
    _ spectrum: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    for band in 0..<means.count {
      var sum: Float = 0
      for index in 2 * edges[band]..<2 * edges[band + 1] {
        unsafe sum += spectrum[index] * spectrum[index]
      }
      let mean = sum * power / Float(edges[band + 1] - edges[band])
      let level = 10 * log10f(mean + 1e-10)
      means[band] = level * (1 - decay) + means[band] * decay
      unsafe output[band] = (level - means[band]) / divisor
    }
  }

  /// Resets the running means.
  public mutating func reset() {
    for band in 0..<means.count { means[band] = start[band] }
  }
}

/// The low bins of a spectrum, each divided by the square root of its running mean magnitude:
/// m_k = (1 - a) |s X[k]| + a m_k; the feature is s X[k] / √m_k (Schröter et al., 2022), all real
/// parts before all imaginary ones. Thread: audio.
public struct UnitSpectrum: ~Copyable {
  private let scale: Float
  private let decay: Float
  private var means: AlignedBuffer<Float>
  private let start: AlignedBuffer<Float>

  /// - Parameter start: the mean of the first and of the last bin before the first hop.
  public init(bins: Int, scale: Float, decay: Float, start: BandRamp) {
    self.scale = scale
    self.decay = decay
    self.start = start.values(count: bins)
    means = start.values(count: bins)
  }

  public mutating func compute(
    _ spectrum: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    let bins = means.count
    for bin in 0..<bins {
      let (real, imaginary) = unsafe (spectrum[2 * bin] * scale, spectrum[2 * bin + 1] * scale)
      let magnitude = (real * real + imaginary * imaginary).squareRoot()
      means[bin] = magnitude * (1 - decay) + means[bin] * decay
      let factor = 1 / means[bin].squareRoot()
      unsafe output[bin] = real * factor
      unsafe output[bins + bin] = imaginary * factor
    }
  }

  /// Resets the running means.
  public mutating func reset() {
    for bin in 0..<means.count { means[bin] = start[bin] }
  }
}

/// A value for each of several bands, evenly spaced from the first to the last.
public struct BandRamp: Sendable {
  public let first: Float
  public let last: Float

  public init(first: Float, last: Float) {
    self.first = first
    self.last = last
  }

  func values(count: Int) -> AlignedBuffer<Float> {
    let step = count > 1 ? (last - first) / Float(count - 1) : 0
    return AlignedBuffer((0..<count).map { first + step * Float($0) })
  }
}
