internal import QDEngine

/// Composite functions, and functions of comparisons.
extension ONNXImporter {
  private func isLast(_ x: Activation) -> Bool { x.isChannelsLast }

  mutating func apply(_ function: UnaryFunction, _ x: Activation) -> Activation {
    emit(.unary(function), [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast)
  }

  func number(_ number: Float) -> Value { Self.scalar(number) }

  /// A function by the name of its operator, of the node's first input; `nil` for an unknown name.
  mutating func named(_ kind: String) throws(ONNXError) -> Activation? {
    switch kind {
    case "Reciprocal", "Erf", "Gelu", "Softplus", "Softsign", "Mish", "Elu", "Celu", "Selu",
      "ThresholdedRelu", "Swish", "LogSoftmax", "Sum", "Mean":
      break
    default: return nil
    }
    let x = try activation(0)
    let data = Value.activation(x)
    switch kind {
    case "Reciprocal": return try binary(.divide, number(1), data)
    case "Erf": return try errorFunction(x)
    case "Gelu":
      let isApproximate = string("approximate", "none") == "tanh"
      return emit(
        code: 150, [x.tensor], shape: x.shape, options: [0: .bool(isApproximate)],
        isChannelsLast: x.isChannelsLast)
    case "Softplus": return try softplus(x)
    case "Softsign":
      let sum = try binary(.add, .activation(apply(.absolute, x)), number(1))
      return try binary(.divide, data, .activation(sum))
    case "Mish":
      return try binary(.multiply, data, .activation(apply(.tanh, try softplus(x))))
    case "Elu": return try elu(x, alpha: float("alpha", 1), scale: 1, slope: 1)
    case "Celu":
      let alpha = float("alpha", 1)
      return try elu(x, alpha: alpha, scale: 1 / alpha, slope: 1)
    case "Selu":
      let gamma = float("gamma", 1.050701)
      return try elu(x, alpha: gamma * float("alpha", 1.6732632), scale: 1, slope: gamma)
    case "ThresholdedRelu":
      let mask = try mask(.init(kind: .greater, [data, number(float("alpha", 1))], x.shape))
      return try binary(.multiply, data, .activation(mask))
    case "Swish":
      let scaled = try binary(.multiply, data, number(float("alpha", 1)))
      return try binary(.multiply, data, .activation(apply(.logistic, scaled)))
    case "LogSoftmax": return try softmax(x, isLogarithm: true)
    default:
      var sum = x
      for position in node.inputs.indices.dropFirst() {
        sum = try binary(.add, .activation(sum), try value(position))
      }
      if kind == "Sum" { return sum }
      return try binary(.multiply, .activation(sum), number(1 / Float(node.inputs.count)))
    }
  }

  /// 1 - (a1 t + ... + a5 t⁵) e^(-x²) with t = 1 / (1 + p |x|), and the sign of x: Abramowitz and
  /// Stegun 7.1.26, within 1.5e-7.
  private mutating func errorFunction(_ x: Activation) throws(ONNXError) -> Activation {
    let size = apply(.absolute, x)
    let scaled = try binary(.multiply, .activation(size), number(0.327_591_1))
    let sum = try binary(.add, .activation(scaled), number(1))
    let t = try binary(.divide, number(1), .activation(sum))
    var power = try binary(.multiply, .activation(t), number(1.061_405_429))
    for coefficient: Float in [-1.453_152_027, 1.421_413_741, -0.284_496_736, 0.254_829_592] {
      power = try binary(.add, .activation(power), number(coefficient))
      power = try binary(.multiply, .activation(power), .activation(t))
    }
    let bell = apply(.exponential, apply(.negate, apply(.square, x)))
    let rest = try binary(.multiply, .activation(power), .activation(bell))
    let result = try binary(.subtract, number(1), .activation(rest))
    let sign = emit(code: 158, [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast)
    return try binary(.multiply, .activation(result), .activation(sign))
  }

  /// max(x, 0) + ln(1 + e^-|x|)
  mutating func softplus(_ x: Activation) throws(ONNXError) -> Activation {
    let small = apply(.exponential, apply(.negate, apply(.absolute, x)))
    let rest = logarithm(try binary(.add, .activation(small), number(1)))
    return try binary(.add, .activation(apply(.relu, x)), .activation(rest))
  }

  mutating func logarithm(_ x: Activation) -> Activation {
    emit(code: 73, [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast)
  }

  /// `slope` x above zero, `alpha` (e^(`scale` x) - 1) below.
  mutating func elu(
    _ x: Activation, alpha: Float, scale: Float, slope: Float
  ) throws(ONNXError) -> Activation {
    if alpha == 1, scale == 1, slope == 1 { return apply(.elu, x) }
    let below = try binary(.minimum, .activation(x), number(0))
    let scaled = scale == 1 ? below : try binary(.multiply, .activation(below), number(scale))
    let curve = try binary(.multiply, .activation(apply(.elu, scaled)), number(alpha))
    let above = apply(.relu, x)
    let line = slope == 1 ? above : try binary(.multiply, .activation(above), number(slope))
    return try binary(.add, .activation(line), .activation(curve))
  }

  // MARK: Conditions

  /// A comparison of two values, or a combination of conditions.
  struct Condition {
    var kind: Kind
    var operands: [Value]
    var shape: [Int]

    enum Kind { case equal, greater, greaterOrEqual, not, and, or, xor }

    init(kind: Kind, _ operands: [Value], _ shape: [Int]) {
      self.kind = kind
      self.operands = operands
      self.shape = shape
    }
  }

  mutating func convertCondition() throws(ONNXError) {
    let a = try value(0)
    guard node.kind != "Not" else {
      return set(Condition(kind: .not, [a], a.shape))
    }
    let b = try value(1)
    let shape = try Self.spread(a.shape, b.shape, self)
    switch node.kind {
    case "Greater": set(Condition(kind: .greater, [a, b], shape))
    case "GreaterOrEqual": set(Condition(kind: .greaterOrEqual, [a, b], shape))
    case "Less": set(Condition(kind: .greater, [b, a], shape))
    case "LessOrEqual": set(Condition(kind: .greaterOrEqual, [b, a], shape))
    case "And": set(Condition(kind: .and, [a, b], shape))
    case "Or": set(Condition(kind: .or, [a, b], shape))
    case "Xor": set(Condition(kind: .xor, [a, b], shape))
    default: set(Condition(kind: .equal, [a, b], shape))
    }
  }

  private mutating func set(_ condition: Condition) {
    if let output = node.outputs.first { values[output] = .condition(condition) }
  }

  /// 1 where the condition holds, else 0.
  mutating func mask(_ condition: Condition) throws(ONNXError) -> Activation {
    let result = try truth(condition)
    return emit(.cast, [result.tensor], shape: result.shape)
  }

  /// The condition as booleans.
  mutating func truth(_ condition: Condition) throws(ONNXError) -> Activation {
    let operands = condition.operands
    let code: Int
    switch condition.kind {
    case .greater: code = 61
    case .greaterOrEqual: code = 62
    case .equal: code = 71
    case .not: code = 87
    case .and: code = 86
    case .or: code = 84
    case .xor: code = 72
    }
    let isLogical = ![.greater, .greaterOrEqual, .equal].contains(condition.kind)
    let type: ElementType = isLogical ? .bool : integerType(operands) ?? .float32
    var inputs: [Int?] = []
    for operand in operands {
      var input = try tensor(operand, like: type)
      if graph.tensors[input].type != type {
        guard type == .float32 || graph.tensors[input].type == .bool else {
          throw unsupported("it compares \(graph.tensors[input].type) with \(type)")
        }
        input = emit(.cast, [input], shape: operand.shape, type: type).tensor
      }
      inputs.append(input)
    }
    return emit(code: code, inputs, shape: condition.shape, type: .bool)
  }

  mutating func convertWhere() throws(ONNXError) {
    let (a, b) = (try value(1), try value(2))
    if case .condition(let condition) = try value(0),
      let result = try parametric(condition, a, b)
    {
      return set(result)
    }
    let shape = try Self.spread(
      try Self.spread(try value(0).shape, a.shape, self), b.shape, self)
    let choice = try tensor(try value(0), like: .bool)
    let type = integerType([a, b]) ?? .float32
    let inputs = [choice, try tensor(a, like: type), try tensor(b, like: type)]
    guard graph.tensors[choice].type == .bool,
      inputs[1...].allSatisfy({ graph.tensors[$0].type == type })
    else { throw unsupported("its inputs are of different types") }
    set(emit(code: 123, inputs, shape: shape, type: type))
  }

  /// x where x is positive, else x times a constant: a PRELU.
  private mutating func parametric(
    _ condition: Condition, _ a: Value, _ b: Value
  ) throws(ONNXError) -> Activation? {
    guard condition.kind == .greater || condition.kind == .greaterOrEqual,
      case .activation(let x) = condition.operands[0],
      case .constant(let limit) = condition.operands[1], limit.floats.allSatisfy({ $0 == 0 }),
      case .activation(let above) = a, above.tensor == x.tensor,
      case .activation(let below) = b, below.shape == x.shape,
      let slope = slopes[below.tensor], slope.source == x.tensor,
      try Self.spread(x.shape, slope.factor.shape, self) == x.shape
    else { return nil }
    return try parametric(x, slope: slope.factor)
  }

  mutating func convertCast() throws(ONNXError) {
    let types: [Int: ElementType] = [
      1: .float32, 10: .float32, 11: .float32, 16: .float32, 6: .int32, 7: .int64, 9: .bool,
    ]
    guard let type = types[integer("to", 1)] else {
      throw unsupported("it casts to the element type \(integer("to", 1))")
    }
    let x = try activation(0)
    if self.type(x) == type { return set(x) }
    set(
      emit(.cast, [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast, type: type))
  }
}
