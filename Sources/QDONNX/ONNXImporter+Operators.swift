internal import QDEngine

extension ONNXImporter {
  /// Appends the operators of the current node.
  mutating func convert() throws(ONNXError) {
    guard node.domain.isEmpty || node.domain == "ai.onnx" else {
      throw unsupported("it belongs to the domain \(node.domain)")
    }
    if try fold() { return }
    if try convertLayer() { return }
    if try convertFunction() { return }
    if try convertShape() { return }
    throw unsupported("there is no operator for it")
  }

  /// Products, recurrent layers, normalizations and the like.
  private mutating func convertLayer() throws(ONNXError) -> Bool {
    switch node.kind {
    case "QuantizeLinear": try convertQuantize()
    case "DequantizeLinear": try convertDequantize()
    case "Conv": try convertConvolution()
    case "ConvTranspose": try convertTransposeConvolution()
    case "Gemm": try convertGemm()
    case "MatMul": try convertMatMul()
    case "Einsum": try convertEinsum()
    case "BatchNormalization": try convertBatchNormalization()
    case "LayerNormalization": try convertLayerNormalization()
    case "InstanceNormalization": try convertInstanceNormalization()
    case "GroupNormalization": try convertGroupNormalization()
    case "MaxPool": try convertPool(isMaximum: true)
    case "AveragePool": try convertPool(isMaximum: false)
    case "RNN": try convertRNN()
    case "GRU": try convertGRU()
    case "LSTM": try convertLSTM()
    case "If": try convertIf()
    default: return try convertReduction()
    }
    return true
  }

  /// Elementwise functions.
  private mutating func convertFunction() throws(ONNXError) -> Bool {
    switch node.kind {
    case "Add": try convertBinary(.add)
    case "Sub": try convertBinary(.subtract)
    case "Mul": try convertBinary(.multiply)
    case "Div": try convertBinary(.divide)
    case "Max": try convertBinary(.maximum)
    case "Min": try convertBinary(.minimum)
    case "Pow": try convertPower()
    case "Relu": try convertUnary(.unary(.relu))
    case "Sigmoid": try convertUnary(.unary(.logistic))
    case "Tanh": try convertUnary(.unary(.tanh))
    case "HardSwish": try convertUnary(.unary(.hardSwish))
    case "Abs": try convertUnary(.unary(.absolute))
    case "Neg": try convertUnary(.unary(.negate))
    case "Sqrt": try convertUnary(.unary(.squareRoot))
    case "Exp": try convertUnary(.unary(.exponential))
    case "Log": try convertUnary(code: 73)
    case "Floor": try convertUnary(code: 8)
    case "Ceil": try convertUnary(code: 104)
    case "Round": try convertUnary(code: 116)
    case "Sign": try convertUnary(code: 158)
    case "Sin": try convertUnary(code: 66)
    case "Cos": try convertUnary(code: 108)
    case "ArgMax": try convertArgument(code: 56)
    case "ArgMin": try convertArgument(code: 79)
    case "LeakyRelu": try convertUnary(.leakyReLU(alpha: float("alpha", 0.01)))
    case "PRelu": try convertPReLU()
    case "Clip": try convertClip()
    case "HardSigmoid": try convertHardSigmoid()
    case "Softmax": try convertSoftmax()
    case "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Not", "And", "Or", "Xor":
      try convertCondition()
    case "Where": try convertWhere()
    case "Cast": try convertCast()
    default:
      guard let result = try named(node.kind) else { return false }
      set(result)
    }
    return true
  }

  /// Operators that move elements.
  private mutating func convertShape() throws(ONNXError) -> Bool {
    switch node.kind {
    case "Concat": try convertConcatenation()
    case "Slice": try convertSlice()
    case "Split": try convertSplit()
    case "Gather": try convertGather()
    case "ScatterND": try convertScatter()
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze": try convertReshape()
    case "Transpose": try convertTranspose()
    case "Expand": try convertExpand()
    case "Tile": try convertTile()
    case "Pad": try convertPad()
    case "Resize", "Upsample": try convertResize()
    case "DepthToSpace", "SpaceToDepth": try convertBlocks()
    case "Identity", "Dropout": values[node.outputs[0]] = try value(0)
    default: return false
    }
    return true
  }

  // MARK: Elementwise

  private mutating func convertUnary(_ kind: OperatorKind) throws(ONNXError) {
    let x = try activation(0)
    set(emit(kind, [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast))
  }

  private mutating func convertUnary(code: Int) throws(ONNXError) {
    let x = try activation(0)
    set(emit(code: code, [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast))
  }

  /// The index of the maximum or minimum along an axis, the first of equals.
  private mutating func convertArgument(code: Int) throws(ONNXError) {
    let x = plain(try activation(0))
    let axis = try axis(integer("axis", 0), rank: x.shape.count)
    guard integer("select_last_index", 0) == 0, axis < x.shape.count else {
      throw unsupported("it takes the last of equals")
    }
    var shape = x.shape
    shape.remove(at: axis)
    // Field 0: the type of the indices, int64.
    let places = emit(
      code: code, [x.tensor, counts([axis])], shape: shape, options: [0: .byte(4)], type: .int64)
    guard integer("keepdims", 1) != 0 else { return set(places) }
    shape.insert(1, at: axis)
    set(reshaped(places, shape))
  }

  private mutating func convertBinary(_ function: BinaryFunction) throws(ONNXError) {
    guard node.inputs.count > 1 else { return set(try activation(0)) }
    let (a, b) = (try value(0), try value(1))
    var result = try binary(function, a, b)
    switch (function, a, b) {
    case (.multiply, .activation(let x), .constant(let factor)),
      (.multiply, .constant(let factor), .activation(let x)):
      slopes[result.tensor] = (x.tensor, factor)
    default: break
    }
    for position in node.inputs.indices.dropFirst(2) {
      result = try binary(function, .activation(result), try value(position))
    }
    set(result)
  }

  /// A binary function, either operand of which may be broadcast over the other.
  mutating func binary(
    _ function: BinaryFunction, _ a: Value, _ b: Value
  ) throws(ONNXError) -> Activation {
    func isLast(_ value: Value) -> Bool {
      if case .activation(let activation) = value { activation.isChannelsLast } else { false }
    }
    let result = try Self.spread(a.shape, b.shape, self)
    let operands = [a, b]
    if let type = integerType(operands) {
      let inputs = [try tensor(a, like: type), try tensor(b, like: type)]
      return emit(.binary(function, .none), inputs, shape: result, type: type)
    }
    // An operand with fewer dimensions would be broadcast along others.
    let staysLast =
      operands.contains(where: isLast)
      && operands.allSatisfy { value in
        if case .constant = value { return value.shape.count <= result.count }
        return value.shape.count == result.count
      }
    var inputs: [Int?] = []
    for operand in operands {
      switch operand {
      case .constant(let constant) where staysLast:
        let (values, shape) = channelsLast(constant, rank: result.count)
        inputs.append(floats(values, shape))
      case .constant(let constant):
        inputs.append(floats(constant.floats, constant.shape))
      case .activation(let activation):
        inputs.append((staysLast ? try channelsLast(activation) : plain(activation)).tensor)
      case .condition(let condition):
        let mask = try mask(condition)
        inputs.append((staysLast ? try channelsLast(mask) : plain(mask)).tensor)
      }
    }
    return emit(.binary(function, .none), inputs, shape: result, isChannelsLast: staysLast)
  }

  /// The type of operands that are not floats.
  func integerType(_ operands: [Value]) -> ElementType? {
    for case .activation(let activation) in operands where type(activation) != .float32 {
      return type(activation)
    }
    return nil
  }

  static func scalar(_ value: Float) -> Value {
    .constant(.init(shape: [], values: .floats([value])))
  }

  private mutating func convertPower() throws(ONNXError) {
    let x = try activation(0)
    guard case .constant(let constant) = try value(1), constant.count == 1 else {
      return set(try power(x, try value(1)))
    }
    let exponent = constant.floats
    let function: UnaryFunction
    switch exponent {
    case [1]: return set(x)
    case [2]: function = .square
    case [3]:
      let square = emit(
        .unary(.square), [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast)
      return set(try binary(.multiply, .activation(square), .activation(x)))
    case [-1]: return set(try binary(.divide, Self.scalar(1), .activation(x)))
    case [0.5]: function = .squareRoot
    case [-0.5]: function = .reciprocalSquareRoot
    default: return set(try power(x, .constant(constant)))
    }
    set(emit(.unary(function), [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast))
  }

  /// A power with any exponent.
  private mutating func power(_ x: Activation, _ exponent: Value) throws(ONNXError) -> Activation {
    let shape = try Self.spread(x.shape, exponent.shape, self)
    let base = plain(x)
    let other = try tensor(exponent, like: .float32)
    guard type(base) == .float32, graph.tensors[other].type == .float32 else {
      throw unsupported("it is not of floats")
    }
    return emit(code: 78, [base.tensor, other], shape: shape)
  }

  private mutating func convertPReLU() throws(ONNXError) {
    set(try parametric(try activation(0), slope: try constant(1)))
  }

  /// max(x, 0) + slope min(x, 0).
  mutating func parametric(
    _ x: Activation, slope: Constant
  ) throws(ONNXError) -> Activation {
    guard try Self.spread(x.shape, slope.shape, self) == x.shape else {
      throw unsupported("its slope is \(slope.shape) for \(x.shape)")
    }
    let rank = x.shape.count
    let missing = Array(repeating: 1, count: rank - slope.shape.count)
    let extents = missing + slope.shape
    let varying = extents.indices.filter { extents[$0] != 1 }
    if slope.count == 1, !x.isChannelsLast, let count = x.shape.last {
      let alpha = Array(repeating: slope.floats[0], count: count)
      let shape = Array(repeating: 1, count: max(0, rank - 2)) + [count]
      return emit(.prelu, [x.tensor, floats(alpha, shape)], shape: x.shape)
    }
    if slope.count == 1 || varying == [1], rank == 3 || rank == 4 {
      let data = try channelsLast(x)
      let alpha =
        slope.count == 1
        ? Array(repeating: slope.floats[0], count: x.shape[1]) : slope.floats
      let place = floats(alpha, [1, 1, x.shape[1]])
      return emit(.prelu, [data.tensor, place], shape: x.shape, isChannelsLast: true)
    }
    if varying == [rank - 1] {
      let data = plain(x)
      let shape = Array(repeating: 1, count: max(0, rank - 2)) + [x.shape[rank - 1]]
      return emit(.prelu, [data.tensor, floats(slope.floats, shape)], shape: x.shape)
    }
    let above = emit(.unary(.relu), [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast)
    let below = try binary(.minimum, .activation(x), Self.scalar(0))
    let scaled = try binary(.multiply, .activation(below), .constant(slope))
    return try binary(.add, .activation(above), .activation(scaled))
  }

  private mutating func convertClip() throws(ONNXError) {
    if try clipQuantized() { return }
    let x = try activation(0)
    let lower = has(1) ? try constant(1).floats.first ?? 0 : float("min", -.infinity)
    let upper = has(2) ? try constant(2).floats.first ?? 0 : float("max", .infinity)
    let function: UnaryFunction? =
      switch (lower, upper) {
      case (0, 6): .relu6
      case (0, 1): .relu0To1
      case (-1, 1): .reluN1To1
      case (0, _) where upper > 3e38: .relu
      default: nil
      }
    if let function { return try convertUnary(.unary(function)) }
    var result = x
    if lower > -3e38 {
      result = try binary(.maximum, .activation(result), Self.scalar(lower))
    }
    if upper < 3e38 { result = try binary(.minimum, .activation(result), Self.scalar(upper)) }
    set(result)
  }

  private mutating func convertHardSigmoid() throws(ONNXError) {
    let scaled = try binary(
      .multiply, .activation(try activation(0)), Self.scalar(float("alpha", 0.2)))
    let sum = try binary(.add, .activation(scaled), Self.scalar(float("beta", 0.5)))
    set(
      emit(.unary(.relu0To1), [sum.tensor], shape: sum.shape, isChannelsLast: sum.isChannelsLast))
  }

  private mutating func convertSoftmax() throws(ONNXError) {
    let x = try activation(0)
    set(try softmax(x))
  }

  mutating func softmax(
    _ x: Activation, isLogarithm: Bool = false
  ) throws(ONNXError) -> Activation {
    let kind: OperatorKind =
      isLogarithm ? .builtin(code: 50, OptionFields()) : .softmax(beta: 1)
    let rank = x.shape.count
    let isOld = model.operatorSet < 13
    let axis = try axis(integer("axis", isOld ? 1 : -1), rank: rank)
    if axis == rank - 1 {
      let data = plain(x)
      return emit(kind, [data.tensor], shape: x.shape)
    }
    if isOld {
      let rows = [x.shape[..<axis].reduce(1, *), x.shape[axis...].reduce(1, *)]
      let flat = reshaped(x, rows)
      return reshaped(emit(kind, [flat.tensor], shape: rows), x.shape)
    }
    if axis == 1, rank == 3 || rank == 4 {
      let data = try channelsLast(x)
      return emit(kind, [data.tensor], shape: x.shape, isChannelsLast: true)
    }
    var order = Array(0..<rank)
    order.swapAt(axis, rank - 1)
    let moved = transposed(x, order)
    return transposed(emit(kind, [moved.tensor], shape: moved.shape), order)
  }
}
