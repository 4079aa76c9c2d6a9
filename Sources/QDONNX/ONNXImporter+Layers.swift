internal import QDEngine

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
    /// The size of the output.
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

  /// Whether TFLite's SAME padding is that of the placement.
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

  /// The input for a window of TFLite: padded by a PAD if neither SAME nor VALID fits.
  mutating func padded(
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
    var x = try activation(0)
    var weights = try constant(1)
    var groups = integer("group", 1)
    guard x.shape.count == weights.shape.count, x.shape.count == 3 || x.shape.count == 4,
      groups > 0, weights.shape[1] * groups == x.shape[1], weights.shape[0] > 0,
      weights.shape[0] % groups == 0
    else { throw unsupported("its input is \(x.shape), its weights are \(weights.shape)") }
    if let rows = windows[x.tensor] {
      (x, weights, groups) = try acrossHops(x, rows, weights, groups)
    }
    let placement = try placement(kernel: Array(weights.shape[2...]), on: x.shape)
    let outputs = weights.shape[0]
    let bias = has(2) ? try constant(2).floats : Array(repeating: 0, count: outputs)
    guard bias.count == outputs else { throw unsupported("it has \(bias.count) biases") }
    let (data, window) = try padded(x, placement)
    set(try convolved(data, weights, bias: bias, groups: groups, window, placement.output))
  }

  /// A convolution over several hops as one over the channels of all of them, which are not
  /// concatenated before the product.
  private mutating func acrossHops(
    _ x: Activation, _ rows: [Activation], _ weights: Constant, _ groups: Int
  ) throws(ONNXError) -> (Activation, Constant, Int) {
    let count = rows.count
    guard weights.shape[2] == count, integers("strides")?[0] ?? 1 == 1,
      integers("dilations")?[0] ?? 1 == 1,
      integers("pads").map({ $0[0] == 0 && $0[2] == 0 }) ?? true,
      string("auto_pad", "NOTSET") == "NOTSET"
    else { return (x, weights, groups) }
    let (outputs, width) = (weights.shape[0], weights.shape[3])
    let (channels, inner) = (x.shape[1], weights.shape[1])
    var values = Array(repeating: Float(0), count: outputs * channels * count * width)
    let source = weights.floats
    for output in 0..<outputs {
      let first = output / (outputs / groups) * inner
      for channel in 0..<inner {
        for row in 0..<count {
          for column in 0..<width {
            let place = ((output * count + row) * channels + first + channel) * width + column
            values[place] = source[((output * inner + channel) * count + row) * width + column]
          }
        }
      }
    }
    return (
      try joined(rows, axis: 1), .floats(values, [outputs, channels * count, 1, width]), 1
    )
  }

  /// A convolution of data with its channels last, padded by the window.
  /// - Parameters:
  ///   - weights: [outputs, channels of a group, height, width], or without the height.
  ///   - size: height and width of the result.
  mutating func convolved(
    _ data: Activation, _ weights: Constant, bias: [Float], groups: Int, _ window: Window,
    _ size: [Int]
  ) throws(ONNXError) -> Activation {
    var weights = weights
    if weights.shape.count == 3 { weights.shape.insert(1, at: 2) }
    let extents = weights.shape
    let outputs = extents[0]
    func shape(_ channels: Int) -> [Int] {
      [data.shape[0], channels] + (data.shape.count == 3 ? [size[1]] : size)
    }
    if groups == 1 {
      let matrix = self.weights(
        permuted(weights.floats, extents, [0, 2, 3, 1]),
        [extents[0], extents[2], extents[3], extents[1]], axis: 0, steps: weights.steps)
      return emit(
        .convolution(window, .none), [data.tensor, matrix, floats(bias, [outputs])],
        shape: shape(outputs), isChannelsLast: true)
    }
    if extents[1] == 1 {
      let matrix = self.weights(
        permuted(weights.floats, extents, [1, 2, 3, 0]),
        [1, extents[2], extents[3], extents[0]], axis: 3, steps: weights.steps)
      return emit(
        .depthwiseConvolution(window, multiplier: outputs / groups, .none),
        [data.tensor, matrix, floats(bias, [outputs])], shape: shape(outputs),
        isChannelsLast: true)
    }
    let count = outputs / groups
    // With few weights, one product with zeros between the groups is cheaper than several.
    if outputs * extents[1] * groups * extents[2] * extents[3] <= Self.mostWithZeros {
      var dense = Constant.floats(
        Array(repeating: 0, count: weights.count * groups),
        [outputs, extents[1] * groups, extents[2], extents[3]])
      let block = extents[1] * extents[2] * extents[3]
      var values = dense.floats
      for (index, value) in weights.floats.enumerated() {
        let output = index / block
        values[output * block * groups + output / count * block + index % block] = value
      }
      dense.values = .floats(values)
      return try convolved(data, dense, bias: bias, groups: 1, window, size)
    }
    guard groups <= 256 else { throw unsupported("it has \(groups) groups") }
    var parts: [Activation] = []
    for group in 0..<groups {
      let range = Array(group * count..<(group + 1) * count)
      var kernel = weights.taking(range, axis: 0)
      kernel.steps =
        weights.steps.count == 1
        ? weights.steps
        : range.compactMap { index in
          weights.steps.indices.contains(index) ? weights.steps[index] : nil
        }
      let source = part(data, axis: 1, group * extents[1]..<(group + 1) * extents[1])
      parts.append(
        try convolved(
          source, kernel, bias: range.map { bias[$0] }, groups: 1, window, size))
    }
    return try joined(parts, axis: 1)
  }

  /// Grouped convolutions with no more weights, including the zeros, become one product.
  private static var mostWithZeros: Int { 16384 }

  mutating func convertPool(isMaximum: Bool) throws(ONNXError) {
    let x = try activation(0)
    guard node.outputs.count == 1, let kernel = integers("kernel_shape") else {
      throw unsupported("it gives indices, or has no kernel")
    }
    let placement = try placement(kernel: kernel, on: x.shape)
    guard placement.dilations == [1, 1] else { throw unsupported("it is dilated") }
    let same = isSame(placement, x.shape)
    let includesZeros = integer("count_include_pad", 0) != 0
    // TFLite's mean excludes its own padding, and a PAD adds zeros.
    let isUneven = !isMaximum && placement.isPadded && !includesZeros && !same
    var (data, window) = (try channelsLast(x), Window(padding: .valid))
    if placement.isPadded, !isMaximum, includesZeros || isUneven {
      var explicit = placement
      // Not TFLite's own padding here.
      explicit.output = [0, 0]
      (data, window) = try padded(x, explicit)
    } else if isMaximum, placement.isPadded, !same, !isPositive(x) {
      // Padding is below every value, unless a window has nothing else.
      var place = placement
      (place.before, place.after) = ([0, 0], [0, 0])
      let spatial = x.shape.count - 2
      let wide = try filled(
        x, [0, 0] + placement.before[(2 - spatial)...], [0, 0] + placement.after[(2 - spatial)...],
        with: -.greatestFiniteMagnitude)
      (data, window) = try padded(wide, place)
    } else {
      (data, window) = try padded(x, placement)
    }
    let shape =
      [x.shape[0], x.shape[1]] + (x.shape.count == 3 ? [placement.output[1]] : placement.output)
    let (height, width) = (placement.kernel[0], placement.kernel[1])
    let result = emit(
      isMaximum
        ? .maxPool(window, height: height, width: width, .none)
        : .averagePool(window, height: height, width: width, .none), [data.tensor],
      shape: shape, isChannelsLast: true)
    guard isUneven else { return set(result) }
    let image = x.shape.count == 3 ? [1, x.shape[2]] : Array(x.shape[2...])
    let counts = (0..<2).map { axis in
      (0..<placement.output[axis]).map { index in
        let start = index * placement.strides[axis] - placement.before[axis]
        return Float(min(start + placement.kernel[axis], image[axis]) - max(start, 0))
      }
    }
    let factors = counts[0].flatMap { rows in
      counts[1].map { Float(height * width) / max(rows * $0, 1) }
    }
    set(
      try binary(
        .multiply, .activation(result),
        .constant(.floats(factors, [1, 1] + shape[2...]))))
  }

  /// Whether zeros around a value are no greater than it, because it comes from a RELU.
  private func isPositive(_ x: Activation) -> Bool {
    graph.operators.contains { node in
      guard node.outputs == [x.tensor], case .unary(let function) = node.kind else { return false }
      return [.relu, .relu6, .relu0To1, .logistic].contains(function)
    }
  }

  // MARK: Products

  mutating func convertGemm() throws(ONNXError) {
    var x = plain(try activation(0))
    let (alpha, beta) = (float("alpha", 1), float("beta", 1))
    guard x.shape.count == 2 else { throw unsupported("its input is \(x.shape)") }
    if integer("transA", 0) != 0 { x = transposed(x, [1, 0]) }
    let isTransposed = integer("transB", 0) != 0
    guard case .constant(let weights) = try value(1) else {
      var b = plain(try activation(1))
      if isTransposed { b = transposed(b, [1, 0]) }
      var product = try multiplied(x, b)
      if alpha != 1 { product = try binary(.multiply, .activation(product), number(alpha)) }
      guard has(2) else { return set(product) }
      var bias = try value(2)
      if beta != 1 { bias = .activation(try binary(.multiply, bias, number(beta))) }
      return set(try binary(.add, .activation(product), bias))
    }
    guard weights.shape.count == 2 else { throw unsupported("its weights are \(weights.shape)") }
    let (inputs, outputs) =
      isTransposed
      ? (weights.shape[1], weights.shape[0]) : (weights.shape[0], weights.shape[1])
    guard inputs == x.shape[1] else {
      throw unsupported("its input is \(x.shape), its weights are \(weights.shape)")
    }
    var matrix = isTransposed ? weights.floats : permuted(weights.floats, weights.shape, [1, 0])
    if alpha != 1 { matrix = matrix.map { $0 * alpha } }
    let steps = alpha == 1 ? weights.steps : []
    var bias: [Float]?
    var rest: Value?
    if has(2) {
      let addend = try value(2)
      if case .constant(let constant) = addend,
        constant.count == 1 || constant.shape == [outputs] || constant.shape == [1, outputs]
      {
        let values = constant.floats.map { $0 * beta }
        bias = values.count == 1 ? Array(repeating: values[0], count: outputs) : values
      } else {
        rest = beta == 1 ? addend : .activation(try binary(.multiply, addend, number(beta)))
      }
    }
    let product = dense(
      x, matrix, bias: bias, inputs: inputs, outputs: outputs,
      shape: [x.shape[0], outputs], steps: steps)
    set(
      try rest.map { rest throws(ONNXError) in
        try binary(.add, .activation(product), rest)
      } ?? product)
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
    if case .constant(let weights) = try value(1), weights.shape.count == 2,
      case let x = plain(try activation(0)), x.shape.count >= 2
    {
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
    set(try multiplied(plain(try activation(0)), plain(try activation(1))))
  }

  /// A product of matrices in the last two dimensions; those before are broadcast, and a vector is
  /// a row on the left and a column on the right.
  mutating func multiplied(_ a: Activation, _ b: Activation) throws(ONNXError) -> Activation {
    let (isRow, isColumn) = (a.shape.count == 1, b.shape.count == 1)
    let left = isRow ? reshaped(a, [1] + a.shape) : a
    let right = isColumn ? reshaped(b, b.shape + [1]) : b
    let (x, y) = (left.shape, right.shape)
    guard x.count >= 2, y.count >= 2, x[x.count - 1] == y[y.count - 2] else {
      throw unsupported("its inputs are \(a.shape) and \(b.shape)")
    }
    let batches = try Self.spread(x.dropLast(2), y.dropLast(2), self)
    let product = emit(
      .batchMatMul(adjointX: false, adjointY: false), [left.tensor, right.tensor],
      shape: batches + [x[x.count - 2], y[y.count - 1]])
    if !isRow && !isColumn { return product }
    return reshaped(
      product, batches + (isRow ? [] : [x[x.count - 2]]) + (isColumn ? [] : [y[y.count - 1]]))
  }
}
