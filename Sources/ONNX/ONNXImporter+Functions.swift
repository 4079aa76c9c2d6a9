internal import Engine

/// Functions that are made of others, and what depends on comparisons.
extension ONNXImporter {
  private func isLast(_ x: Activation) -> Bool { x.isChannelsLast }

  mutating func apply(_ function: UnaryFunction, _ x: Activation) -> Activation {
    emit(.unary(function), [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast)
  }

  /// TFLite's LOG.
  mutating func logarithm(_ x: Activation) -> Activation {
    emit(Self.log, [x.tensor], shape: x.shape, isChannelsLast: x.isChannelsLast)
  }

  static let log = OperatorKind.builtin(code: 73, OptionFields())

  func number(_ number: Float) -> Value { Self.scalar(number) }

  /// A function by the name of its operator, of the node's first input; `nil` for another name.
  mutating func named(_ kind: String) throws(ONNXError) -> Activation? {
    switch kind {
    case "Reciprocal", "Erf", "Gelu", "Softplus", "Softsign", "Mish", "Elu", "Celu", "Selu",
      "ThresholdedRelu", "Swish", "LogSoftmax", "Sum", "Mean", "Sign":
      break
    default: return nil
    }
    let x = try activation(0)
    let data = Value.activation(x)
    switch kind {
    case "Reciprocal": return try binary(.divide, number(1), data)
    case "Erf": return try errorFunction(x)
    case "Gelu": return try gelu(x)
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
    case "Sign": return try sign(x)
    case "LogSoftmax": return logarithm(try softmax(x))
    default:
      var sum = x
      for position in node.inputs.indices.dropFirst() {
        sum = try binary(.add, .activation(sum), try value(position))
      }
      if kind == "Sum" { return sum }
      return try binary(.multiply, .activation(sum), number(1 / Float(node.inputs.count)))
    }
  }

  /// -1 below zero, 0 at it, 1 above.
  private mutating func sign(_ x: Activation) throws(ONNXError) -> Activation {
    var result = x
    for _ in 0..<2 {
      let large = try binary(.multiply, .activation(result), number(Self.amplification))
      result = apply(.reluN1To1, large)
    }
    return result
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
    return try binary(.multiply, .activation(result), .activation(try sign(x)))
  }

  private mutating func gelu(_ x: Activation) throws(ONNXError) -> Activation {
    let half = try binary(.multiply, .activation(x), number(0.5))
    let inner: Activation
    if string("approximate", "none") == "tanh" {
      // √(2/π) (x + 0.044715 x³)
      let square = try binary(.multiply, .activation(apply(.square, x)), number(0.044_715))
      let sum = try binary(.add, .activation(square), number(1))
      let cubic = try binary(.multiply, .activation(sum), .activation(x))
      inner = apply(.tanh, try binary(.multiply, .activation(cubic), number(0.797_884_56)))
    } else {
      inner = try errorFunction(
        try binary(.multiply, .activation(x), number(Float(0.5).squareRoot())))
    }
    let sum = try binary(.add, .activation(inner), number(1))
    return try binary(.multiply, .activation(half), .activation(sum))
  }

  /// max(x, 0) + ln(1 + e^-|x|)
  mutating func softplus(_ x: Activation) throws(ONNXError) -> Activation {
    let small = apply(.exponential, apply(.negate, apply(.absolute, x)))
    let rest = logarithm(try binary(.add, .activation(small), number(1)))
    return try binary(.add, .activation(apply(.relu, x)), .activation(rest))
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

  /// What two values are compared by, or conditions combined.
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

  /// Twice this is more than any difference needs to become 1.
  private static let amplification: Float = 1e38

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
    let operands = condition.operands
    switch condition.kind {
    case .greater:
      return try positive(try binary(.subtract, operands[0], operands[1]))
    case .greaterOrEqual:
      let less = try positive(try binary(.subtract, operands[1], operands[0]))
      return try binary(.subtract, number(1), .activation(less))
    case .equal:
      let distance = apply(.absolute, try binary(.subtract, operands[0], operands[1]))
      return try binary(.subtract, number(1), .activation(try positive(distance)))
    case .not: return try binary(.subtract, number(1), operands[0])
    case .and: return try binary(.multiply, operands[0], operands[1])
    case .or: return try binary(.maximum, operands[0], operands[1])
    case .xor: return apply(.absolute, try binary(.subtract, operands[0], operands[1]))
    }
  }

  /// 1 for what is above zero, else 0.
  private mutating func positive(_ x: Activation) throws(ONNXError) -> Activation {
    var result = x
    for _ in 0..<2 {
      let large = try binary(.multiply, .activation(result), number(Self.amplification))
      result = apply(.relu0To1, large)
    }
    return result
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
    let (chosen, other): (Value, Value)
    if case .constant(let choice) = try value(0) {
      let flags = (choice.integers ?? []).map { Float($0 != 0 ? 1 : 0) }
      guard flags.count == choice.count else { throw unsupported("its choice is not of booleans") }
      chosen = .constant(.floats(flags, choice.shape))
      other = .constant(.floats(flags.map { 1 - $0 }, choice.shape))
    } else {
      chosen = .activation(try activation(0))
      other = .activation(try binary(.subtract, number(1), chosen))
    }
    let left = try binary(.multiply, chosen, finite(a))
    let right = try binary(.multiply, other, finite(b))
    let sum = try binary(.add, .activation(left), .activation(right))
    set(sum.shape == shape ? sum : try expanded(sum, shape))
  }

  /// Infinite constants, which 0 does not make 0, as the largest finite ones.
  private func finite(_ value: Value) -> Value {
    guard case .constant(let constant) = value, constant.floats.contains(where: { !$0.isFinite })
    else { return value }
    let largest = Float.greatestFiniteMagnitude
    return .constant(
      .floats(
        constant.floats.map { $0.isNaN ? $0 : min(max($0, -largest), largest) }, constant.shape))
  }

  /// x where x is above zero, else x times a constant: a PRELU.
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
    let type = integer("to", 1)
    let x = try value(0)
    switch x {
    case .condition: values[node.outputs[0]] = x
    case .activation(let activation) where wholes.contains(activation.tensor):
      values[node.outputs[0]] = x
    case .activation(let activation) where type == 9:
      let zero = Condition(kind: .equal, [x, number(0)], activation.shape)
      set(Condition(kind: .not, [.condition(zero)], activation.shape))
    default:
      guard [1, 10, 11, 16].contains(type) else {
        throw unsupported("it makes integers of computed values")
      }
      values[node.outputs[0]] = x
    }
  }
}
