internal import QDKernels

extension Lowering {
  // MARK: Activations

  /// The final output of an operator, and the activation to apply: its own, and those of fused
  /// clamps.
  func fused(
    _ index: Int, _ output: Int, _ activation: Activation
  ) -> (tensor: Int, range: ClosedRange<Float>, tanh: Bool) {
    if activation == .tanh { return (output, Self.unclamped, true) }
    let range = activation.range
    if isQuantized(output) {
      guard plan.views[index] == .unscaled, case .float(let scale)? = sumScale(index),
        let form = try? integerForm(output)
      else { return (output, range, false) }
      // Limits of values without the scale.
      let unit = scale * form.scale
      return (output, range.lowerBound / unit...range.upperBound / unit, false)
    }
    guard let fused = plan.activations.byOperator[index] else { return (output, range, false) }
    return (fused.tensor, fused.range, false)
  }

  static let unclamped: ClosedRange<Float> = -Float.infinity...Float.infinity

  mutating func emitTanh(_ value: Value, count: Int) {
    let address = address(value)
    emit(
      .unary(Step.Unary(function: .tanh, source: address, destination: address, count: count)),
      touching: [value.storage])
  }

  // MARK: Operators

  mutating func lowerUnary(_ index: Int, _ function: UnaryFunction) throws(EngineError) {
    if isPlain(try input(index, 0)) {
      switch function {
      case .absolute: return try lowerIntegerMapping(index) { $0 < 0 ? 0 &- $0 : $0 }
      case .negate: return try lowerIntegerMapping(index) { 0 &- $0 }
      default: throw unsupported(index, "it does not take integers")
      }
    }
    try lowerUnary(index, function.kernel)
  }

  /// A unary function without a kernel.
  mutating func lowerMapping(
    _ index: Int, _ function: @escaping @Sendable (Float) -> Float
  ) throws(EngineError) {
    try requireShape(try output(index), shape(try input(index, 0)), index)
    if isStored(index) { return try lowerTable(index) }
    let (x, y) = (try callInput(index, 0), try callOutput(index))
    emitCall(index, [x, y]) { network in
      let (source, target) = unsafe (network.floats(x), network.floats(y))
      for place in 0..<x.count { unsafe target[place] = function(source[place]) }
    }
  }

  mutating func lowerUnary(_ index: Int, _ function: Elementwise.Unary) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    try requireShape(output, shape(input), index)
    if isStored(index) { return try lowerTable(index) }
    let source = try value(of: input, for: index)
    let destination = try destination(output, for: index)
    emit(
      .unary(
        Step.Unary(
          function: function, source: address(source), destination: address(destination),
          count: try elementCount(output))),
      touching: [source.storage, destination.storage])
  }

  mutating func lowerBinary(
    _ index: Int, _ function: Elementwise.Binary, _ activation: Activation
  ) throws(EngineError) {
    let left = try input(index, 0)
    let right = try input(index, 1)
    let output = try output(index)
    let extents = try broadcast(shape(left), shape(right), index)
    try requireShape(output, extents, index)
    if isPlain(output) { return try lowerPlainBinary(index, function, activation) }
    let nest = Nest(
      extents: extents, a: strides(shape(left), in: extents), b: strides(shape(right), in: extents),
      y: denseStrides(extents))
    if isStored(index) { return try lowerIntegerBinary(index, nest) }
    let a = try value(of: left, for: index)
    let b = try value(of: right, for: index)
    let (tensor, range, tanh) = fused(index, output, activation)
    let y = try destination(tensor, for: index)
    emit(
      .binary(
        Step.Binary(a: address(a), b: address(b), to: address(y), nest), function, range: range),
      touching: [a.storage, b.storage, y.storage])
    if tanh { emitTanh(y, count: try elementCount(tensor)) }
  }

  func broadcast(_ left: [Int], _ right: [Int], _ index: Int) throws(EngineError) -> [Int] {
    let rank = max(left.count, right.count)
    let a = Array(repeating: 1, count: rank - left.count) + left
    let b = Array(repeating: 1, count: rank - right.count) + right
    guard zip(a, b).allSatisfy({ $0 == $1 || $0 == 1 || $1 == 1 }) else {
      throw wrongShape(index, "the shapes \(left) and \(right) do not go together")
    }
    return zip(a, b).map { max($0, $1) }
  }

  /// Strides of an operand that is broadcast along the dimensions that it lacks.
  func strides(_ shape: [Int], in extents: [Int]) -> [Int] {
    let strides = zip(shape, denseStrides(shape)).map { $0 == 1 ? 0 : $1 }
    return Array(repeating: 0, count: extents.count - shape.count) + strides
  }

  mutating func lowerSoftmax(_ index: Int, _ beta: Float) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    try requireShape(output, shape(input), index)
    let source = try value(of: input, for: index)
    let destination = try destination(output, for: index)
    let columns = shape(input).last ?? 1
    emit(
      .softmax(
        Step.Softmax(
          source: address(source), destination: address(destination),
          rows: try elementCount(input) / columns, columns: columns, beta: beta)),
      touching: [source.storage, destination.storage])
  }

  /// Means over dimensions, or sums.
  mutating func lowerMean(
    _ index: Int, _ keepsDimensions: Bool, isSum: Bool = false
  ) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let extents = shape(input)
    let (reduced, _) = try reducedAxes(index, extents, keepsDimensions: keepsDimensions)
    var source = try value(of: input, for: index)
    let destination = try destination(output, for: index)
    let count = reduced.reduce(1) { $0 * extents[$1] }
    var inner = 1
    var axis = extents.count
    while axis > 0, !reduced.contains(axis - 1) {
      axis -= 1
      inner *= extents[axis]
    }
    let block = extents[..<axis].indices.reversed().prefix { reduced.contains($0) }
    if block.count != reduced.count {
      // The axes are not adjacent: move them to the end first.
      let order = extents.indices.filter { !reduced.contains($0) } + reduced.sorted()
      source = try transposed(source, extents, order)
      inner = 1
    }
    let outer = try elementCount(output) / inner
    emit(
      .sum(
        Step.Sum(
          source: address(source), destination: address(destination), outer: outer,
          reduced: count, inner: inner,
          factor: isSum || plan.views[index] == .unscaled ? 1 : 1 / Float(count))),
      touching: [source.storage, destination.storage])
  }

  mutating func transposed(
    _ source: Value, _ extents: [Int], _ order: [Int]
  ) throws(EngineError) -> Value {
    let strides = denseStrides(extents, elementSize: 4)
    let result = order.map { extents[$0] }
    let value = Value(
      storage: try newStorage(.scratch, byteCount: try checkedProduct([4] + extents)))
    emitCopy(
      address(source), address(value), extents: result, from: order.map { strides[$0] },
      to: denseStrides(result, elementSize: 4))
    return value
  }
}

extension Activation {
  /// The range to which the activation clamps; infinite for `tanh`, which is no clamp.
  var range: ClosedRange<Float> {
    switch self {
    case .none, .tanh: -Float.infinity...Float.infinity
    case .relu: 0...Float.infinity
    case .reluN1To1: -1...1
    case .relu6: 0...6
    }
  }
}

extension Step.Binary {
  /// Over a whole nest.
  init(a: Address, b: Address, to destination: Address, _ nest: Nest) {
    var outer = nest
    let columns = outer.removeInnermost()
    let rows = outer.removeInnermost()
    self.init(
      a: a, b: b, destination: destination, nest: outer, rows: rows, columns: columns)
  }
}
