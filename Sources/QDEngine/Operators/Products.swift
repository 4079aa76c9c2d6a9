extension OperatorProperties {
  /// Products with weights, and of matrices.
  static let products: [OperatorProperties] = [
    OperatorProperties(
      9, "FULLY_CONNECTED", .products, .takesClamps,
      weights: Weights(axis: 0, dynamicRangeVersion: 12), versions: (4, 7),
      options: OptionLayout(8, [.byte, .byte, .byte, .byte]),
      match: { kind -> (Activation, keepsDimensions: Bool)? in
        if case .fullyConnected(let activation, let keepsDimensions) = kind {
          (activation, keepsDimensions)
        } else {
          nil
        }
      },
      read: { fields in
        // Any other layout of the weights is a shuffled one.
        guard let activation = fields.activation(0), fields.byte(1) == 0 else { return nil }
        return .fullyConnected(activation, keepsDimensions: fields.bool(2))
      },
      // Field 3: activations are quantized with a zero point, where weights are int8.
      write: { activation, keepsDimensions in
        OptionFields([0: .activation(activation), 2: .bool(keepsDimensions), 3: .bool(true)])
      },
      lower: { lowering, index, layer throws(EngineError) in
        try lowering.lowerFullyConnected(index, layer.0)
      }),
    OperatorProperties(
      3, "CONV_2D", .products, .takesClamps,
      weights: Weights(axis: 0, dynamicRangeVersion: 5), versions: (3, 4),
      options: OptionLayout(1, [.byte, .int, .int, .byte, .int, .int]),
      match: { kind -> (Window, Activation)? in
        if case .convolution(let window, let activation) = kind {
          (window, activation)
        } else {
          nil
        }
      },
      read: { fields in
        guard let activation = fields.activation(3), let window = fields.window(dilation: 4) else {
          return nil
        }
        return .convolution(window, activation)
      },
      write: { window, activation in .window(window, activation: (3, activation), dilation: 4) },
      lower: { lowering, index, layer throws(EngineError) in
        try lowering.lowerConvolution(index, layer.0, layer.1)
      }),
    OperatorProperties(
      4, "DEPTHWISE_CONV_2D", .products, .takesClamps,
      weights: Weights(axis: 3, dynamicRangeVersion: 6), versions: (3, 5),
      options: OptionLayout(2, [.byte, .int, .int, .int, .byte, .int, .int]),
      match: { kind -> (Window, multiplier: Int, Activation)? in
        if case .depthwiseConvolution(let window, let multiplier, let activation) = kind {
          (window, multiplier, activation)
        } else {
          nil
        }
      },
      read: { fields in
        guard let activation = fields.activation(4), let window = fields.window(dilation: 5) else {
          return nil
        }
        return .depthwiseConvolution(window, multiplier: fields.int(3), activation)
      },
      write: { window, multiplier, activation in
        .window(window, activation: (4, activation), dilation: 5, [3: .integer(multiplier)])
      },
      lower: { lowering, index, layer throws(EngineError) in
        try lowering.lowerDepthwise(index, layer.0, layer.2)
      }),
    OperatorProperties(
      67, "TRANSPOSE_CONV", .none, .takesClamps,
      weights: Weights(axis: 0, dynamicRangeVersion: nil), versions: (2, 3),
      options: OptionLayout(49, [.byte, .int, .int, .byte]),
      match: { kind -> (Window, Activation)? in
        if case .transposeConvolution(let window, let activation) = kind {
          (window, activation)
        } else {
          nil
        }
      },
      read: { fields in
        guard let activation = fields.activation(3), let window = fields.window() else {
          return nil
        }
        return .transposeConvolution(window, activation)
      },
      write: { window, activation in .window(window, activation: (3, activation)) },
      lower: { lowering, index, layer throws(EngineError) in
        try lowering.lowerTransposeConvolution(index, layer.0, layer.1)
      }),
    OperatorProperties(
      126, "BATCH_MATMUL", .sums, multipliesConstants: true, versions: (2, 3),
      options: OptionLayout(101, [.byte, .byte, .byte]),
      match: { kind -> (x: Bool, y: Bool)? in
        if case .batchMatMul(let x, let y) = kind { (x, y) } else { nil }
      },
      read: { .batchMatMul(adjointX: $0.bool(0), adjointY: $0.bool(1)) },
      write: { x, y in OptionFields([0: .bool(x), 1: .bool(y), 2: .bool(true)]) },
      lower: { lowering, index, adjoint throws(EngineError) in
        try lowering.lowerBatchProduct(index, adjointX: adjoint.x, adjointY: adjoint.y)
      }),
  ]
}
