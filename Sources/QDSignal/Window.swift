import Glibc
public import QDMemory

/// The shape of an analysis window. Its product with the synthesis window overlap-adds to 1, at two
/// hops per window unless stated otherwise, so that both together are a pure delay.
public enum WindowShape: String, Codable, Sendable {
  /// sin(π n / N)
  case squareRootHann = "sqrt-hann"
  /// sin(π/2 sin²(π (n + 1/2) / N)), as in the Vorbis codec.
  case vorbis
  /// sin²(π n / N) in the analysis; the synthesis compensates for the sum of its squares, which is
  /// not 1.
  case hann
  /// Constant, at any overlap; the synthesis takes the mean.
  case rectangular

  /// Whether windows of this many hops overlap-add to 1.
  public func fits(hops: Int) -> Bool {
    self == .rectangular ? (2...16).contains(hops) : hops == 2
  }

  /// The synthesis window.
  func synthesis(length: Int, hop: Int) -> AlignedBuffer<Float> {
    var window = samples(length: length)
    if self == .rectangular {
      for n in 0..<length { window[n] = Float(hop) / Float(length) }
    }
    guard self == .hann else { return window }
    for n in 0..<hop {
      let sum = window[n] * window[n] + window[n + hop] * window[n + hop]
      window[n] /= sum
      window[n + hop] /= sum
    }
    return window
  }

  public func samples(length: Int) -> AlignedBuffer<Float> {
    switch self {
    case .squareRootHann: return QDSignal.squareRootHann(length: length)
    case .rectangular: return AlignedBuffer(Array(repeating: 1, count: length))
    case .hann:
      var window = QDSignal.squareRootHann(length: length)
      for n in 0..<length { window[n] *= window[n] }
      return window
    case .vorbis:
      var window = AlignedBuffer<Float>(count: length)
      for n in 0..<length {
        let rise = sin(.pi * (Double(n) + 0.5) / Double(length))
        window[n] = Float(sin(.pi / 2 * rise * rise))
      }
      return window
    }
  }
}

/// The square root of a periodic Hann window: analysis times synthesis overlap-adds to 1 at two
/// hops per window.
///
/// w[n] = sin(π n / length), which is sqrt(1/2 - 1/2 cos(2π n / length)).
public func squareRootHann(length: Int) -> AlignedBuffer<Float> {
  var window = AlignedBuffer<Float>(count: length)
  for n in 0..<length {
    window[n] = Float(sin(.pi * Double(n) / Double(length)))
  }
  return window
}
