/// A histogram of a tensor's values: bins of equal width around zero, which double their width when
/// a value lies outside.
struct Histogram: Sendable {
  private static let binCount = 8192

  private var bins: [UInt32] = []
  /// Bins cover -limit..<limit.
  private var limit: Float = 0
  private(set) var lower: Float = 0
  private(set) var upper: Float = 0
  private(set) var isFinite = true

  /// Zeros are not counted: they are exact in every quantization.
  mutating func add(_ values: UnsafeBufferPointer<Float>) {
    var (low, high) = (lower, upper)
    for index in 0..<values.count {
      let value = unsafe values[index]
      guard value.isFinite else {
        isFinite = false
        return
      }
      low = min(low, value)
      high = max(high, value)
    }
    (lower, upper) = (low, high)
    grow(to: max(-low, high))
    if limit == 0 { return }
    let scale = Float(Self.binCount / 2) / limit
    for index in 0..<values.count {
      let value = unsafe values[index]
      if value == 0 { continue }
      bins[min(Int(value * scale + Float(Self.binCount / 2)), Self.binCount - 1)] &+= 1
    }
  }

  /// Adds another histogram.
  mutating func add(_ other: Histogram) {
    isFinite = isFinite && other.isFinite
    (lower, upper) = (min(lower, other.lower), max(upper, other.upper))
    if other.limit == 0 { return }
    if limit == 0 { (bins, limit) = (Array(repeating: 0, count: Self.binCount), other.limit) }
    var other = other
    grow(to: other.limit)
    other.grow(to: limit)
    for index in bins.indices { bins[index] &+= other.bins[index] }
  }

  private mutating func grow(to magnitude: Float) {
    guard magnitude > limit else { return }
    if limit == 0 {
      bins = Array(repeating: 0, count: Self.binCount)
      // Smaller values are zero in every quantization, and their bins would be too narrow for
      // floats.
      limit = max(Float(sign: .plus, exponent: magnitude.exponent, significand: 1) * 2, 0x1p-64)
      return
    }
    while magnitude > limit {
      limit *= 2
      var wider = Array(repeating: UInt32(0), count: Self.binCount)
      for index in 0..<Self.binCount { wider[Self.binCount / 4 + index / 2] &+= bins[index] }
      bins = wider
    }
  }

  /// The range with the minimum mean squared error of rounding to 255 steps and clamping, found by
  /// widening or narrowing first both sides together, then each separately.
  ///
  /// - Parameter isSmooth: whether each observed value also stands for values near it, over wider
  ///   distances the fewer there are, so that a range from few samples has a margin.
  func leastErrorRange(isSymmetric: Bool, isSmooth: Bool) -> ClosedRange<Float> {
    guard limit > 0 else { return 0...0 }
    let filled = isSmooth ? spread : seen
    func error(_ low: Float, _ high: Float) -> Double {
      let step = max((high - low) / 255, .leastNormalMagnitude)
      return filled.reduce(0) { sum, bin in
        let clamped = min(max(bin.center, low), high)
        let difference = Double(
          bin.center - low - ((clamped - low) / step).rounded() * step)
        return sum + bin.count * difference * difference
      }
    }
    let shares = stride(from: isSmooth ? Float(1.4) : 1, through: 0.3, by: -0.02)
    var best = (low: lower, high: upper)
    if isSymmetric { best = (-max(-lower, upper), max(-lower, upper)) }
    var least = error(best.low, best.high)
    func search(_ candidate: (Float) -> (low: Float, high: Float)) {
      for share in shares {
        let (low, high) = candidate(share)
        let found = error(low, high)
        if found < least { (best, least) = ((low, high), found) }
      }
    }
    let whole = best
    search { (whole.low * $0, whole.high * $0) }
    if !isSymmetric {
      let joint = best
      search { (joint.low, joint.high * $0) }
      let sided = best
      search { (sided.low * $0, sided.high) }
    }
    return best.low...best.high
  }

  /// Observed values with their counts.
  private var seen: [(center: Float, count: Double)] {
    let half = Self.binCount / 2
    return bins.enumerated().compactMap { index, count in
      count == 0 ? nil : ((Float(index - half) + 0.5) * limit / Float(half), Double(count))
    }
  }

  /// The same, with a sixth of each count moved a little inwards and another sixth outwards: the
  /// three points of Gauss-Hermite quadrature for a normal distribution, whose width falls with the
  /// fourth root of the count.
  private var spread: [(center: Float, count: Double)] {
    let values = seen
    let total = values.reduce(0) { $0 + $1.count }
    let width = Float((3 / total.squareRoot()).squareRoot())
    var result = values
    for index in values.indices {
      let (center, count) = values[index]
      result[index].count = count * 2 / 3
      result.append((center * (1 - width), count / 6))
      result.append((center * (1 + width), count / 6))
    }
    return result
  }
}
