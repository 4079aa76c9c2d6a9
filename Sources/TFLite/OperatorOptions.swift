internal import Engine

/// Operators and their options, as numbers of the schema and as values of the graph.
enum OperatorOptions {
  /// The meaning of an operator code with its table of options, which may be missing.
  static func read(
    _ code: OperatorCode, _ options: Table?
  ) throws(TFLiteError) -> OperatorKind {
    let unsupported = OperatorKind.unsupported(
      name: code.custom.isEmpty ? builtinName(code.builtin) : "CUSTOM \(code.custom)")
    if let function = BinaryFunction.allCases.first(where: { $0.code == code.builtin }) {
      guard function.hasActivation else { return .binary(function, .none) }
      guard let activation = try activation(options, 0) else { return unsupported }
      return .binary(function, activation)
    }
    if let function = UnaryFunction.allCases.first(where: { $0.code == code.builtin }) {
      return .unary(function)
    }
    return try readOther(OperatorProperties.with(code: code.builtin)?.name, options) ?? unsupported
  }

  private static func readOther(
    _ name: String?, _ options: Table?
  ) throws(TFLiteError) -> OperatorKind? {
    func integer(_ id: Int, default value: Int32 = 0) throws(TFLiteError) -> Int {
      Int(try options?.scalar(id, default: value) ?? value)
    }
    func bool(_ id: Int) throws(TFLiteError) -> Bool { try options?.bool(id) ?? false }
    func float(_ id: Int) throws(TFLiteError) -> Float { try options?.float(id) ?? 0 }
    switch name {
    case "AVERAGE_POOL_2D", "MAX_POOL_2D":
      guard let activation = try activation(options, 5), let window = try pool(options) else {
        return nil
      }
      let height = try integer(4)
      let width = try integer(3)
      return name == "AVERAGE_POOL_2D"
        ? .averagePool(window, height: height, width: width, activation)
        : .maxPool(window, height: height, width: width, activation)
    case "CONCATENATION":
      guard let activation = try activation(options, 1) else { return nil }
      return .concatenation(axis: try integer(0), activation)
    case "CONV_2D":
      guard let activation = try activation(options, 3),
        let window = try window(options, dilation: 4)
      else { return nil }
      return .convolution(window, activation)
    case "DEPTHWISE_CONV_2D":
      guard let activation = try activation(options, 4),
        let window = try window(options, dilation: 5)
      else { return nil }
      return .depthwiseConvolution(window, multiplier: try integer(3), activation)
    case "CAST": return .cast
    case "DEQUANTIZE": return .dequantize
    case "FULLY_CONNECTED":
      // Any other layout of the weights is a shuffled one.
      guard let activation = try activation(options, 0),
        try options?.scalar(1, default: UInt8(0)) ?? 0 == 0
      else { return nil }
      return .fullyConnected(activation, keepsDimensions: try bool(2))
    case "RESHAPE": return .reshape
    case "SOFTMAX": return .softmax(beta: try float(0))
    case "PAD": return .pad
    case "TRANSPOSE": return .transpose
    case "MEAN": return .mean(keepsDimensions: try bool(0))
    case "SQUEEZE":
      let dimensions = try options?.integers(0, as: Int32.self) ?? []
      return .squeeze(dimensions: dimensions.map(Int.init))
    case "STRIDED_SLICE":
      guard try !bool(5) else { return nil }
      return .stridedSlice(
        StridedSliceMasks(
          begin: try integer(0), end: try integer(1), ellipsis: try integer(2),
          newAxis: try integer(3), shrinkAxis: try integer(4)))
    case "SPLIT": return .split(count: try integer(0))
    case "PRELU": return .prelu
    case "SLICE": return .slice
    case "TRANSPOSE_CONV":
      guard let activation = try activation(options, 3), let window = try pool(options) else {
        return nil
      }
      return .transposeConvolution(window, activation)
    case "EXPAND_DIMS": return .expandDimensions
    case "PACK": return .pack(axis: try integer(1), count: try integer(0))
    case "UNPACK": return .unpack(axis: try integer(1), count: try integer(0))
    case "LEAKY_RELU": return .leakyReLU(alpha: try float(0))
    case "QUANTIZE": return .quantize
    case "RESIZE_BILINEAR":
      return .resize(
        Resizing(isLinear: true, alignsCorners: try bool(2), hasHalfPixelCenters: try bool(3)))
    case "RESIZE_NEAREST_NEIGHBOR":
      return .resize(
        Resizing(isLinear: false, alignsCorners: try bool(0), hasHalfPixelCenters: try bool(1)))
    case "UNIDIRECTIONAL_SEQUENCE_LSTM":
      guard let activation = try activation(options, 0) else { return nil }
      return .lstm(
        LSTM(
          isTimeMajor: try bool(3), cellClip: try float(1), projectionClip: try float(2),
          activation: activation))
    case "BATCH_MATMUL": return .batchMatMul(adjointX: try bool(0), adjointY: try bool(1))
    default: return nil
    }
  }

  /// `nil` for an activation function that is not known.
  private static func activation(_ options: Table?, _ id: Int) throws(TFLiteError) -> Activation? {
    Activation(rawValue: try options?.scalar(id, default: 0) ?? 0)
  }

  /// Padding, stride width and stride height are fields 0, 1 and 2 in every table of this kind.
  private static func pool(_ options: Table?) throws(TFLiteError) -> Window? {
    guard let options, let padding = Window.Padding(rawValue: try options.scalar(0, default: 0))
    else { return nil }
    return Window(
      padding: padding, strideHeight: Int(try options.scalar(2, default: Int32(0))),
      strideWidth: Int(try options.scalar(1, default: Int32(0))))
  }

  private static func window(_ options: Table?, dilation id: Int) throws(TFLiteError) -> Window? {
    guard let options, var window = try pool(options) else { return nil }
    window.dilationWidth = Int(try options.scalar(id, default: Int32(1)))
    window.dilationHeight = Int(try options.scalar(id + 1, default: Int32(1)))
    return window
  }
}
