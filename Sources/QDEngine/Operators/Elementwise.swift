internal import Glibc
internal import QDKernels

extension OperatorProperties {
  /// Unary functions.
  static let elementwise: [OperatorProperties] = kernels + mappings

  private static let kernels: [OperatorProperties] = [
    unary(101, "ABS", .absolute, options: 78),
    unary(111, "ELU", .elu, versions: (1, nil)),
    unary(47, "EXP", .exponential, options: 33),
    unary(117, "HARD_SWISH", .hardSwish, versions: (1, nil), options: 91),
    unary(14, "LOGISTIC", .logistic, versions: (2, 3), scales: .fixed(0...1)),
    unary(59, "NEG", .negate, options: 42),
    unary(19, "RELU", .relu, versions: (2, 3)),
    unary(21, "RELU6", .relu6, versions: (2, 3)),
    unary(152, "RELU_0_TO_1", .relu0To1),
    unary(20, "RELU_N1_TO_1", .reluN1To1, versions: (1, nil)),
    unary(76, "RSQRT", .reciprocalSquareRoot, versions: (2, nil)),
    unary(75, "SQRT", .squareRoot),
    unary(92, "SQUARE", .square, options: 66),
    unary(28, "TANH", .tanh, versions: (2, 3), scales: .fixed(-1...1)),
    OperatorProperties(
      98, "LEAKY_RELU", .table, .inPlace, versions: (1, 2),
      options: OptionLayout(75, [.float]),
      match: { if case .leakyReLU(let alpha) = $0 { alpha } else { nil } },
      read: { .leakyReLU(alpha: $0.float(0)) },
      write: { OptionFields([0: .float($0)]) },
      lower: { lowering, index, alpha throws(EngineError) in
        try lowering.lowerUnary(index, .leakyRelu(slope: alpha))
      }),
  ]

  /// Unary functions without a kernel.
  private static let mappings: [OperatorProperties] = [
    .mapping(104, "CEIL") { _ in { $0.rounded(.up) } },
    .mapping(108, "COS", options: OptionLayout(84)) { _ in { cos($0) } },
    .mapping(8, "FLOOR") { _ in { $0.rounded(.down) } },
    .mapping(150, "GELU", versions: (2, nil), options: OptionLayout(116, [.byte])) { fields in
      let isApproximate = fields.bool(0)
      return { isApproximate ? approximateGELU($0) : exactGELU($0) }
    },
    .mapping(73, "LOG") { _ in { logarithm($0) } },
    .mapping(116, "ROUND") { _ in { $0.rounded(.toNearestOrEven) } },
    .mapping(158, "SIGN", options: OptionLayout(123)) { _ in
      { (value: Float) -> Float in value > 0 ? 1 : value < 0 ? -1 : value }
    },
    .mapping(66, "SIN") { _ in { sin($0) } },
  ]

  private static func unary(
    _ code: Int, _ name: String, _ function: UnaryFunction,
    versions: (int8: Int, int16: Int?)? = nil, scales: IntegerRules.Scales? = nil,
    options: UInt8 = 0
  ) -> OperatorProperties {
    OperatorProperties(
      code, name, .table, .inPlace,
      types: function == .absolute || function == .negate ? .any : .reals, versions: versions,
      scales: scales, options: OptionLayout(options), kind: .unary(function),
      lower: { lowering, index throws(EngineError) in try lowering.lowerUnary(index, function) })
  }

  /// The row of a unary function.
  static func with(_ function: UnaryFunction) -> OperatorProperties? { unaries[function] }

  private static let unaries = Dictionary(
    uniqueKeysWithValues: elementwise.compactMap { row in
      if case .unary(let function)? = row.read(OptionFields()) { (function, row) } else { nil }
    })
}

public enum UnaryFunction: String, Sendable, CaseIterable {
  case relu, reluN1To1, relu0To1, relu6, logistic, tanh, hardSwish, elu
  case absolute, negate, square, squareRoot, reciprocalSquareRoot, exponential
}

extension UnaryFunction {
  /// The range of a function that only clamps.
  var range: ClosedRange<Float>? {
    switch self {
    case .relu: 0...Float.infinity
    case .reluN1To1: -1...1
    case .relu0To1: 0...1
    case .relu6: 0...6
    default: nil
    }
  }

  var kernel: Elementwise.Unary {
    if let range { return .clamp(minimum: range.lowerBound, maximum: range.upperBound) }
    return switch self {
    case .relu, .reluN1To1, .relu0To1, .relu6: .clamp(minimum: -.infinity, maximum: .infinity)
    case .logistic: .logistic
    case .tanh: .tanh
    case .hardSwish: .hardSwish
    case .elu: .elu
    case .absolute: .absolute
    case .negate: .negate
    case .square: .square
    case .squareRoot: .squareRoot
    case .reciprocalSquareRoot: .reciprocalSquareRoot
    case .exponential: .exp
    }
  }
}

func exponential(_ value: Float) -> Float { exp(value) }
func logarithm(_ value: Float) -> Float { log(value) }

private func exactGELU(_ value: Float) -> Float {
  0.5 * value * (1 + erf(value * Float(0.5).squareRoot()))
}

/// With the tanh approximation of Hendrycks and Gimpel, arXiv 1606.08415.
private func approximateGELU(_ value: Float) -> Float {
  let root: Float = 0.797_884_560_802_865_4
  return 0.5 * value * (1 + tanh(root * (value + 0.044715 * value * value * value)))
}
