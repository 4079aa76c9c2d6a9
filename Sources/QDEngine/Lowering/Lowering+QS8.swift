internal import QDKernels

/// Operators that compute in integers.
extension Lowering {
  private func qs8Layer(
    _ index: Int, outputs: Int, inputs: Int, _ activation: Activation
  ) throws(EngineError) -> Layer {
    let tensor = try input(index, 1)
    let values = constantBytes(tensor)
    guard values.count == outputs * inputs else { throw invalid(index, "its weights do not fit") }
    let bias =
      optionalInput(index, 2).map(integerBias) ?? Array(repeating: 0, count: outputs)
    guard bias.count == outputs else {
      throw invalid(index, "it has \(bias.count) biases for \(outputs) outputs")
    }
    let scales = graph.tensors[tensor].quantization?.scales ?? []
    let source = try integerForm(try input(index, 0))
    let result = try integerForm(try output(index))
    guard let range = result.range(activation), scales.count == 1 || scales.count == outputs else {
      throw invalid(index, "it has \(scales.count) scales for \(outputs) outputs")
    }
    let qs8 = Layer.QS8(
      values: values.decode, bias: bias,
      multipliers: (0..<outputs).map {
        source.scale * scales[scales.count == 1 ? 0 : $0] / result.scale
      },
      zeroPoint: source.zeroPoint, output: QS8Output(zeroPoint: result.zeroPoint, range: range))
    return Layer(weights: .qs8(qs8), outputs: outputs, inputs: inputs)
  }

  // MARK: Products

  mutating func lowerQS8FullyConnected(
    _ index: Int, rows: Int, outputs: Int, inputs: Int, _ activation: Activation
  ) throws(EngineError) {
    var layer = try qs8Layer(index, outputs: outputs, inputs: inputs, activation)
    layer.isSparse = staysSparse(try input(index, 1), rows: rows, inputs: inputs)
    var product = Step.Product(addGEMM(layer), rows: rows, inputs: inputs, outputs: outputs)
    product.source = address(try value(of: try input(index, 0), for: index))
    product.destination = address(try destination(try output(index), for: index))
    emit(product)
  }

  mutating func lowerQS8Convolution(
    _ index: Int, _ placement: KernelPlacement, outputs: Int, _ activation: Activation
  ) throws(EngineError) {
    let input = try input(index, 0)
    let inputs = placement.kernelHeight * placement.kernelWidth * placement.channels
    var layer = try qs8Layer(index, outputs: outputs, inputs: inputs, activation)
    let kernelRow = kernelRow(placement)
    if let kernelRow { layer = kernelRow.arranged(layer) }
    if placement.isPointwise {
      layer.isSparse = staysSparse(
        try self.input(index, 1), rows: try elementCount(input) / inputs, inputs: inputs)
    }
    var product = Step.Product(addGEMM(layer), rows: 0, inputs: layer.inputs, outputs: outputs)
    product.source = address(
      try paddedImages(
        try value(of: input, for: index), shape: shape(input), padding: placement.padding,
        size: 1, zeroByte: try zeroByte(input, for: index),
        slack: kernelRow == nil ? 0 : KernelRow.slack))
    product.destination = address(try destination(try output(index), for: index))
    try emit(product, placement, images: shape(input)[0], elementSize: 1)
  }

  /// With few channels, neighbouring pixels are treated as channels of one. They must be adjacent,
  /// so images whose kernel has a stride are split into columns of equal remainder.
  mutating func lowerQS8Depthwise(
    _ index: Int, _ placement: KernelPlacement, image: [Int], _ activation: Activation
  ) throws(EngineError) {
    let input = try input(index, 0)
    let channels = placement.channels
    let taps = placement.kernelHeight * placement.kernelWidth
    let order = DepthwiseTaps(height: placement.kernelHeight, width: placement.kernelWidth)
    let layer = try qs8Layer(index, outputs: channels, inputs: taps, activation)
      .arranged(inputs: order.order.count) { order.weights($0, channels: channels) }
    let group = min(
      max(QS8DepthwiseWeights.block(instructionSet) / channels, 1), placement.outputWidth)
    let times = channels / shape(input)[3]
    let isSplit = group > 1 && (times > 1 || placement.window.strideWidth > 1)
    let source =
      isSplit
      ? try splitImages(index, placement, times: times)
      : try paddedImages(
        try repeatedChannels(input, times: times, for: index), shape: image,
        padding: placement.padding,
        size: 1, zeroByte: try zeroByte(input, for: index))
    let split = placement.split
    let offsets = try tapOffsets(placement, order, columns: isSplit ? split.columns : nil)
    let y = try destination(try output(index), for: index)
    var step = Step.Depthwise(
      placement, addDepthwise(layer.repeated(group)), source: address(source),
      tapOffsets: address(offsets), destination: address(y), images: image[0])
    step.group = group
    if isSplit {
      step.imageStep = split.imageCount
      step.rowStep = split.rowCount * placement.window.strideHeight
      step.pixelStride = channels
    }
    emit(.depthwise(step), touching: [source.storage, offsets, y.storage])
  }

  /// Padded images whose channels are repeated, split into columns of equal remainder.
  private mutating func splitImages(
    _ index: Int, _ placement: KernelPlacement, times: Int
  ) throws(EngineError) -> Value {
    let x = try callInput(index, 0)
    let zero = try zeroByte(try input(index, 0), for: index)
    let (images, height, width, inputs) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    let (split, padding, stride) = (
      placement.split, placement.padding, placement.window.strideWidth
    )
    let count = try checkedProduct([images, split.imageCount])
    let result = Value(storage: try newStorage(.scratch, byteCount: count))
    let y = CallOperand(address: address(result), shape: [count], count: count, type: .uint8)
    let channels = inputs * times
    emitCall(index, [x, y]) { network in
      let (source, target) = unsafe (network.bytes(x), network.bytes(y))
      unsafe target.update(repeating: zero)
      for image in 0..<images {
        for row in 0..<height {
          let first = image * split.imageCount + (padding.top + row) * split.rowCount
          let from = unsafe source.part((image * height + row) * width * inputs, width * inputs)
          for phase in 0..<stride {
            // The first column of the image with this remainder, and its destination.
            let column = (phase - padding.before % stride + stride) % stride
            if column >= width { continue }
            let place = (padding.before + column) / stride
            let pixels = (width - column - 1) / stride + 1
            let to = unsafe target.part(
              first + phase * split.columns + place * channels, pixels * channels)
            unsafe repeatChannels(from, from: column, step: stride, inputs, times, into: to)
          }
        }
      }
    }
    return result
  }
}

/// Every channel repeated `times` times, for every `step`th pixel.
private func repeatChannels(
  _ source: UnsafeMutableBufferPointer<UInt8>, from first: Int, step: Int, _ channels: Int,
  _ times: Int, into target: UnsafeMutableBufferPointer<UInt8>
) {
  let pixels = target.count / (channels * times)
  precondition(first + (pixels - 1) * step < source.count / channels, "outside of the row")
  guard let input = source.baseAddress, let output = target.baseAddress else { return }
  if times == 8 {
    for pixel in 0..<pixels {
      for channel in 0..<channels {
        let byte = unsafe input[(first &+ pixel &* step) &* channels &+ channel]
        unsafe UnsafeMutableRawPointer(output + (pixel &* channels &+ channel) &* 8).storeBytes(
          of: UInt64(byte) &* 0x0101_0101_0101_0101, as: UInt64.self)
      }
    }
    return
  }
  for pixel in 0..<pixels {
    for channel in 0..<channels {
      let byte = unsafe input[(first &+ pixel &* step) &* channels &+ channel]
      for copy in 0..<times {
        unsafe output[(pixel &* channels &+ channel) &* times &+ copy] = byte
      }
    }
  }
}
