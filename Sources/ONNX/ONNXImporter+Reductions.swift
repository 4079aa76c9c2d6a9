internal import Engine

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
    func apply(_ function: UnaryFunction, _ x: Activation) -> Activation {
      emit(.unary(function), [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast)
    }
    switch node.kind {
    case "GlobalAveragePool", "ReduceMean": set(mean(x, axes, keepsDimensions: keeps))
    case "ReduceSum": set(try sum(x, axes, keepsDimensions: keeps))
    case "ReduceSumSquare": set(try sum(apply(.square, x), axes, keepsDimensions: keeps))
    case "ReduceL1": set(try sum(apply(.absolute, x), axes, keepsDimensions: keeps))
    case "ReduceL2":
      set(apply(.squareRoot, try sum(apply(.square, x), axes, keepsDimensions: keeps)))
    case "ReduceLogSum": set(logarithm(try sum(x, axes, keepsDimensions: keeps)))
    case "ReduceLogSumExp":
      let powers = try sum(apply(.exponential, x), axes, keepsDimensions: keeps)
      set(logarithm(powers))
    case "ReduceProd": set(try product(x, axes, keepsDimensions: keeps))
    case "ReduceMin":
      set(apply(.negate, maximum(apply(.negate, x), axes, keepsDimensions: keeps)))
    default: set(maximum(x, axes, keepsDimensions: keeps))
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

  mutating func sum(
    _ x: Activation, _ axes: Set<Int>, keepsDimensions: Bool
  ) throws(ONNXError) -> Activation {
    let count = axes.reduce(1) { $0 * x.shape[$1] }
    let mean = mean(x, axes, keepsDimensions: keepsDimensions)
    return try binary(.multiply, .activation(mean), Self.scalar(Float(count)))
  }

  /// Element by element.
  private mutating func product(
    _ x: Activation, _ axes: Set<Int>, keepsDimensions: Bool
  ) throws(ONNXError) -> Activation {
    var result = plain(x)
    for axis in axes.sorted() {
      let whole = result
      guard whole.shape[axis] <= 64 else {
        throw unsupported("it multiplies \(whole.shape[axis]) elements, over 64")
      }
      result = part(whole, axis: axis, 0..<1)
      for index in 1..<max(1, whole.shape[axis]) {
        let next = part(whole, axis: axis, index..<index + 1)
        result = try binary(.multiply, .activation(result), .activation(next))
      }
    }
    let shape = reduced(x.shape, axes, keepsDimensions: keepsDimensions)
    return shape == result.shape ? result : reshaped(result, shape)
  }

  /// As one pool over all that is reduced, which is brought beside each other.
  private mutating func maximum(
    _ x: Activation, _ axes: Set<Int>, keepsDimensions: Bool
  ) -> Activation {
    if axes.isEmpty { return x }
    let kept = x.shape.indices.filter { !axes.contains($0) }
    let count = axes.reduce(1) { $0 * x.shape[$1] }
    let rest = kept.reduce(1) { $0 * x.shape[$1] }
    let moved = transposed(x, axes.sorted() + kept)
    let image = reshaped(moved, [1, count, 1, rest])
    let most = emit(
      .maxPool(Window(padding: .valid), height: count, width: 1, .none), [image.tensor],
      shape: [1, 1, 1, rest])
    return reshaped(most, reduced(x.shape, axes, keepsDimensions: keepsDimensions))
  }
}
