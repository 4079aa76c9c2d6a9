internal import Engine

extension ONNXImporter {
  /// Appends what the node at hand does.
  mutating func convert() throws(ONNXError) {
    guard node.domain.isEmpty || node.domain == "ai.onnx" else {
      throw unsupported("it belongs to the domain \(node.domain)")
    }
    if try fold() { return }
    switch node.kind {
    case "QuantizeLinear": try convertQuantize()
    case "DequantizeLinear": try convertDequantize()
    case "Conv": try convertConvolution()
    case "ConvTranspose": try convertTransposeConvolution()
    case "Gemm": try convertGemm()
    case "MatMul": try convertMatMul()
    case "BatchNormalization": try convertBatchNormalization()
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
    case "Elu" where float("alpha", 1) == 1: try convertUnary(.unary(.elu))
    case "Abs": try convertUnary(.unary(.absolute))
    case "Neg": try convertUnary(.unary(.negate))
    case "Sqrt": try convertUnary(.unary(.squareRoot))
    case "Exp": try convertUnary(.unary(.exponential))
    case "LeakyRelu": try convertUnary(.leakyReLU(alpha: float("alpha", 0.01)))
    case "PRelu": try convertPReLU()
    case "Clip": try convertClip()
    case "HardSigmoid": try convertHardSigmoid()
    case "Softmax": try convertSoftmax()
    case "MaxPool": try convertPool(isMaximum: true)
    case "AveragePool": try convertPool(isMaximum: false)
    case "GlobalAveragePool": try convertMean(axes: [2, 3], keepsDimensions: true)
    case "ReduceMean": try convertReduceMean()
    case "Concat": try convertConcatenation()
    case "Slice": try convertSlice()
    case "Split": try convertSplit()
    case "Gather": try convertGather()
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze": try convertReshape()
    case "Transpose": try convertTranspose()
    case "Pad": try convertPad()
    case "Resize", "Upsample": try convertResize()
    case "GRU": try convertGRU()
    case "LSTM": try convertLSTM()
    case "Identity", "Dropout", "Cast": values[node.outputs[0]] = try value(0)
    default: throw unsupported("there is no operator for it")
    }
  }

  // MARK: Constants

  /// Computes the node now if all of its inputs are known: shapes, as exporters compute them.
  private mutating func fold() throws(ONNXError) -> Bool {
    switch node.kind {
    case "Constant":
      switch node.attributes.values.first {
      case .constant(let constant)?: set(constant)
      case .float(let value)?: set(.init(shape: [], values: .floats([value])))
      case .floats(let list)?: set(.init(shape: [list.count], values: .floats(list)))
      case .integer(let value)?: set(.init(shape: [], values: .integers([value])))
      case .integers(let list)?: set(.init(shape: [list.count], values: .integers(list)))
      default: throw unsupported("its value is no tensor")
      }
      return true
    case "Shape":
      let shape: [Int]
      switch try value(0) {
      case .constant(let constant): shape = constant.shape
      case .activation(let activation): shape = activation.shape
      }
      let range = max(0, integer("start", 0))..<min(shape.count, integer("end", shape.count))
      set(.init(shape: [range.count], values: .integers(Array(shape[range]))))
      return true
    case "ConstantOfShape":
      var value = ONNXModel.Constant(shape: [], values: .floats([0]))
      if case .constant(let constant)? = node.attributes["value"] { value = constant }
      set(try spread(value, over: try integers(0)))
      return true
    case "Expand":
      guard case .constant(let constant) = try value(0) else { return false }
      set(try spread(constant, over: try integers(1)))
      return true
    default: return try foldIntegers()
    }
  }

  private mutating func foldIntegers() throws(ONNXError) -> Bool {
    let inputs = node.inputs.compactMap { values[$0] }.compactMap { value in
      if case .constant(let constant) = value { constant } else { nil }
    }
    guard inputs.count == node.inputs.count, let first = inputs.first?.integers else {
      return false
    }
    let shape = inputs[0].shape
    func set(_ list: [Int], _ shape: [Int]? = nil) {
      self.set(.init(shape: shape ?? [list.count], values: .integers(list)))
    }
    switch node.kind {
    case "Cast" where integer("to", 1) == 1:
      self.set(.init(shape: shape, values: .floats(first.map { Float($0) })))
    case "Cast", "Identity": set(first, shape)
    case "Unsqueeze", "Squeeze":
      set(first, node.kind == "Unsqueeze" && shape.isEmpty ? [1] : first.count == 1 ? [] : shape)
    case "Reshape": set(first, try reshape(shape, to: try integers(1)))
    case "Transpose":
      let order = integers("perm") ?? Array(shape.indices.reversed())
      guard order.sorted() == Array(shape.indices) else { return false }
      set(permuted(first, shape, order), order.map { shape[$0] })
    case "Concat": set(inputs.flatMap { $0.integers ?? [] })
    case "Gather":
      guard shape.count == 1, let places = inputs[1].integers else { return false }
      let list = places.map { $0 < 0 ? $0 + first.count : $0 }
      guard list.allSatisfy(first.indices.contains) else {
        throw unsupported("an index is outside of its input")
      }
      set(list.map { first[$0] }, inputs[1].shape)
    case "Slice": return try foldSlice(first, shape)
    case "Add", "Sub", "Mul", "Div":
      guard let second = inputs[1].integers, second.count == first.count || second.count == 1 else {
        return false
      }
      set(
        first.enumerated().map { index, value in
          let other = second[second.count == 1 ? 0 : index]
          switch node.kind {
          case "Add": return value &+ other
          case "Sub": return value &- other
          case "Mul": return value &* other
          default: return other == 0 ? 0 : value / other
          }
        }, shape)
    default: return false
    }
    return true
  }

  /// Rows of integers, forwards or backwards.
  private mutating func foldSlice(_ values: [Int], _ shape: [Int]) throws(ONNXError) -> Bool {
    let axes = has(3) ? try integers(3) : [0]
    guard let rows = shape.first, rows > 0, model.operatorSet >= 10, axes == [0],
      let start = try integers(1).first, let end = try integers(2).first
    else { return false }
    let step = has(4) ? try integers(4).first ?? 1 : 1
    func clamped(_ value: Int, _ range: ClosedRange<Int>) -> Int {
      min(max(value < 0 ? value &+ rows : value, range.lowerBound), range.upperBound)
    }
    let taken: [Int]
    if step > 0 {
      taken = Array(stride(from: clamped(start, 0...rows), to: clamped(end, 0...rows), by: step))
    } else {
      let last = end < -rows ? -1 : clamped(end, -1...rows - 1)
      taken = Array(stride(from: clamped(start, -1...rows - 1), to: last, by: min(step, -1)))
    }
    let size = values.count / rows
    set(
      .init(
        shape: [taken.count] + shape.dropFirst(),
        values: .integers(taken.flatMap { values[$0 * size..<($0 + 1) * size] })))
    return true
  }

  /// A constant of one element in another shape.
  private func spread(
    _ constant: ONNXModel.Constant, over shape: [Int]
  ) throws(ONNXError) -> ONNXModel.Constant {
    var count = 1
    for extent in shape {
      guard extent > 0, count <= (1 << 24) / extent else {
        throw unsupported("its shape is \(shape)")
      }
      count *= extent
    }
    if constant.shape == shape { return constant }
    guard constant.count == 1 else {
      throw unsupported("it spreads \(constant.shape) over \(shape)")
    }
    return switch constant.values {
    case .floats(let values):
      .init(shape: shape, values: .floats(Array(repeating: values[0], count: count)))
    case .integers(let values):
      .init(shape: shape, values: .integers(Array(repeating: values[0], count: count)))
    }
  }

  /// The elements that a slice of step 1 takes.
  static func bounds(_ start: Int, _ end: Int, _ extent: Int) -> Range<Int> {
    func clamped(_ value: Int) -> Int { min(max(value < 0 ? value &+ extent : value, 0), extent) }
    let lower = clamped(start)
    return lower..<max(lower, clamped(end))
  }

  // MARK: Elementwise

  private mutating func convertUnary(_ kind: OperatorKind) throws(ONNXError) {
    let x = try activation(0)
    set(emit(kind, [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast))
  }

  private mutating func convertBinary(_ function: BinaryFunction) throws(ONNXError) {
    guard node.inputs.count == 2 else { throw unsupported("it has \(node.inputs.count) inputs") }
    set(try binary(function, try value(0), try value(1)))
  }

  /// A function of two values, either of which may be spread over the other.
  mutating func binary(
    _ function: BinaryFunction, _ a: Value, _ b: Value
  ) throws(ONNXError) -> Activation {
    func shape(_ value: Value) -> [Int] {
      switch value {
      case .constant(let constant): constant.shape
      case .activation(let activation): activation.shape
      }
    }
    func isLast(_ value: Value) -> Bool {
      if case .activation(let activation) = value { activation.isChannelsLast } else { false }
    }
    let result = try spread(shape(a), shape(b))
    let operands = [a, b]
    // Fewer dimensions would be spread along others.
    let staysLast =
      operands.contains(where: isLast)
      && operands.allSatisfy { value in
        if case .constant = value { return shape(value).count <= result.count }
        return shape(value).count == result.count
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
      }
    }
    return emit(.binary(function, .none), inputs, shape: result, isChannelsLast: staysLast)
  }

  private func spread(_ a: [Int], _ b: [Int]) throws(ONNXError) -> [Int] {
    let rank = max(a.count, b.count)
    let left = Array(repeating: 1, count: rank - a.count) + a
    let right = Array(repeating: 1, count: rank - b.count) + b
    var result: [Int] = []
    for (x, y) in zip(left, right) {
      guard x == y || x == 1 || y == 1 else {
        throw unsupported("its inputs are \(a) and \(b)")
      }
      result.append(max(x, y))
    }
    return result
  }

  static func scalar(_ value: Float) -> Value {
    .constant(.init(shape: [], values: .floats([value])))
  }

  private mutating func convertPower() throws(ONNXError) {
    let exponent = try constant(1).floats
    let x = try activation(0)
    let function: UnaryFunction
    switch exponent {
    case [2]: function = .square
    case [0.5]: function = .squareRoot
    case [-0.5]: function = .reciprocalSquareRoot
    default: throw unsupported("its exponent is not 2, 0.5 or -0.5")
    }
    set(emit(.unary(function), [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast))
  }

  private mutating func convertPReLU() throws(ONNXError) {
    let x = try activation(0)
    let slope = try constant(1)
    if x.isChannelsLast || x.shape.count >= 3 && slope.count > 1 {
      let data = try channelsLast(x)
      let (values, _) = channelsLast(slope, rank: x.shape.count)
      guard values.count == 1 || values.count == x.shape[1] else {
        throw unsupported("its slope is \(slope.shape)")
      }
      let alpha = Array(repeating: values[0], count: x.shape[1])
      let place = floats(values.count == 1 ? alpha : values, [1, 1, x.shape[1]])
      set(emit(.prelu, [data.tensor, place], shape: x.shape, isChannelsLast: true))
    } else {
      guard let count = x.shape.last, slope.count == 1 || slope.count == count else {
        throw unsupported("its slope is \(slope.shape)")
      }
      let alpha = slope.count == 1 ? Array(repeating: slope.floats[0], count: count) : slope.floats
      let shape = Array(repeating: 1, count: max(0, x.shape.count - 2)) + [count]
      set(emit(.prelu, [x.tensor, floats(alpha, shape)], shape: x.shape))
    }
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
    let rank = x.shape.count
    let axis = try axis(integer("axis", model.operatorSet < 13 ? 1 : -1), rank: rank)
    if axis == rank - 1 {
      let data = plain(x)
      set(emit(.softmax(beta: 1), [data.tensor], shape: x.shape))
    } else if axis == 1, model.operatorSet >= 13 {
      let data = try channelsLast(x)
      set(emit(.softmax(beta: 1), [data.tensor], shape: x.shape, isChannelsLast: true))
    } else {
      throw unsupported("it is along axis \(axis) of \(rank)")
    }
  }

  // MARK: Means

  private mutating func convertReduceMean() throws(ONNXError) {
    let rank = try activation(0).shape.count
    let axes = has(1) ? try integers(1) : integers("axes") ?? Array(0..<rank)
    try convertMean(axes: axes, keepsDimensions: integer("keepdims", 1) != 0)
  }

  private mutating func convertMean(axes: [Int], keepsDimensions: Bool) throws(ONNXError) {
    let x = try activation(0)
    let rank = x.shape.count
    var chosen: Set<Int> = []
    for axis in axes where node.kind != "GlobalAveragePool" || axis < rank {
      chosen.insert(try self.axis(axis, rank: rank))
    }
    let data = keepsDimensions ? x : plain(x)
    let places = chosen.sorted().map { storedAxis($0, of: data) }.sorted()
    let shape = x.shape.enumerated().compactMap { index, extent in
      chosen.contains(index) ? (keepsDimensions ? 1 : nil) : extent
    }
    set(
      emit(
        .mean(keepsDimensions: keepsDimensions), [data.tensor, counts(places)], shape: shape,
        isChannelsLast: data.isChannelsLast))
  }
}
