extension OperatorProperties {
  /// Elements selected by booleans, and indices of the maximum and minimum.
  static let selections: [OperatorProperties] = [
    .builtin(
      64, "SELECT", .moves, types: .any, options: OptionLayout(47),
      lower: { lowering, index, _ throws(EngineError) in try lowering.lowerSelect(index) }
    ).selecting(),
    .builtin(
      123, "SELECT_V2", .moves, types: .any, options: OptionLayout(98),
      lower: { lowering, index, _ throws(EngineError) in try lowering.lowerSelect(index) }
    ).selecting(),
    .builtin(
      56, "ARG_MAX", types: .any, options: OptionLayout(40, [.byte]),
      lower: { lowering, index, _ throws(EngineError) in
        try lowering.lowerArgument(index, isMaximum: true)
      }),
    .builtin(
      79, "ARG_MIN", types: .any, options: OptionLayout(57, [.byte]),
      lower: { lowering, index, _ throws(EngineError) in
        try lowering.lowerArgument(index, isMaximum: false)
      }),
    .builtin(
      48, "TOPK_V2", types: .any, options: OptionLayout(34),
      lower: { lowering, index, _ throws(EngineError) in try lowering.lowerTop(index) }),
  ]

  /// The row of an operator that moves its second and third input.
  private func selecting() -> OperatorProperties { moving([1, 2]) }
}

extension Lowering {
  mutating func lowerSelect(_ index: Int) throws(EngineError) {
    let condition = try callInput(index, 0)
    let (a, b) = (try callInput(index, 1), try callInput(index, 2))
    try requireType(index, condition, .bool)
    // SELECT may have one boolean for each row.
    let isByRow =
      graph.operators[index].kind.name == "SELECT" && condition.shape.count == 1
      && a.shape.count > 1
    let chosen =
      isByRow
      ? condition.shape + Array(repeating: 1, count: a.shape.count - 1) : condition.shape
    let extents = try broadcast(try broadcast(a.shape, b.shape, index), chosen, index)
    try requireShape(try output(index), extents, index)
    let y = try callOutput(index)
    let (c, left, right) = (
      strides(chosen, in: extents), strides(a.shape, in: extents), strides(b.shape, in: extents)
    )
    let size = y.type.size
    emitCall(index, [condition, a, b, y]) { network in
      let conditions = unsafe network.bytes(condition)
      let (x, z, result) = unsafe (network.bytes(a), network.bytes(b), network.bytes(y))
      for element in 0..<y.count {
        var (rest, ofC, ofA, ofB) = (element, 0, 0, 0)
        for axis in extents.indices.reversed() {
          let place = rest % extents[axis]
          rest /= extents[axis]
          ofC += place * c[axis]
          ofA += place * left[axis]
          ofB += place * right[axis]
        }
        let isFirst = unsafe conditions[ofC] != 0
        for byte in 0..<size {
          unsafe result[element * size + byte] =
            isFirst ? x[ofA * size + byte] : z[ofB * size + byte]
        }
      }
    }
  }

  /// The index of the maximum or minimum along a dimension, the first of equals.
  mutating func lowerArgument(_ index: Int, isMaximum: Bool) throws(EngineError) {
    let x = try callInput(index, 0)
    guard let first = try integers(try input(index, 1)).first else {
      throw invalid(index, "it has no axis")
    }
    let axis = try normalized(first, rank: x.shape.count, index)
    try requireShape(try output(index), Array(x.shape[..<axis]) + x.shape[(axis + 1)...], index)
    let y = try callOutput(index)
    try requireType(index, y, .int32, .int64)
    let (extent, inner) = (x.shape[axis], x.extent(axis + 1..<x.shape.count))
    emitCall(index, [x, y]) { network in
      for element in 0..<y.count {
        let start = element / inner * extent * inner + element % inner
        var best = 0
        for place in 1..<max(extent, 1) {
          let (new, old) = (start + place * inner, start + best * inner)
          let isBetter: Bool
          if x.type == .float32 {
            let values = unsafe network.floats(x)
            isBetter = unsafe isMaximum ? values[new] > values[old] : values[new] < values[old]
          } else {
            let (value, known) = (network.integer(x, new), network.integer(x, old))
            isBetter = isMaximum ? value > known : value < known
          }
          if isBetter { best = place }
        }
        network.set(y, element, to: best)
      }
    }
  }

  /// The greatest elements of each row in falling order, the first of equals first, and their
  /// indices.
  mutating func lowerTop(_ index: Int) throws(EngineError) {
    let x = try callInput(index, 0)
    guard let count = try integers(try input(index, 1)).first, let columns = x.shape.last,
      (1...columns).contains(count), graph.operators[index].outputs.count == 2
    else { throw invalid(index, "it takes more than \(x.shape) has") }
    for output in graph.operators[index].outputs {
      try requireShape(output, Array(x.shape.dropLast()) + [count], index)
    }
    let (values, places) = (try callOutput(index, 0), try callOutput(index, 1))
    try requireType(index, places, .int32, .int16)
    guard values.type == x.type else {
      throw unsupported(index, "it is of \(x.type) and \(values.type)")
    }
    let size = x.type.size
    emitCall(index, [x, values, places]) { network in
      let (source, target) = unsafe (network.bytes(x), network.bytes(values))
      for row in 0..<x.count / columns {
        var last = -1
        for rank in 0..<count {
          var best = -1
          for column in row * columns..<(row + 1) * columns
          where
            (last < 0 || network.isBefore(x, last, column))
            && (best < 0 || network.isBefore(x, column, best))
          {
            best = column
          }
          // Only NaNs compare with nothing.
          if best < 0 { best = row * columns + rank }
          last = best
          let element = row * count + rank
          network.set(places, element, to: best - row * columns)
          for byte in 0..<size {
            unsafe target[element * size + byte] = source[best * size + byte]
          }
        }
      }
    }
  }
}

extension Network {
  /// Whether an element is greater than another one, or equal and before it.
  fileprivate func isBefore(_ x: CallOperand, _ a: Int, _ b: Int) -> Bool {
    if x.type == .float32 {
      let numbers = unsafe floats(x)
      return unsafe numbers[a] > numbers[b] || (numbers[a] == numbers[b] && a < b)
    }
    let (left, right) = (integer(x, a), integer(x, b))
    return left > right || (left == right && a < b)
  }
}
