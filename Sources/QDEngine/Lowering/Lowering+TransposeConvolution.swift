extension Lowering {
  /// A transposed convolution is computed as a convolution by the rotated kernel over the image
  /// with zeros between its pixels, in float32 whatever the weights are.
  mutating func lowerTransposeConvolution(
    _ index: Int, _ window: Window, _ activation: Activation
  ) throws(EngineError) {
    let weightTensor = try input(index, 1)
    let input = try input(index, 2)
    let output = try output(index)
    let (image, kernel) = (shape(input), shape(weightTensor))
    if infersShapes { try requireShape(output, try integers(try self.input(index, 0)), index) }
    let result = shape(output)
    guard image.count == 4, kernel.count == 4, result.count == 4, image[3] == kernel[3],
      image[0] == result[0], kernel[0] == result[3]
    else { throw wrongShape(index, "\(image) and \(kernel) do not give \(result)") }
    let vertical = try spread(image[1], kernel[1], window.strideHeight, result[1], window, index)
    let horizontal = try spread(image[2], kernel[2], window.strideWidth, result[2], window, index)

    let spreadShape = [image[0], vertical.extent, horizontal.extent, image[3]]
    let count = try checkedProduct(spreadShape)
    let zeros = Value(storage: try newStorage(.scratch, byteCount: try checkedProduct([4, count])))
    emit(.fill(address(zeros), count: 4 * count, byte: 0), touching: [zeros.storage])
    let strides = denseStrides(spreadShape, elementSize: 4)
    let first = 4 * (vertical.first * horizontal.extent + horizontal.first) * image[3]
    let source = try value(of: input, for: index)
    emitCopy(
      address(source), address(Value(storage: zeros.storage, offset: first)), extents: image,
      from: denseStrides(image, elementSize: 4),
      to: [
        strides[0], strides[1] * window.strideHeight, strides[2] * window.strideWidth, strides[3],
      ])

    let placement = try KernelPlacement(
      Window(padding: .valid), image: spreadShape, kernel: (kernel[1], kernel[2]), dataflow, index)
    try requireShape(
      output, [image[0], placement.outputHeight, placement.outputWidth, kernel[0]], index)
    let taps = kernel[1] * kernel[2]
    let values = try constantFloats(weightTensor)
    guard values.count == kernel.reduce(1, *) else {
      throw invalid(index, "its weights do not fit")
    }
    let turned = {
      let values = values.decode()
      return (0..<kernel[0] * taps).flatMap { tap in
        let (channel, position) = tap.quotientAndRemainder(dividingBy: taps)
        let from = (channel * taps + taps - 1 - position) * image[3]
        return values[from..<from + image[3]]
      }
    }
    let layer = addGEMM(
      Layer(
        weights: .f32(
          turned, bias: try bias(optionalInput(index, 3), count: kernel[0], index)),
        outputs: kernel[0], inputs: taps * image[3]))
    let (tensor, range, tanh) = fused(index, output, activation)
    var product = Step.Product(
      layer, rows: 0, inputs: taps * image[3], outputs: kernel[0], range: range)
    product.source = address(zeros)
    product.destination = address(try destination(tensor, for: index))
    try emit(product, placement, images: image[0], elementSize: 4)
    if tanh { emitTanh(try destination(tensor, for: index), count: try elementCount(tensor)) }
  }

  /// One dimension of the image with zeros: its length, and the index of its first pixel.
  private func spread(
    _ extent: Int, _ kernel: Int, _ stride: Int, _ outputs: Int, _ window: Window, _ index: Int
  ) throws(EngineError) -> (extent: Int, first: Int) {
    guard (1...Storage.limit).contains(stride) else {
      throw invalid(index, "its stride is \(stride)")
    }
    let reach = (extent - 1) * stride + kernel
    let before = window.padding == .same ? max(reach - outputs, 0) / 2 : 0
    let first = kernel - 1 - before
    let whole = outputs + kernel - 1
    guard first >= 0, first + (extent - 1) * stride < whole else {
      throw invalid(index, "\(outputs) outputs do not follow from \(extent) inputs")
    }
    return (whole, first)
  }
}
