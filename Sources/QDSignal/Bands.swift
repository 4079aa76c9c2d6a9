internal import QDKernels
internal import QDMemory

/// The division of a spectrum into positions: low bins, one position each, then bands of bins.
public struct Bands: ~Copyable, @unchecked Sendable {
  /// Low bins, each with a position of its own.
  public let low: Int
  /// Bands above them.
  public let count: Int
  /// Positions of the network's input per hop.
  public var positions: Int { low + count }
  /// Bins of a whole spectrum.
  public let bins: Int

  private var edges: AlignedBuffer<Int32>

  /// Band b is the bins `edges[b] ..< edges[b + 1]`. The edges must rise from `low` to the number
  /// of bins, else nil.
  public init?(low: Int, edges: [Int]) {
    guard let first = edges.first, let last = edges.last, first == low, low >= 0, edges.count > 1,
      last <= Int(Int32.max), zip(edges, edges.dropFirst()).allSatisfy({ $0 < $1 })
    else { return nil }
    self.low = low
    count = edges.count - 1
    bins = last
    self.edges = AlignedBuffer(count: edges.count)
    for (index, edge) in edges.enumerated() { self.edges[index] = Int32(edge) }
  }

  /// Three planes of `bins` values into [positions][3].
  func layOut(
    magnitude: UnsafePointer<Float>, real: UnsafePointer<Float>, imaginary: UnsafePointer<Float>,
    into positions: UnsafeMutablePointer<Float>
  ) {
    unsafe SignalKernels.positions(
      low: low, bands: count, edges: edges.pointer, magnitude: magnitude, real: real,
      imaginary: imaginary, into: positions)
  }

  /// Y[k] = gain of k's band times X[k], above the low bins.
  public func apply(
    gains: UnsafePointer<Float>, to x: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>
  ) {
    unsafe SignalKernels.applyGains(gains, bands: count, edges: edges.pointer, of: x, into: y)
  }
}
