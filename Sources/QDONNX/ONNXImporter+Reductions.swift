internal import QDEngine

/// Sums, means and extremes along axes.
extension ONNXImporter {
  /// The axes of a reduction: an input in newer operator sets, an attribute in older ones.
  func reducedAxes(_ rank: Int) throws(ONNXError) -> Set<Int> {
    if node.kind.hasPrefix("Global") { return Set(2..<max(rank, 2)) }
    var axes = has(1) ? try integers(1) : integers("axes") ?? []
    if axes.isEmpty, integer("noop_with_empty_axes", 0) == 0 { axes = Array(0..<rank) }
    var result: Set<Int> = []
    for axis in axes { result.insert(try self.axis(axis, rank: rank)) }
    return result
  }

  mutating func convertReduction() throws(ONNXError) -> Bool {
    switch node.kind {
    case "GlobalAveragePool", "ReduceMean", "ReduceSum", "ReduceSumSquare", "ReduceL1",
      "ReduceL2", "ReduceLogSum", "ReduceLogSumExp", "GlobalMaxPool", "ReduceMax", "ReduceMin",
      "ReduceProd":
      break
    default: return false
    }
    let x = try activation(0)
    let axes = try reducedAxes(x.shape.count)
    let keeps = integer("keepdims", 1) != 0
    guard !x.shape.contains(0) else { throw unsupported("its input is empty") }
    switch node.kind {
    case "GlobalAveragePool", "ReduceMean": set(mean(x, axes, keepsDimensions: keeps))
    case "ReduceSum": set(sum(x, axes, keepsDimensions: keeps))
    case "ReduceSumSquare": set(sum(apply(.square, x), axes, keepsDimensions: keeps))
    case "ReduceL1": set(sum(apply(.absolute, x), axes, keepsDimensions: keeps))
    case "ReduceL2":
      set(apply(.squareRoot, sum(apply(.square, x), axes, keepsDimensions: keeps)))
    case "ReduceLogSum": set(logarithm(sum(x, axes, keepsDimensions: keeps)))
    case "ReduceLogSumExp":
      set(logarithm(sum(apply(.exponential, x), axes, keepsDimensions: keeps)))
    case "ReduceProd": set(reduced(code: 81, x, axes, keepsDimensions: keeps))
    case "ReduceMin": set(reduced(code: 89, x, axes, keepsDimensions: keeps))
    default: set(reduced(code: 82, x, axes, keepsDimensions: keeps))
    }
    return true
  }

  private func reduced(_ shape: [Int], _ axes: Set<Int>, keepsDimensions: Bool) -> [Int] {
    shape.enumerated().compactMap { index, extent in
      axes.contains(index) ? (keepsDimensions ? 1 : nil) : extent
    }
  }

  mutating func mean(_ x: Activation, _ axes: Set<Int>, keepsDimensions: Bool) -> Activation {
    if axes.isEmpty { return x }
    let data = keepsDimensions ? x : plain(x)
    let places = axes.sorted().map { storedAxis($0, of: data) }.sorted()
    return emit(
      .mean(keepsDimensions: keepsDimensions), [data.tensor, counts(places)],
      shape: reduced(x.shape, axes, keepsDimensions: keepsDimensions),
      isChannelsLast: data.isChannelsLast)
  }

  mutating func sum(_ x: Activation, _ axes: Set<Int>, keepsDimensions: Bool) -> Activation {
    reduced(code: 74, x, axes, keepsDimensions: keepsDimensions)
  }

  private mutating func reduced(
    code: Int, _ x: Activation, _ axes: Set<Int>, keepsDimensions: Bool
  ) -> Activation {
    if axes.isEmpty { return x }
    let data = keepsDimensions ? x : plain(x)
    let places = axes.sorted().map { storedAxis($0, of: data) }.sorted()
    return emit(
      code: code, [data.tensor, counts(places)],
      shape: reduced(x.shape, axes, keepsDimensions: keepsDimensions),
      options: [0: .bool(keepsDimensions)], isChannelsLast: data.isChannelsLast, type: type(x))
  }
}
