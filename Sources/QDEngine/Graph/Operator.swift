/// One step of a graph.
public struct Operator: Sendable, Equatable {
  public var kind: OperatorKind
  /// Tensor indices in the order of TFLite's schema; `nil` for an omitted optional one.
  public var inputs: [Int?]
  public var outputs: [Int]
  /// The operator version of TFLite's schema.
  public var version: Int
  /// How a file stores this operator, if its kind is `unsupported` and its options are numbers: a
  /// conversion writes it as it was.
  public var stored: StoredOperator?

  public init(_ kind: OperatorKind, inputs: [Int?], outputs: [Int], version: Int = 1) {
    self.kind = kind
    self.inputs = inputs
    self.outputs = outputs
    self.version = version
  }
}

/// An operator of the schema that graphs cannot express.
public struct StoredOperator: Sendable, Equatable {
  /// The builtin operator code.
  public var code: Int
  /// The type of the table of options.
  public var optionsType: UInt8
  /// Numbers of 4 bytes as integers of the same bits.
  public var options: OptionFields

  public init(code: Int, optionsType: UInt8, options: OptionFields) {
    self.code = code
    self.optionsType = optionsType
    self.options = options
  }
}

/// What an operator does, with TFLite's meaning of every option.
public enum OperatorKind: Sendable, Equatable {
  /// Inputs: data, weights [outputs, inputs], optional bias.
  case fullyConnected(Activation, keepsDimensions: Bool)
  /// Inputs: data [N, H, W, C], weights [outputs, kernel H, kernel W, C], optional bias.
  case convolution(Window, Activation)
  /// Inputs: data [N, H, W, C], weights [1, kernel H, kernel W, C * multiplier], optional bias.
  case depthwiseConvolution(Window, multiplier: Int, Activation)
  /// Inputs: output shape, weights, data, optional bias.
  case transposeConvolution(Window, Activation)
  case binary(BinaryFunction, Activation)
  case unary(UnaryFunction)
  case leakyReLU(alpha: Float)
  /// Inputs: data, slope per channel.
  case prelu
  /// Over the last dimension, of `beta * x`.
  case softmax(beta: Float)
  case concatenation(axis: Int, Activation)
  /// Inputs: data, begin, size (-1: to the end).
  case slice
  /// Inputs: data, begin, end, strides.
  case stridedSlice(StridedSliceMasks)
  /// Inputs: axis, data.
  case split(count: Int)
  case pack(axis: Int, count: Int)
  case unpack(axis: Int, count: Int)
  /// Inputs: data, optional shape. The shape of the output tensor decides.
  case reshape
  /// Drops the named dimensions of extent 1, or all of them.
  case squeeze(dimensions: [Int])
  case expandDimensions
  /// Inputs: data, permutation.
  case transpose
  /// Inputs: data, [rank, 2] elements before and after.
  case pad
  /// Inputs: data, axes.
  case mean(keepsDimensions: Bool)
  case averagePool(Window, height: Int, width: Int, Activation)
  case maxPool(Window, height: Int, width: Int, Activation)
  case batchMatMul(adjointX: Bool, adjointY: Bool)
  /// Inputs: data [N, H, W, C], [height, width].
  case resize(Resizing)
  /// Inputs: data, four weights, four recurrent weights, three peepholes, four biases, projection
  /// and its bias, state, cell state, four normalizations; gates in the order input, forget,
  /// cell, output.
  case lstm(LSTM)
  case quantize
  case dequantize
  /// Between float16 and float32.
  case cast
  /// An operator of the schema, by its code, with its options as the schema has them.
  case builtin(code: Int, OptionFields)
  /// An operator outside the schema, with its options as in the file.
  case custom(name: String, options: [UInt8])
  /// Anything else: it can be listed, but neither run nor written.
  case unsupported(name: String)
}

/// The placement of a kernel on an image.
public struct Window: Sendable, Equatable {
  public var padding: Padding
  public var strideHeight: Int
  public var strideWidth: Int
  public var dilationHeight: Int
  public var dilationWidth: Int

  public init(
    padding: Padding, strideHeight: Int = 1, strideWidth: Int = 1, dilationHeight: Int = 1,
    dilationWidth: Int = 1
  ) {
    self.padding = padding
    self.strideHeight = strideHeight
    self.strideWidth = strideWidth
    self.dilationHeight = dilationHeight
    self.dilationWidth = dilationWidth
  }

  public enum Padding: UInt8, Sendable {
    case same = 0
    case valid = 1
  }
}

/// A function that an operator applies to its result.
public enum Activation: UInt8, Sendable {
  case none = 0
  case relu = 1
  case reluN1To1 = 2
  case relu6 = 3
  case tanh = 4
}

/// How images are scaled.
public struct Resizing: Sendable, Equatable {
  /// Whether it interpolates linearly instead of taking the nearest pixel.
  public var isLinear: Bool
  public var alignsCorners: Bool
  public var hasHalfPixelCenters: Bool

  public init(isLinear: Bool, alignsCorners: Bool = false, hasHalfPixelCenters: Bool = false) {
    self.isLinear = isLinear
    self.alignsCorners = alignsCorners
    self.hasHalfPixelCenters = hasHalfPixelCenters
  }
}

/// An LSTM cell over a sequence; a limit of 0 does not limit.
public struct LSTM: Sendable, Equatable {
  public var isTimeMajor: Bool
  public var cellClip: Float
  public var projectionClip: Float
  public var activation: Activation

  public init(
    isTimeMajor: Bool, cellClip: Float = 0, projectionClip: Float = 0,
    activation: Activation = .tanh
  ) {
    self.isTimeMajor = isTimeMajor
    self.cellClip = cellClip
    self.projectionClip = projectionClip
    self.activation = activation
  }
}

/// Bit n of a mask refers to dimension n.
public struct StridedSliceMasks: Sendable, Equatable {
  public var begin: Int
  public var end: Int
  public var ellipsis: Int
  public var newAxis: Int
  public var shrinkAxis: Int

  public init(
    begin: Int = 0, end: Int = 0, ellipsis: Int = 0, newAxis: Int = 0, shrinkAxis: Int = 0
  ) {
    self.begin = begin
    self.end = end
    self.ellipsis = ellipsis
    self.newAxis = newAxis
    self.shrinkAxis = shrinkAxis
  }
}

extension OperatorKind {
  /// The activation function that the operator applies to its result.
  public var activation: Activation {
    switch self {
    case .fullyConnected(let activation, _), .convolution(_, let activation),
      .depthwiseConvolution(_, _, let activation), .transposeConvolution(_, let activation),
      .binary(_, let activation), .concatenation(_, let activation),
      .averagePool(_, _, _, let activation), .maxPool(_, _, _, let activation):
      activation
    default: .none
    }
  }

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

  /// The builtin operator code of the schema.
  public var code: Int? {
    switch self {
    case .fullyConnected: 9
    case .convolution: 3
    case .depthwiseConvolution: 4
    case .transposeConvolution: 67
    case .binary(let function, _): OperatorProperties.with(function)?.code
    case .unary(let function): OperatorProperties.with(function)?.code
    case .leakyReLU: 98
    case .prelu: 54
    case .softmax: 25
    case .concatenation: 2
    case .slice: 65
    case .stridedSlice: 45
    case .split: 49
    case .pack: 83
    case .unpack: 88
    case .reshape: 22
    case .squeeze: 43
    case .expandDimensions: 70
    case .transpose: 39
    case .pad: 34
    case .mean: 40
    case .averagePool: 1
    case .maxPool: 17
    case .batchMatMul: 126
    case .resize(let resizing): resizing.isLinear ? 23 : 97
    case .lstm: 44
    case .quantize: 114
    case .dequantize: 6
    case .cast: 53
    case .builtin(let code, _): code
    case .custom, .unsupported: nil
    }
  }
}
