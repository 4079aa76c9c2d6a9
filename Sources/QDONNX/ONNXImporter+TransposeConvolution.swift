internal import QDEngine

extension ONNXImporter {
  /// A transposed convolution along height and width.
  private struct Widening {
    var kernel: [Int]
    var strides: [Int]
    var dilations: [Int]
    var before: [Int]
    /// Height and width of the input, of the whole result, and of the wanted part of that.
    var image: [Int]
    var whole: [Int]
    var wanted: [Int]
    var groups: Int

    func reach(_ axis: Int) -> Int { (kernel[axis] - 1) * dilations[axis] }
  }

  mutating func convertTransposeConvolution() throws(ONNXError) {
    let x = try activation(0)
    var weights = try constant(1)
    let spatial = x.shape.count - 2
    let groups = integer("group", 1)
    guard x.shape.count == weights.shape.count, spatial == 1 || spatial == 2,
      weights.shape[0] == x.shape[1], groups > 0, weights.shape[0] % groups == 0
    else { throw unsupported("its input is \(x.shape), its weights are \(weights.shape)") }
    if weights.shape.count == 3 { weights.shape.insert(1, at: 2) }
    let widening = try widening(x, weights, spatial, groups)
    let outputs = weights.shape[1] * groups
    let bias = has(2) ? try constant(2).floats : Array(repeating: 0, count: outputs)
    guard bias.count == outputs else { throw unsupported("it has \(bias.count) biases") }
    let data = try channelsLast(x)
    let isPlain = widening.strides == [1, 1] || widening.dilations == [1, 1]
    if groups == 1, widening.dilations == [1, 1] {
      set(try native(data, weights, bias, widening))
    } else if isPlain, widening.strides[0] == 1 {
      set(try phases(data, weights, bias, widening))
    } else {
      guard groups <= 256, widening.dilations == [1, 1] else {
        throw unsupported("it has dilations and strides")
      }
      var parts: [Activation] = []
      let (inputs, count) = (weights.shape[0] / groups, weights.shape[1])
      for group in 0..<groups {
        parts.append(
          try native(
            part(data, axis: 1, group * inputs..<(group + 1) * inputs),
            weights.taking(Array(group * inputs..<(group + 1) * inputs), axis: 0),
            Array(bias[group * count..<(group + 1) * count]), widening))
      }
      set(try joined(parts, axis: 1))
    }
  }

  private func widening(
    _ x: Activation, _ weights: Constant, _ spatial: Int, _ groups: Int
  ) throws(ONNXError) -> Widening {
    func wide(_ name: String, _ value: Int, _ range: Range<Int>) throws(ONNXError) -> [Int] {
      let list = integers(name) ?? Array(repeating: value, count: range.upperBound)
      guard list.count >= range.upperBound, list.allSatisfy({ (0...1 << 20).contains($0) }) else {
        throw unsupported("its \(name) are \(list)")
      }
      return Array(repeating: value, count: 2 - spatial) + list[range]
    }
    var result = Widening(
      kernel: Array(weights.shape[2...]), strides: try wide("strides", 1, 0..<spatial),
      dilations: try wide("dilations", 1, 0..<spatial),
      before: try wide("pads", 0, 0..<spatial),
      image: spatial == 1 ? [1, x.shape[2]] : Array(x.shape[2...]), whole: [], wanted: [],
      groups: groups)
    var after = try wide("pads", 0, spatial..<2 * spatial)
    let extra = try wide("output_padding", 0, 0..<spatial)
    guard (result.strides + result.dilations + result.kernel).allSatisfy({ $0 > 0 }) else {
      throw unsupported("its strides, dilations or kernel are 0")
    }
    result.whole = (0..<2).map {
      (result.image[$0] - 1) * result.strides[$0] + result.reach($0) + 1
    }
    let auto = string("auto_pad", "NOTSET")
    let listed = integers("output_shape").map { Array($0.suffix(spatial)) }
    for axis in 0..<2 {
      var size: Int?
      if let listed { size = axis - (2 - spatial) < 0 ? 1 : listed[axis - (2 - spatial)] }
      if auto.hasPrefix("SAME"), size == nil { size = result.image[axis] * result.strides[axis] }
      guard let size else { continue }
      let total = result.whole[axis] + extra[axis] - size
      guard total > 0 else {
        (result.before[axis], after[axis]) = (0, total)
        continue
      }
      let isUpper = auto == "SAME_UPPER"
      result.before[axis] = isUpper || auto == "NOTSET" ? total / 2 : total - total / 2
      after[axis] = total - result.before[axis]
    }
    result.wanted = (0..<2).map {
      result.whole[$0] - result.before[$0] - after[$0] + extra[$0]
    }
    guard result.wanted.allSatisfy({ $0 > 0 }) else { throw unsupported("nothing comes out of it") }
    return result
  }

  /// The wanted part of [N, H, W, C], with only the bias where the kernel did not reach.
  private mutating func cropped(
    _ x: Activation, _ bias: [Float], _ widening: Widening
  ) throws(ONNXError) -> Activation {
    let spatial = x.shape.count - 2
    var result = x
    for axis in 0..<2 where axis >= 2 - spatial {
      let place = axis + spatial
      let (start, size) = (widening.before[axis], widening.wanted[axis])
      let end = min(start + size, result.shape[place])
      guard start < end else { throw unsupported("nothing comes out of it") }
      result =
        start == 0 && end == result.shape[place]
        ? result : part(result, axis: place, start..<end)
      guard start + size > end else { continue }
      var shape = result.shape
      shape[place] = start + size - end
      let rest = try spread(
        .floats(bias, [1, bias.count] + shape[2...].map { _ in 1 }), over: shape)
      let filler = Activation(tensor: floats(rest.floats, shape), shape: shape)
      result = try joined([result, filler], axis: place)
    }
    return result
  }

  /// As TFLite's own operator.
  private mutating func native(
    _ data: Activation, _ weights: Constant, _ bias: [Float], _ widening: Widening
  ) throws(ONNXError) -> Activation {
    let outputs = weights.shape[1]
    let whole = widening.whole
    let matrix = floats(
      permuted(weights.floats, weights.shape, [1, 2, 3, 0]),
      [outputs] + widening.kernel + [weights.shape[0]])
    let shape = [data.shape[0], outputs] + (data.shape.count == 3 ? [whole[1]] : whole)
    let result = emit(
      .transposeConvolution(
        Window(
          padding: .valid, strideHeight: widening.strides[0], strideWidth: widening.strides[1]),
        .none),
      [
        counts([data.shape[0]] + whole + [outputs]), matrix, data.tensor, floats(bias, [outputs]),
      ], shape: shape, isChannelsLast: true, version: 3)
    return try cropped(result, bias, widening)
  }

  /// Every column of the result with the same remainder modulo the stride depends on the same part
  /// of the kernel: a convolution for each remainder, and their results interleaved.
  private mutating func phases(
    _ data: Activation, _ weights: Constant, _ bias: [Float], _ widening: Widening
  ) throws(ONNXError) -> Activation {
    let stride = widening.strides[1]
    let (kernel, dilations) = (widening.kernel, widening.dilations)
    // The maximum number of input columns for a column of the result.
    let most = (kernel[1] + stride - 1) / stride
    let reach = stride == 1 ? widening.reach(1) : most - 1
    let rows = widening.whole[0]
    let columns = widening.image[1] + reach
    let (groups, inputs) = (widening.groups, weights.shape[0] / widening.groups)
    // [outputs, inputs of a group, height, width], backwards.
    let count = weights.shape[1]
    let flipped = Constant.floats(
      weights.floats, [groups, inputs, count, kernel[0], kernel[1]]
    ).transposed([0, 2, 1, 3, 4]).reshaped([groups * count, inputs, kernel[0], kernel[1]])
      .taking(Array((0..<kernel[0]).reversed()), axis: 2)
    var parts: [Activation] = []
    for phase in 0..<stride {
      let taps =
        stride == 1
        ? Array(0..<kernel[1]) : Array(Swift.stride(from: phase, to: kernel[1], by: stride))
      var kernel = flipped.taking(taps.isEmpty ? [0] : taps.reversed(), axis: 3)
      if taps.isEmpty { kernel = .floats(kernel.floats.map { _ in 0 }, kernel.shape) }
      let before = stride == 1 ? reach : max(taps.count, 1) - 1
      let width = stride == 1 ? reach : kernel.shape[3] - 1
      let placement = Placement(
        kernel: Array(kernel.shape[2...]), strides: [1, 1],
        dilations: [dilations[0], stride == 1 ? dilations[1] : 1],
        before: [widening.reach(0), before],
        after: [widening.reach(0), columns - widening.image[1] - before + width], output: [0, 0])
      let (padded, window) = try padded(data, placement)
      parts.append(
        try convolved(
          padded, kernel, bias: bias, groups: groups, window, [rows, columns]))
    }
    guard stride > 1 else { return try cropped(parts[0], bias, widening) }
    let outputs = groups * count
    let places = parts.map { Optional($0.tensor) }
    let stored = [data.shape[0], rows, columns, stride, outputs]
    let packed = emit(.pack(axis: 3, count: stride), places, shape: stored)
    let shape =
      [data.shape[0], outputs] + (data.shape.count == 3 ? [] : [rows]) + [columns * stride]
    let last = Self.lastShape(shape)
    let wide = emit(.reshape, [packed.tensor, counts(last)], shape: shape, isChannelsLast: true)
    return try cropped(wide, bias, widening)
  }
}
