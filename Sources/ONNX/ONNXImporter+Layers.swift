internal import Engine

extension ONNXImporter {
  // MARK: Convolutions

  /// A window over height and width; one over a width alone has a height of 1.
  struct Placement {
    var kernel: [Int]
    var strides: [Int]
    var dilations: [Int]
    /// Before and after, for height and width.
    var before: [Int]
    var after: [Int]
    /// What of an image of that size comes out.
    var output: [Int]

    var isPadded: Bool { before != [0, 0] || after != [0, 0] }
  }

  /// The placement of the node's kernel on an image [N, C, H, W] or [N, C, W].
  func placement(kernel: [Int], on shape: [Int]) throws(ONNXError) -> Placement {
    let spatial = shape.count - 2
    guard kernel.count == spatial, spatial == 1 || spatial == 2 else {
      throw unsupported("its kernel is \(kernel) on \(shape)")
    }
    let strides = integers("strides") ?? Array(repeating: 1, count: spatial)
    let dilations = integers("dilations") ?? Array(repeating: 1, count: spatial)
    let pads = integers("pads") ?? Array(repeating: 0, count: 2 * spatial)
    guard strides.count == spatial, dilations.count == spatial, pads.count == 2 * spatial,
      (strides + dilations + kernel).allSatisfy({ $0 > 0 }), pads.allSatisfy({ $0 >= 0 })
    else { throw unsupported("its strides, dilations or pads do not fit") }
    let missing = 2 - spatial
    func wide(_ list: [Int], _ value: Int) -> [Int] {
      Array(repeating: value, count: missing) + list
    }
    var result = Placement(
      kernel: wide(kernel, 1), strides: wide(strides, 1), dilations: wide(dilations, 1),
      before: wide(Array(pads[..<spatial]), 0), after: wide(Array(pads[spatial...]), 0), output: [])
    let image = wide(Array(shape[2...]), 1)
    for axis in 0..<2 {
      let reach = (result.kernel[axis] - 1) * result.dilations[axis] + 1
      if string("auto_pad", "NOTSET").hasPrefix("SAME") {
        let steps = (image[axis] + result.strides[axis] - 1) / result.strides[axis]
        let total = max(0, (steps - 1) * result.strides[axis] + reach - image[axis])
        let less = total / 2
        let isUpper = string("auto_pad", "") == "SAME_UPPER"
        result.before[axis] = isUpper ? less : total - less
        result.after[axis] = total - result.before[axis]
      }
      var room = image[axis] + result.before[axis] + result.after[axis] - reach
      guard room >= 0 else { throw unsupported("its kernel is larger than its input") }
      if integer("ceil_mode", 0) != 0, room % result.strides[axis] != 0 {
        throw unsupported("it rounds its size up")
      }
      room /= result.strides[axis]
      result.output.append(room + 1)
    }
    return result
  }

  /// Whether TFLite pads by itself what the placement says.
  private func isSame(_ placement: Placement, _ shape: [Int]) -> Bool {
    let image = shape.count == 3 ? [1, shape[2]] : [shape[2], shape[3]]
    return (0..<2).allSatisfy { axis in
      let stride = placement.strides[axis]
      let steps = (image[axis] + stride - 1) / stride
      let reach = (placement.kernel[axis] - 1) * placement.dilations[axis] + 1
      let total = max(0, (steps - 1) * stride + reach - image[axis])
      return placement.before[axis] == total / 2 && placement.after[axis] == total - total / 2
        && placement.output[axis] == steps
    }
  }

  /// The input as a window of TFLite wants it: padded by a PAD where neither of its ways fits.
  private mutating func padded(
    _ x: Activation, _ placement: Placement
  ) throws(ONNXError) -> (data: Activation, window: Window) {
    var window = Window(
      padding: .valid, strideHeight: placement.strides[0], strideWidth: placement.strides[1],
      dilationHeight: placement.dilations[0], dilationWidth: placement.dilations[1])
    let data = try channelsLast(x)
    if !placement.isPadded { return (data, window) }
    if isSame(placement, x.shape) {
      window.padding = .same
      return (data, window)
    }
    var shape = x.shape
    for axis in 2..<shape.count {
      let place = axis - 2 + (4 - shape.count)
      shape[axis] += placement.before[place] + placement.after[place]
    }
    let amounts = [
      0, 0, placement.before[0], placement.after[0], placement.before[1], placement.after[1], 0, 0,
    ]
    return (
      emit(
        .pad, [data.tensor, counts(amounts, shape: [4, 2])], shape: shape, isChannelsLast: true),
      window
    )
  }

  mutating func convertConvolution() throws(ONNXError) {
    let x = try activation(0)
    var weights = try constant(1)
    let groups = integer("group", 1)
    guard x.shape.count == weights.shape.count, x.shape.count == 3 || x.shape.count == 4,
      weights.shape[1] * groups == x.shape[1], weights.shape[0] > 0
    else { throw unsupported("its input is \(x.shape), its weights are \(weights.shape)") }
    let placement = try placement(kernel: Array(weights.shape[2...]), on: x.shape)
    if weights.shape.count == 3 { weights.shape.insert(1, at: 2) }
    let outputs = weights.shape[0]
    let bias = has(2) ? try constant(2).floats : Array(repeating: 0, count: outputs)
    guard bias.count == outputs else { throw unsupported("it has \(bias.count) biases") }
    let (data, window) = try padded(x, placement)
    let shape =
      [x.shape[0], outputs] + (x.shape.count == 3 ? [placement.output[1]] : placement.output)
    let extents = weights.shape
    let inputs = { (tensor: Int, bias: Int) in [data.tensor, tensor, bias] as [Int?] }
    if groups == 1 {
      let matrix = self.weights(
        permuted(weights.floats, extents, [0, 2, 3, 1]),
        [extents[0], extents[2], extents[3], extents[1]], axis: 0, steps: weights.steps)
      set(
        emit(
          .convolution(window, .none), inputs(matrix, floats(bias, [outputs])), shape: shape,
          isChannelsLast: true))
    } else if extents[1] == 1 {
      let matrix = self.weights(
        permuted(weights.floats, extents, [1, 2, 3, 0]),
        [1, extents[2], extents[3], extents[0]], axis: 3, steps: weights.steps)
      set(
        emit(
          .depthwiseConvolution(window, multiplier: outputs / groups, .none),
          inputs(matrix, floats(bias, [outputs])), shape: shape, isChannelsLast: true))
    } else {
      throw unsupported("it has \(groups) groups of \(extents[1]) channels")
    }
  }

  mutating func convertTransposeConvolution() throws(ONNXError) {
    let x = try activation(0)
    var weights = try constant(1)
    let spatial = x.shape.count - 2
    guard x.shape.count == weights.shape.count, spatial == 1 || spatial == 2,
      weights.shape[0] == x.shape[1]
    else { throw unsupported("its input is \(x.shape), its weights are \(weights.shape)") }
    guard integer("group", 1) == 1, integers("dilations")?.allSatisfy({ $0 == 1 }) ?? true,
      string("auto_pad", "NOTSET") == "NOTSET", integers("output_shape") == nil
    else { throw unsupported("it has groups, dilations, auto_pad or output_shape") }
    func wide(_ name: String, _ value: Int, _ range: Range<Int>) -> [Int] {
      let list = integers(name) ?? Array(repeating: value, count: range.upperBound)
      return Array(repeating: value, count: 2 - spatial) + list[range]
    }
    if weights.shape.count == 3 { weights.shape.insert(1, at: 2) }
    let kernel = Array(weights.shape[2...])
    let strides = wide("strides", 1, 0..<spatial)
    let before = wide("pads", 0, 0..<spatial)
    let after = wide("pads", 0, spatial..<2 * spatial)
    let extra = wide("output_padding", 0, 0..<spatial)
    let image = spatial == 1 ? [1, x.shape[2]] : Array(x.shape[2...])
    let outputs = weights.shape[1]
    let whole = (0..<2).map { (image[$0] - 1) * strides[$0] + kernel[$0] }
    let wanted = (0..<2).map { whole[$0] - before[$0] - after[$0] + extra[$0] }
    guard (0..<2).allSatisfy({ wanted[$0] > 0 && before[$0] + wanted[$0] <= whole[$0] }) else {
      throw unsupported("its output_padding is larger than its padding")
    }
    let bias = has(2) ? try constant(2).floats : Array(repeating: 0, count: outputs)
    let matrix = floats(
      permuted(weights.floats, weights.shape, [1, 2, 3, 0]), [outputs] + kernel + [x.shape[1]])
    func shape(_ size: [Int]) -> [Int] {
      [x.shape[0], outputs] + (spatial == 1 ? [size[1]] : size)
    }
    let data = try channelsLast(x)
    let stored = [x.shape[0]] + whole + [outputs]
    var result = emit(
      .transposeConvolution(
        Window(padding: .valid, strideHeight: strides[0], strideWidth: strides[1]), .none),
      [counts(stored), matrix, data.tensor, floats(bias, [outputs])], shape: shape(whole),
      isChannelsLast: true, version: 3)
    if wanted != whole {
      result = emit(
        .slice,
        [
          result.tensor, counts([0] + before + [0]), counts([x.shape[0]] + wanted + [outputs]),
        ], shape: shape(wanted), isChannelsLast: true)
    }
    set(result)
  }

  mutating func convertPool(isMaximum: Bool) throws(ONNXError) {
    let x = try activation(0)
    guard node.outputs.count == 1, let kernel = integers("kernel_shape") else {
      throw unsupported("it gives indices, or has no kernel")
    }
    let placement = try placement(kernel: kernel, on: x.shape)
    guard placement.dilations == [1, 1] else { throw unsupported("it is dilated") }
    let same = isSame(placement, x.shape)
    if placement.isPadded {
      // TFLite's mean leaves the padding out, and a PAD puts zeros in.
      let includesZeros = integer("count_include_pad", 0) != 0
      let isFine = isMaximum ? same || isPositive(x) : includesZeros || same
      guard isFine else { throw unsupported("its padding \(placement.before) is not TFLite's") }
    }
    var (data, window) = (try channelsLast(x), Window(padding: .valid))
    if placement.isPadded, !isMaximum, integer("count_include_pad", 0) != 0 {
      var explicit = placement
      // Never TFLite's own padding here.
      explicit.output = [0, 0]
      (data, window) = try padded(x, explicit)
    } else {
      (data, window) = try padded(x, placement)
    }
    let shape =
      [x.shape[0], x.shape[1]] + (x.shape.count == 3 ? [placement.output[1]] : placement.output)
    let (height, width) = (placement.kernel[0], placement.kernel[1])
    set(
      emit(
        isMaximum
          ? .maxPool(window, height: height, width: width, .none)
          : .averagePool(window, height: height, width: width, .none), [data.tensor],
        shape: shape, isChannelsLast: true))
  }

  /// Whether zeros around a value are no greater than it: it comes from a RELU.
  private func isPositive(_ x: Activation) -> Bool {
    graph.operators.contains { node in
      guard node.outputs == [x.tensor], case .unary(let function) = node.kind else { return false }
      return [.relu, .relu6, .relu0To1, .logistic].contains(function)
    }
  }

  // MARK: Products

  mutating func convertGemm() throws(ONNXError) {
    let x = plain(try activation(0))
    let weights = try constant(1)
    let (alpha, beta) = (float("alpha", 1), float("beta", 1))
    guard integer("transA", 0) == 0, x.shape.count == 2, weights.shape.count == 2 else {
      throw unsupported("its first input is transposed, or not a matrix")
    }
    let isTransposed = integer("transB", 0) != 0
    let (inputs, outputs) =
      isTransposed
      ? (weights.shape[1], weights.shape[0]) : (weights.shape[0], weights.shape[1])
    guard inputs == x.shape[1] else {
      throw unsupported("its input is \(x.shape), its weights are \(weights.shape)")
    }
    var matrix = isTransposed ? weights.floats : permuted(weights.floats, weights.shape, [1, 0])
    if alpha != 1 { matrix = matrix.map { $0 * alpha } }
    let steps = alpha == 1 ? weights.steps : []
    var bias = has(2) ? try constant(2).floats.map { $0 * beta } : []
    if bias.count == 1 { bias = Array(repeating: bias[0], count: outputs) }
    guard bias.isEmpty || bias.count == outputs else {
      throw unsupported("it has \(bias.count) biases")
    }
    set(
      dense(
        x, matrix, bias: bias.isEmpty ? nil : bias, inputs: inputs, outputs: outputs,
        shape: [x.shape[0], outputs], steps: steps))
  }

  /// A product with [outputs, inputs].
  mutating func dense(
    _ x: Activation, _ matrix: [Float], bias: [Float]?, inputs: Int, outputs: Int, shape: [Int],
    steps: [Float] = []
  ) -> Activation {
    let places: [Int?] = [
      x.tensor, weights(matrix, [outputs, inputs], axis: 0, steps: steps),
      bias.map { floats($0, [outputs]) },
    ]
    return emit(.fullyConnected(.none, keepsDimensions: true), places, shape: shape)
  }

  mutating func convertMatMul() throws(ONNXError) {
    if case .constant(let weights) = try value(1), weights.shape.count == 2 {
      let x = plain(try activation(0))
      let (inputs, outputs) = (weights.shape[0], weights.shape[1])
      guard x.shape.last == inputs else {
        throw unsupported("its input is \(x.shape), its weights are \(weights.shape)")
      }
      let matrix = permuted(weights.floats, weights.shape, [1, 0])
      set(
        dense(
          x, matrix, bias: nil, inputs: inputs, outputs: outputs,
          shape: x.shape.dropLast() + [outputs], steps: weights.steps))
      return
    }
    let (a, b) = (plain(try activation(0)), plain(try activation(1)))
    let rank = a.shape.count
    guard rank == b.shape.count, rank >= 2, a.shape[rank - 1] == b.shape[rank - 2],
      a.shape.dropLast(2) == b.shape.dropLast(2)
    else { throw unsupported("its inputs are \(a.shape) and \(b.shape)") }
    set(
      emit(
        .batchMatMul(adjointX: false, adjointY: false), [a.tensor, b.tensor],
        shape: a.shape.dropLast() + [b.shape[rank - 1]]))
  }

  // MARK: Normalization

  /// As a product and a sum per channel, which become part of a layer before them.
  mutating func convertBatchNormalization() throws(ONNXError) {
    let parts = [
      try constant(1).floats, try constant(2).floats, try constant(3).floats,
      try constant(4).floats,
    ]
    let x = try activation(0)
    guard x.shape.count >= 2, parts.allSatisfy({ $0.count == x.shape[1] }) else {
      throw unsupported("its input is \(x.shape) for \(parts[0].count) channels")
    }
    let epsilon = Double(float("epsilon", 1e-5))
    let gains = (0..<parts[0].count).map {
      Double(parts[0][$0]) / (Double(parts[3][$0]) + epsilon).squareRoot()
    }
    let offsets = gains.indices.map { Double(parts[1][$0]) - Double(parts[2][$0]) * gains[$0] }
    let shape = [1, x.shape[1]] + Array(repeating: 1, count: x.shape.count - 2)
    func perChannel(_ values: [Double]) -> Value {
      .constant(.init(shape: shape, values: .floats(values.map { Float($0) })))
    }
    let scaled = try binary(.multiply, .activation(x), perChannel(gains))
    set(try binary(.add, .activation(scaled), perChannel(offsets)))
  }
}
