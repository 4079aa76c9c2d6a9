extension OperatorProperties {
  /// What TensorFlow Lite's kernels ask of an operator whose activations are integers:
  /// the schema's operator versions, and the quantization specification of the kernels.
  public struct IntegerRules: Sendable, Equatable {
    /// Scales of an operator's activations.
    public enum Scales: Sendable, Equatable {
      /// Every activation has its own.
      case free
      /// Inputs and outputs have the same.
      case same
      /// The outputs are in this range whatever the data are; the inputs have their own.
      case fixed(ClosedRange<Float>)
    }

    public let scales: Scales
    /// The operator version that takes int8 activations.
    public let int8Version: Int
    /// The operator version that takes int16 activations; `nil` where there is no such form.
    public let int16Version: Int?
  }

  /// `nil` for an operator without a form for integers.
  public var integerRules: IntegerRules? {
    guard let (int8, int16) = Self.integerVersions[name] else { return nil }
    let scales: IntegerRules.Scales =
      switch name {
      case "LOGISTIC", "SOFTMAX": .fixed(0...1)
      case "TANH": .fixed(-1...1)
      case "MAXIMUM", "MINIMUM", "RESIZE_BILINEAR": .same
      default: integers == .moves || integers == .pools ? .same : .free
      }
    return IntegerRules(scales: scales, int8Version: int8, int16Version: int16)
  }

  private static let integerVersions: [String: (int8: Int, int16: Int?)] = [
    "ADD": (2, 3), "AVERAGE_POOL_2D": (2, 3), "BATCH_MATMUL": (2, 3), "CONCATENATION": (2, 3),
    "CONV_2D": (3, 4), "DEPTHWISE_CONV_2D": (3, 5), "ELU": (1, nil), "EXPAND_DIMS": (1, 1),
    "FULLY_CONNECTED": (4, 7), "HARD_SWISH": (1, nil), "LEAKY_RELU": (1, 2), "LOGISTIC": (2, 3),
    "MAXIMUM": (2, nil), "MAX_POOL_2D": (2, 3), "MEAN": (2, 3), "MINIMUM": (2, nil),
    "MUL": (2, 2), "PACK": (2, 2), "PAD": (2, 2), "PRELU": (1, nil), "RELU": (2, 3),
    "RELU6": (2, 3), "RELU_N1_TO_1": (1, nil), "RESHAPE": (1, 1), "RESIZE_BILINEAR": (2, 3),
    "RESIZE_NEAREST_NEIGHBOR": (2, 2), "RSQRT": (2, nil), "SLICE": (2, 4), "SOFTMAX": (2, 3),
    "SPLIT": (2, 4), "SQUARED_DIFFERENCE": (2, nil), "SQUEEZE": (1, 1), "STRIDED_SLICE": (2, 4),
    "SUB": (2, 2), "TANH": (2, 3), "TRANSPOSE": (2, 4), "TRANSPOSE_CONV": (2, 3),
    "UNPACK": (2, 3),
  ]
}

extension OperatorKind {
  /// The operator with another activation; `nil` where it cannot have one.
  public func with(_ activation: Activation) -> OperatorKind? {
    switch self {
    case .fullyConnected(_, let keepsDimensions):
      .fullyConnected(activation, keepsDimensions: keepsDimensions)
    case .convolution(let window, _): .convolution(window, activation)
    case .depthwiseConvolution(let window, let multiplier, _):
      .depthwiseConvolution(window, multiplier: multiplier, activation)
    case .transposeConvolution(let window, _): .transposeConvolution(window, activation)
    case .binary(let function, _):
      function.hasActivation ? .binary(function, activation) : nil
    default: nil
    }
  }
}

extension BinaryFunction {
  /// Whether the schema gives the operator a fused activation.
  public var hasActivation: Bool {
    switch self {
    case .add, .subtract, .multiply, .divide: true
    case .squaredDifference, .maximum, .minimum: false
    }
  }
}
