internal import Engine

extension OperatorOptions {
  /// An operator code, and the union type and fields of its options.
  struct Encoded {
    var code: Int
    var options: (type: UInt8, fields: FlatTable)?
  }

  /// The inverse of `read`; `nil` for what was not understood.
  static func encode(_ kind: OperatorKind, outputShape: [Int]) -> Encoded? {
    guard let code = kind.code else { return nil }
    let options = encodeOptions(kind, outputShape)
    return Encoded(code: code, options: options.type == 0 ? nil : options)
  }

  /// The union type of an operator's options, 0 where it has none, and their fields.
  private static func encodeOptions(
    _ kind: OperatorKind, _ outputShape: [Int]
  ) -> (type: UInt8, fields: FlatTable) {
    switch kind {
    case .fullyConnected(let activation, let keepsDimensions):
      // Field 3: activations are quantized with a zero point, where weights are int8.
      (
        8, [0: .uint8(activation.rawValue), 2: .bool(keepsDimensions), 3: .bool(true)]
      )
    case .convolution(let window, let activation):
      (1, fields(window, activation: (3, activation), dilation: 4))
    case .depthwiseConvolution(let window, let multiplier, let activation):
      (
        2,
        fields(window, activation: (4, activation), dilation: 5)
          .merging([3: .int(multiplier)]) { $1 }
      )
    case .transposeConvolution(let window, let activation):
      (49, fields(window, activation: (3, activation)))
    case .averagePool(let window, let height, let width, let activation):
      (5, pool(window, height, width, activation))
    case .maxPool(let window, let height, let width, let activation):
      (5, pool(window, height, width, activation))
    case .binary(let function, let activation):
      (
        function.optionsType,
        function.hasActivation ? [0: .uint8(activation.rawValue)] : [:]
      )
    case .unary(let function): (function.optionsType, [:])
    case .leakyReLU(let alpha): (75, [0: .float(alpha)])
    case .prelu: (0, [:])
    case .softmax(let beta): (9, [0: .float(beta)])
    case .concatenation(let axis, let activation):
      (10, [0: .int(axis), 1: .uint8(activation.rawValue)])
    case .slice: (48, [:])
    case .stridedSlice(let masks):
      (
        32,
        [
          0: .int(masks.begin), 1: .int(masks.end), 2: .int(masks.ellipsis),
          3: .int(masks.newAxis), 4: .int(masks.shrinkAxis),
        ]
      )
    case .split(let count): (35, [0: .int(count)])
    case .pack(let axis, let count): (59, [0: .int(count), 1: .int(axis)])
    case .unpack(let axis, let count): (64, [0: .int(count), 1: .int(axis)])
    case .reshape: (17, [0: .int32s(outputShape.map(Int32.init))])
    case .squeeze(let dimensions):
      (30, [0: .int32s(dimensions.map(Int32.init))])
    case .expandDimensions: (52, [:])
    case .transpose: (26, [:])
    case .pad: (22, [:])
    case .mean(let keepsDimensions): (27, [0: .bool(keepsDimensions)])
    case .batchMatMul(let adjointX, let adjointY):
      (101, [0: .bool(adjointX), 1: .bool(adjointY), 2: .bool(true)])
    case .resize(let resizing):
      resizing.isLinear
        ? (15, [2: .bool(resizing.alignsCorners), 3: .bool(resizing.hasHalfPixelCenters)])
        : (74, [0: .bool(resizing.alignsCorners), 1: .bool(resizing.hasHalfPixelCenters)])
    case .lstm(let cell):
      (
        71,
        [
          0: .uint8(cell.activation.rawValue), 1: .float(cell.cellClip),
          2: .float(cell.projectionClip), 3: .bool(cell.isTimeMajor),
        ]
      )
    case .quantize: (89, [:])
    case .dequantize: (38, [:])
    // The kernels look at the tensors.
    case .cast: (37, [:])
    case .unsupported: (0, [:])
    }
  }

  private static func fields(
    _ window: Window, activation: (id: Int, value: Activation), dilation: Int? = nil
  ) -> FlatTable {
    var table: FlatTable = [
      0: .uint8(window.padding.rawValue), 1: .int(window.strideWidth),
      2: .int(window.strideHeight), activation.id: .uint8(activation.value.rawValue),
    ]
    if let dilation {
      table[dilation] = .int(window.dilationWidth)
      table[dilation + 1] = .int(window.dilationHeight)
    }
    return table
  }

  private static func pool(
    _ window: Window, _ height: Int, _ width: Int, _ activation: Activation
  ) -> FlatTable {
    fields(window, activation: (5, activation)).merging([3: .int(width), 4: .int(height)]) { $1 }
  }
}

extension BinaryFunction {
  /// The union type of its options.
  fileprivate var optionsType: UInt8 {
    switch self {
    case .add: 11
    case .multiply: 21
    case .subtract: 28
    case .divide: 29
    case .maximum, .minimum: 39
    case .squaredDifference: 76
    }
  }
}

extension UnaryFunction {
  /// The union type of its options; 0 where it has none.
  fileprivate var optionsType: UInt8 {
    switch self {
    case .exponential: 33
    case .negate: 42
    case .square: 66
    case .absolute: 78
    case .hardSwish: 91
    case .relu, .reluN1To1, .relu0To1, .relu6, .logistic, .tanh, .elu, .squareRoot,
      .reciprocalSquareRoot, .logarithm:
      0
    }
  }
}
