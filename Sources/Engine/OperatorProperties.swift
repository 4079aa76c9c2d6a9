/// What there is to know about an operator beside its options: the one table that the reader and
/// writer of files, the planner, the quantizer and docs/engine.md take it from.
public struct OperatorProperties: Sendable, Equatable {
  /// What the schema calls it.
  public let name: String
  /// The builtin operator code of the schema.
  public let code: Int
  /// How it computes where its activations are integers.
  public let integers: Integers
  /// Its weights, if it has any.
  public let weights: Weights?
  /// Whether a constant second operand in int8 is multiplied in dynamic range.
  public let multipliesConstants: Bool
  /// What becomes part of what.
  public let fusion: Fusion

  public enum Integers: String, Sendable {
    /// Through floats: dequantized before, quantized after.
    case none
    /// Moves them, so that all of them have the same scale.
    case moves
    /// A product of int8, or of int16 with int8.
    case products
    /// Of two bytes.
    case pairs
    /// A table of all 256 bytes.
    case table
    /// The greatest or a mean of several bytes.
    case pools
    /// Sums of bytes, or of their products, as whole numbers in floats.
    case sums
  }

  /// Weights stand at position 1 of the inputs, their bias at position 2 (of TRANSPOSE_CONV, 3).
  public struct Weights: Sendable, Equatable {
    /// The dimension of the outputs, which may have a scale for each index.
    public let axis: Int
    /// The operator version that allows int8 weights with float activations; `nil` where these
    /// become floats.
    public let dynamicRangeVersion: Int?
  }

  public enum Fusion: String, Sendable {
    case none
    /// A clamp after it becomes the limits of its result.
    case takesClamps
    /// Writes over its input, if nobody else reads that.
    case inPlace
    /// Both.
    case takesClampsInPlace
    /// Its result is a part of its input's memory, where that is one stretch.
    case view
    /// Its inputs are computed where its result lies, where that is one stretch.
    case gathers

    var takesClamps: Bool { self == .takesClamps || self == .takesClampsInPlace }
    var isInPlace: Bool { self == .inPlace || self == .takesClampsInPlace }
  }

  private init(
    _ code: Int, _ name: String, _ integers: Integers = .none, _ fusion: Fusion = .none,
    weights: Weights? = nil, multipliesConstants: Bool = false
  ) {
    self.code = code
    self.name = name
    self.integers = integers
    self.fusion = fusion
    self.weights = weights
    self.multipliesConstants = multipliesConstants
  }

  /// Every operator that a graph can name, by name.
  public static let all: [OperatorProperties] = [
    .init(101, "ABS", .table, .inPlace),
    .init(0, "ADD", .pairs, .takesClampsInPlace),
    .init(1, "AVERAGE_POOL_2D", .pools, .takesClamps),
    .init(126, "BATCH_MATMUL", .sums, multipliesConstants: true),
    .init(53, "CAST", .moves, .view),
    .init(2, "CONCATENATION", .moves, .gathers),
    .init(
      3, "CONV_2D", .products, .takesClamps, weights: Weights(axis: 0, dynamicRangeVersion: 5)),
    .init(
      4, "DEPTHWISE_CONV_2D", .products, .takesClamps,
      weights: Weights(axis: 3, dynamicRangeVersion: 6)),
    .init(6, "DEQUANTIZE", .none, .view),
    .init(42, "DIV", .none, .takesClampsInPlace),
    .init(111, "ELU", .table, .inPlace),
    .init(47, "EXP", .table, .inPlace),
    .init(70, "EXPAND_DIMS", .moves, .view),
    .init(
      9, "FULLY_CONNECTED", .products, .takesClamps,
      weights: Weights(axis: 0, dynamicRangeVersion: 12)),
    .init(117, "HARD_SWISH", .table, .inPlace),
    .init(98, "LEAKY_RELU", .table, .inPlace),
    .init(73, "LOG"),
    .init(14, "LOGISTIC", .table, .inPlace),
    .init(55, "MAXIMUM", .none, .takesClampsInPlace),
    .init(17, "MAX_POOL_2D", .pools, .takesClamps),
    .init(40, "MEAN", .sums),
    .init(57, "MINIMUM", .none, .takesClampsInPlace),
    .init(18, "MUL", .pairs, .takesClampsInPlace),
    .init(59, "NEG", .table, .inPlace),
    .init(83, "PACK", .moves, .gathers),
    .init(34, "PAD", .moves),
    .init(54, "PRELU", .none, .takesClampsInPlace),
    .init(114, "QUANTIZE", .table),
    .init(19, "RELU", .table, .inPlace),
    .init(21, "RELU6", .table, .inPlace),
    .init(152, "RELU_0_TO_1", .table, .inPlace),
    .init(20, "RELU_N1_TO_1", .table, .inPlace),
    .init(22, "RESHAPE", .moves, .view),
    .init(23, "RESIZE_BILINEAR", .pools),
    .init(97, "RESIZE_NEAREST_NEIGHBOR", .moves),
    .init(76, "RSQRT", .table, .inPlace),
    .init(65, "SLICE", .moves, .view),
    .init(25, "SOFTMAX", .none, .inPlace),
    .init(49, "SPLIT", .moves, .view),
    .init(75, "SQRT", .table, .inPlace),
    .init(92, "SQUARE", .table, .inPlace),
    .init(99, "SQUARED_DIFFERENCE", .pairs, .takesClampsInPlace),
    .init(43, "SQUEEZE", .moves, .view),
    .init(45, "STRIDED_SLICE", .moves, .view),
    .init(41, "SUB", .pairs, .takesClampsInPlace),
    .init(28, "TANH", .table, .inPlace),
    .init(39, "TRANSPOSE", .moves),
    .init(
      67, "TRANSPOSE_CONV", .none, .takesClamps,
      weights: Weights(axis: 0, dynamicRangeVersion: nil)),
    .init(
      44, "UNIDIRECTIONAL_SEQUENCE_LSTM", weights: Weights(axis: 0, dynamicRangeVersion: 3)),
    .init(88, "UNPACK", .moves, .view),
  ]

  private static let byCode = Dictionary(uniqueKeysWithValues: all.map { ($0.code, $0) })

  /// The operator with a code of the schema, if a graph can name it.
  public static func with(code: Int) -> OperatorProperties? { byCode[code] }

  /// The table as docs/engine.md has it.
  public static var markdown: String {
    let rows = all.filter { !notImplemented.contains($0.name) }.map { row in
      let weights = row.weights.map { $0.dynamicRangeVersion == nil ? "in float32" : "int8" }
      let dynamic = weights ?? (row.multipliesConstants ? "int8, if constant" : "")
      return "| \(row.name) | \(row.integers.text) | \(dynamic) | \(row.fusion.text) |"
    }
    return
      ([
        "| operator | integer activations | int8 weights, float activations | fusion |",
        "| --- | --- | --- | --- |",
      ] + rows).joined(separator: "\n") + "\n"
  }

  /// What can be read and written, but not run.
  static let notImplemented: Set<String> = ["LOG"]
}

extension OperatorProperties.Integers {
  fileprivate var text: String {
    switch self {
    case .none: "through float32"
    case .moves: "moved as they are"
    case .products: "int8 or 16x8 product"
    case .pairs: "int8 pairs"
    case .table: "table of 256"
    case .pools: "int8 pools"
    case .sums: "whole numbers in float32"
    }
  }
}

extension OperatorProperties.Fusion {
  fileprivate var text: String {
    switch self {
    case .none: ""
    case .takesClamps: "takes over clamps"
    case .inPlace: "in place"
    case .takesClampsInPlace: "takes over clamps, in place"
    case .view: "a view"
    case .gathers: "its parts are computed in place"
    }
  }
}

extension OperatorKind {
  /// The operator's row of the table; `nil` for one that is not known.
  public var knownProperties: OperatorProperties? { code.flatMap(OperatorProperties.with) }

  /// What the schema calls it.
  public var name: String {
    if case .unsupported(let name) = self { return name }
    return knownProperties?.name ?? "?"
  }

  var integers: OperatorProperties.Integers { knownProperties?.integers ?? .none }
  var fusion: OperatorProperties.Fusion { knownProperties?.fusion ?? .none }

  /// What the operator does to its result before it leaves it.
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

  /// The builtin operator code of the schema.
  public var code: Int? {
    switch self {
    case .fullyConnected: 9
    case .convolution: 3
    case .depthwiseConvolution: 4
    case .transposeConvolution: 67
    case .binary(let function, _): function.code
    case .unary(let function): function.code
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
    case .unsupported: nil
    }
  }
}

extension BinaryFunction {
  /// The builtin operator code of the schema.
  public var code: Int {
    switch self {
    case .add: 0
    case .multiply: 18
    case .subtract: 41
    case .divide: 42
    case .maximum: 55
    case .minimum: 57
    case .squaredDifference: 99
    }
  }
}

extension UnaryFunction {
  /// The builtin operator code of the schema.
  public var code: Int {
    switch self {
    case .logistic: 14
    case .relu: 19
    case .reluN1To1: 20
    case .relu6: 21
    case .tanh: 28
    case .exponential: 47
    case .negate: 59
    case .logarithm: 73
    case .squareRoot: 75
    case .reciprocalSquareRoot: 76
    case .square: 92
    case .absolute: 101
    case .elu: 111
    case .hardSwish: 117
    case .relu0To1: 152
    }
  }
}
