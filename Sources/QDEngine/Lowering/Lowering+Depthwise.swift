internal import QDKernels

extension Lowering {
  mutating func lowerDepthwise(
    _ index: Int, _ window: Window, _ activation: Activation
  ) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let weightTensor = try self.input(index, 1)
    let weightShape = shape(weightTensor)
    guard weightShape.count == 4, shape(input).count == 4, weightShape[0] == 1,
      weightShape[3].isMultiple(of: shape(input)[3])
    else { throw wrongShape(index, "\(shape(input)) and \(weightShape) do not go together") }
    let channels = weightShape[3]
    let image = Array(shape(input).dropLast()) + [channels]
    let placement = try KernelPlacement(
      window, image: image, kernel: (weightShape[1], weightShape[2]), dataflow, index)
    try requireShape(
      output, [image[0], placement.outputHeight, placement.outputWidth, channels], index)
    if isStored(index), isByte(output) {
      return try lowerQS8Depthwise(index, placement, image: image, activation)
    }
    let source = try repeatedChannels(input, times: channels / shape(input)[3], for: index)
    if isStored(index) {
      return try lowerQS16Depthwise(index, placement, source: source, image: image)
    }
    let bias = try bias(optionalInput(index, 2), count: channels, index)
    let (tensor, range, tanh) = fused(index, output, activation)
    let y = try destination(tensor, for: index)
    if isHybrid(index), graph.tensors[weightTensor].isConstant {
      let values = constantBytes(weightTensor)
      let order = DepthwiseTaps(height: weightShape[1], width: weightShape[2])
      let taps = try tapOffsets(placement, order)
      let images = try quantizedImages(source, shape: image, padding: placement.padding)
      let layer = Layer(
        weights: .qd8(
          { order.weights(values.decode(), channels: channels) },
          scales: try scales(weightTensor, axis: 3), bias: bias),
        outputs: channels, inputs: order.order.count)
      var step = Step.Depthwise(
        placement, addDepthwise(layer), source: address(images.bytes),
        tapOffsets: address(taps), destination: address(y), images: image[0])
      step.parameters = address(images.parameters)
      step.range = range
      emit(.depthwise(step), touching: [images.bytes, images.parameters, taps, y.storage])
    } else {
      let layer = Layer(
        weights: .f32(try constantFloats(weightTensor, as: plan.views[index]).decode, bias: bias),
        outputs: channels, inputs: weightShape[1] * weightShape[2], kernelRows: weightShape[1])
      emit(
        .f32Depthwise(
          Step.Slide(
            source: address(source), destination: address(y),
            sliding: SlidingWindow(placement, image: image), range: range),
          addDepthwise(layer)),
        touching: [source.storage, y.storage])
    }
    if tanh { emitTanh(y, count: try elementCount(tensor)) }
  }

  /// The offsets of all taps, in elements, as a constant, row by row or in another order.
  ///
  /// - Parameter columns: elements of the columns of equal remainder, if the image is split.
  mutating func tapOffsets(
    _ placement: KernelPlacement, _ order: DepthwiseTaps?, columns: Int? = nil
  ) throws(EngineError) -> Int {
    let window = placement.window
    var offsets: [Int] = []
    for row in 0..<placement.kernelHeight {
      for column in 0..<placement.kernelWidth {
        let across = column * window.dilationWidth
        if let columns {
          offsets.append(
            row * window.dilationHeight * placement.split.rowCount
              + across % window.strideWidth * columns
              + across / window.strideWidth * placement.channels)
        } else {
          offsets.append(
            row * window.dilationHeight * placement.rowCount + across * placement.channels)
        }
      }
    }
    let inOrder = order?.offsets(offsets) ?? offsets
    return try constantStorage(
      inOrder.flatMap { tap in (0..<8).map { UInt8(truncatingIfNeeded: tap >> (8 * $0)) } })
  }

  /// Every channel repeated as often as the multiplier of the operator.
  mutating func repeatedChannels(
    _ tensor: Int, times: Int, for index: Int
  ) throws(EngineError) -> Value {
    let source = try value(of: tensor, for: index)
    if times == 1 { return source }
    let count = try elementCount(tensor)
    let size = elementSize(tensor, for: index)
    let bytes = try checkedProduct([size, count, times])
    let result = Value(storage: try newStorage(.scratch, byteCount: bytes))
    emitCopy(
      address(source), address(result), extents: [count, times], from: [size, 0],
      to: [size * times, size], elementSize: size)
    return result
  }
}
