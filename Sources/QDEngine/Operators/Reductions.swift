extension OperatorProperties {
  /// Reductions over dimensions.
  static let reductions: [OperatorProperties] = [
    OperatorProperties(
      40, "MEAN", .sums, versions: (2, 3), options: OptionLayout(27, [.byte]),
      match: { if case .mean(let keepsDimensions) = $0 { keepsDimensions } else { nil } },
      read: { .mean(keepsDimensions: $0.bool(0)) },
      write: { OptionFields([0: .bool($0)]) },
      lower: { lowering, index, keepsDimensions throws(EngineError) in
        try lowering.lowerMean(index, keepsDimensions)
      }),
    .builtin(
      74, "SUM", .sums, types: .any, options: OptionLayout(27, [.byte]),
      lower: { lowering, index, fields throws(EngineError) in
        if lowering.isPlain(try lowering.output(index)) {
          return try lowering.lowerReduce(
            index, fields.bool(0), from: (0, 0), { $0 &+ $1 }, { $0 + $1 })
        }
        try lowering.lowerMean(index, fields.bool(0), isSum: true)
      }),
    reduction(81, "REDUCE_PROD", from: (1, 1), { $0 &* $1 }, { $0 * $1 }),
    reduction(82, "REDUCE_MAX", from: (.min, -.infinity), { max($0, $1) }, { $1 > $0 ? $1 : $0 }),
    reduction(89, "REDUCE_MIN", from: (.max, .infinity), { min($0, $1) }, { $1 < $0 ? $1 : $0 }),
    reduction(91, "REDUCE_ANY", from: (0, 0), { $0 != 0 || $1 != 0 ? 1 : 0 }),
    reduction(140, "REDUCE_ALL", from: (1, 0), { $0 != 0 && $1 != 0 ? 1 : 0 }),
    OperatorProperties(
      25, "SOFTMAX", .none, .inPlace, versions: (2, 3), scales: .fixed(0...1),
      options: OptionLayout(9, [.float]),
      match: { if case .softmax(let beta) = $0 { beta } else { nil } },
      read: { .softmax(beta: $0.float(0)) },
      write: { OptionFields([0: .float($0)]) },
      lower: { lowering, index, beta throws(EngineError) in
        try lowering.lowerSoftmax(index, beta)
      }),
    .builtin(
      50, "LOG_SOFTMAX", options: OptionLayout(36),
      lower: { lowering, index, _ throws(EngineError) in
        try unsafe lowering.lowerRows(index) { row, result in
          let greatest = unsafe row.reduce(-Float.infinity) { max($0, $1) }
          var sum: Float = 0
          for place in 0..<row.count { unsafe sum += exponential(row[place] - greatest) }
          let offset = greatest + logarithm(sum)
          for place in 0..<row.count { unsafe result[place] = row[place] - offset }
        }
      }),
    .builtin(
      11, "L2_NORMALIZATION", versions: (2, nil), scales: .fixed(-1...1),
      options: OptionLayout(12, [.byte]),
      lower: { lowering, index, fields throws(EngineError) in
        guard fields.byte(0) == 0 else { throw lowering.unsupported(index, "it has an activation") }
        try unsafe lowering.lowerRows(index) { row, result in
          var sum: Float = 0
          for place in 0..<row.count { unsafe sum += row[place] * row[place] }
          let norm = max(sum.squareRoot(), 1e-6)
          for place in 0..<row.count { unsafe result[place] = row[place] / norm }
        }
      }),
  ]

  private static func reduction(
    _ code: Int, _ name: String, from first: (Int, Float),
    _ integers: @escaping @Sendable (Int, Int) -> Int,
    _ floats: (@Sendable (Float, Float) -> Float)? = nil
  ) -> OperatorProperties {
    .builtin(
      code, name, types: .any, options: OptionLayout(27, [.byte]),
      lower: { lowering, index, fields throws(EngineError) in
        try lowering.lowerReduce(index, fields.bool(0), from: first, integers, floats)
      })
  }
}

extension Lowering {
  /// The axes of a reduction, and the remaining shape.
  mutating func reducedAxes(
    _ index: Int, _ extents: [Int], keepsDimensions: Bool
  ) throws(EngineError) -> (axes: Set<Int>, result: [Int]) {
    var reduced: Set<Int> = []
    for axis in try integers(try input(index, 1)) {
      reduced.insert(try normalized(axis, rank: extents.count, index))
    }
    let result = extents.indices.compactMap { axis in
      reduced.contains(axis) ? (keepsDimensions ? 1 : nil) : extents[axis]
    }
    try requireShape(try output(index), result, index)
    return (reduced, result)
  }

  mutating func lowerReduce(
    _ index: Int, _ keepsDimensions: Bool, from first: (integer: Int, float: Float),
    _ integers: @escaping @Sendable (Int, Int) -> Int,
    _ floats: (@Sendable (Float, Float) -> Float)?
  ) throws(EngineError) {
    let x = try callInput(index, 0)
    let (axes, _) = try reducedAxes(index, x.shape, keepsDimensions: keepsDimensions)
    let y = try callOutput(index)
    guard x.type == y.type else { throw unsupported(index, "it is of \(x.type) and \(y.type)") }
    let strides = denseStrides(x.shape)
    func nest(_ axes: [Int]) -> Nest {
      let extents = axes.map { x.shape[$0] }
      return Nest(
        extents: extents, a: axes.map { strides[$0] }, b: axes.map { _ in 0 },
        y: denseStrides(extents))
    }
    let outer = nest(x.shape.indices.filter { !axes.contains($0) })
    let inner = nest(axes.sorted())
    if x.type == .float32 {
      guard let floats else { throw unsupported(index, "it does not take float32") }
      return emitCall(index, [x, y]) { network in
        let (values, results) = unsafe (network.floats(x), network.floats(y))
        outer.forEach { start, _, target in
          var result = first.float
          inner.forEach { place, _, _ in unsafe result = floats(result, values[start + place]) }
          unsafe results[target] = result
        }
      }
    }
    emitCall(index, [x, y]) { network in
      outer.forEach { start, _, target in
        var result = first.integer
        inner.forEach { place, _, _ in
          result = integers(result, network.integer(x, start + place))
        }
        network.set(y, target, to: result)
      }
    }
  }

  /// Applies a function to each row of the last dimension.
  mutating func lowerRows(
    _ index: Int,
    _ function:
      @escaping @Sendable (
        UnsafeBufferPointer<Float>, UnsafeMutableBufferPointer<Float>
      ) -> Void
  ) throws(EngineError) {
    let x = try callInput(index, 0)
    try requireShape(try output(index), x.shape, index)
    let y = try callOutput(index)
    let columns = x.shape.last ?? 1
    emitCall(index, [x, y]) { network in
      let (values, results) = unsafe (
        UnsafeBufferPointer(network.floats(x)), network.floats(y)
      )
      for row in 0..<x.count / columns {
        unsafe function(
          values.part(row * columns, columns), results.part(row * columns, columns))
      }
    }
  }
}
