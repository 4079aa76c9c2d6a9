extension OperatorProperties {
  /// Comparisons, and functions of booleans.
  static let comparisons: [OperatorProperties] = [
    comparison(71, "EQUAL", options: 53, { $0 == $1 }, { $0 == $1 }),
    comparison(61, "GREATER", options: 44, { $0 > $1 }, { $0 > $1 }),
    comparison(62, "GREATER_EQUAL", options: 45, { $0 >= $1 }, { $0 >= $1 }),
    comparison(58, "LESS", options: 41, { $0 < $1 }, { $0 < $1 }),
    comparison(63, "LESS_EQUAL", options: 46, { $0 <= $1 }, { $0 <= $1 }),
    comparison(72, "NOT_EQUAL", options: 54, { $0 != $1 }, { $0 != $1 }),
    comparison(86, "LOGICAL_AND", options: 62, { $0 != 0 && $1 != 0 }),
    comparison(84, "LOGICAL_OR", options: 60, { $0 != 0 || $1 != 0 }),
    .builtin(
      87, "LOGICAL_NOT", types: .any, options: OptionLayout(63),
      lower: { lowering, index, _ throws(EngineError) in
        try lowering.lowerIntegerMapping(index) { $0 == 0 ? 1 : 0 }
      }),
  ]

  private static func comparison(
    _ code: Int, _ name: String, options: UInt8,
    _ integers: @escaping @Sendable (Int, Int) -> Bool,
    _ floats: (@Sendable (Float, Float) -> Bool)? = nil
  ) -> OperatorProperties {
    .builtin(
      code, name, types: .any, options: OptionLayout(options),
      lower: { lowering, index, _ throws(EngineError) in
        try lowering.lowerComparison(index, integers, floats)
      })
  }
}

extension Lowering {
  /// A comparison of two integers or two floats.
  mutating func lowerComparison(
    _ index: Int, _ integers: @escaping @Sendable (Int, Int) -> Bool,
    _ floats: (@Sendable (Float, Float) -> Bool)?
  ) throws(EngineError) {
    let (a, b, y) = try pairOperands(index)
    try requireType(index, y, .bool)
    let nest = try pairs(index, a, b, y)
    if a.type == .float32 {
      guard let floats else { throw unsupported(index, "it does not take \(a.type)") }
      return emitCall(index, [a, b, y]) { network in
        let (left, right) = unsafe (network.floats(a), network.floats(b))
        let result = unsafe network.bytes(y)
        nest.forEach { i, j, k in
          unsafe result[k] = floats(left[i], right[j]) ? 1 : 0
        }
      }
    }
    emitCall(index, [a, b, y]) { network in
      nest.forEach { i, j, k in
        network.set(y, k, to: integers(network.integer(a, i), network.integer(b, j)) ? 1 : 0)
      }
    }
  }

  /// Two inputs and the output that they give.
  private mutating func pairOperands(
    _ index: Int
  ) throws(EngineError) -> (CallOperand, CallOperand, CallOperand) {
    let (a, b) = (try callInput(index, 0), try callInput(index, 1))
    try requireShape(try output(index), try broadcast(a.shape, b.shape, index), index)
    return (a, b, try callOutput(index))
  }

  /// The pairs of elements of two broadcast operands, and the destination of each result.
  func pairs(
    _ index: Int, _ a: CallOperand, _ b: CallOperand, _ y: CallOperand
  ) throws(EngineError) -> Nest {
    guard a.type == b.type else { throw unsupported(index, "it is of \(a.type) and \(b.type)") }
    let extents = try broadcast(a.shape, b.shape, index)
    guard extents == y.shape else {
      throw wrongShape(index, "its output is \(y.shape), not \(extents)")
    }
    return Nest(
      extents: extents, a: strides(a.shape, in: extents), b: strides(b.shape, in: extents),
      y: denseStrides(extents))
  }

  /// A unary function of integers or booleans.
  mutating func lowerIntegerMapping(
    _ index: Int, _ function: @escaping @Sendable (Int) -> Int
  ) throws(EngineError) {
    let x = try callInput(index, 0)
    try requireShape(try output(index), x.shape, index)
    let y = try callOutput(index)
    guard x.type == y.type, x.type.isInteger else {
      throw unsupported(index, "it is of \(x.type) and \(y.type)")
    }
    emitCall(index, [x, y]) { network in
      for i in 0..<y.count { network.set(y, i, to: function(network.integer(x, i))) }
    }
  }

  /// A binary function of integers.
  mutating func lowerIntegerPairs(
    _ index: Int, _ function: @escaping @Sendable (Int, Int) -> Int
  ) throws(EngineError) {
    let (a, b, y) = try pairOperands(index)
    guard a.type == y.type, a.type.isInteger else {
      throw unsupported(index, "it is of \(a.type) and \(y.type)")
    }
    let nest = try pairs(index, a, b, y)
    emitCall(index, [a, b, y]) { network in
      nest.forEach { i, j, k in
        network.set(y, k, to: function(network.integer(a, i), network.integer(b, j)))
      }
    }
  }

  /// A binary function of floats without a kernel.
  mutating func lowerFloatPairs(
    _ index: Int, _ function: @escaping @Sendable (Float, Float) -> Float
  ) throws(EngineError) {
    let (a, b, y) = try pairOperands(index)
    try requireType(index, y, .float32)
    try requireType(index, a, .float32)
    let nest = try pairs(index, a, b, y)
    emitCall(index, [a, b, y]) { network in
      let (left, right) = unsafe (network.floats(a), network.floats(b))
      let result = unsafe network.floats(y)
      nest.forEach { i, j, k in
        unsafe result[k] = function(left[i], right[j])
      }
    }
  }
}
