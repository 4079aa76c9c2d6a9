internal import QDKernels

extension Lowering {
  /// With fewer pixels in a row than this, one product over all rows is worth the copy.
  static let fewestSegmentedRows = 8

  mutating func lowerConvolution(
    _ index: Int, _ window: Window, _ activation: Activation
  ) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let weightShape = shape(try self.input(index, 1))
    guard weightShape.count == 4, shape(input).count == 4 else {
      throw invalid(index, "\(shape(input)) and \(weightShape) are not both of four dimensions")
    }
    guard weightShape[3] == shape(input)[3] else {
      throw unsupported(
        index, "it has groups: \(shape(input)[3]) channels, \(weightShape[3]) in a kernel")
    }
    let placement = try KernelPlacement(
      window, image: shape(input), kernel: (weightShape[1], weightShape[2]), dataflow, index)
    let outputs = weightShape[0]
    try requireShape(
      output, [shape(input)[0], placement.outputHeight, placement.outputWidth, outputs], index)
    if isStored(index), !isByte(output) {
      return try lowerQS16Convolution(index, placement, outputs: outputs)
    }
    if isStored(index) {
      return try lowerQS8Convolution(index, placement, outputs: outputs, activation)
    }
    let inputs = weightShape[1] * weightShape[2] * weightShape[3]
    let kernelRow = isHybrid(index) ? kernelRow(placement) : nil
    let layer = try layer(
      index, outputs: outputs, inputs: inputs, kernelRow: kernelRow,
      rows: placement.isPointwise ? try elementCount(input) / inputs : .max)
    let (tensor, range, tanh) = fused(index, output, activation)
    var product = Step.Product(
      layer, rows: 0, inputs: kernelRow.map { $0.count * $0.padded } ?? inputs, outputs: outputs,
      range: range)
    let elementSize: Int
    if layer.type == .qd8, placement.isPointwise {
      // LiteRT runs these as fully connected layers: every pixel has its own parameters.
      let source = try quantizedRows(input, columns: inputs, for: index)
      product.source = address(source.bytes)
      product.parameters = address(source.parameters)
      product.parametersStride = 1
      product.rows = try elementCount(input) / inputs
      let (y, addend) = try result(index, tensor)
      product.destination = address(y)
      emit(product, adding: addend)
      if tanh { emitTanh(y, count: try elementCount(tensor)) }
      return
    }
    if layer.type == .f16 {
      // Only of pointwise convolutions, which are products of rows.
      let source = try f16Rows(input, columns: inputs, layer, for: index)
      product.source = address(source.bytes)
      product.parameters = address(source.parameters)
      product.rows = try elementCount(input) / inputs
      let (y, addend) = try result(index, tensor)
      product.destination = address(y)
      emit(product, adding: addend)
      if tanh { emitTanh(y, count: try elementCount(tensor)) }
      return
    }
    if layer.type == .qd8 {
      let source = try quantizedImages(input, padding: placement.padding, for: index)
      product.source = address(source.bytes)
      product.parameters = address(source.parameters)
      elementSize = 1
    } else {
      product.source = address(
        try paddedImages(
          try value(of: input, for: index), shape: shape(input), padding: placement.padding))
      elementSize = 4
    }
    let (y, addend) = try result(index, tensor)
    product.destination = address(y)
    if let addend, takesAddend(layer) { product.addend = address(addend) }
    try emit(product, placement, images: shape(input)[0], elementSize: elementSize)
    if let addend, product.addend == nil {
      emitSum(address(y), address(addend), count: try elementCount(tensor))
    }
    if tanh { emitTanh(y, count: try elementCount(tensor)) }
  }

  /// How the rows of a kernel are read from an image if they are not a multiple of 4 bytes: with
  /// the bytes that follow, for which the weights are 0.
  struct KernelRow: Hashable {
    var count: Int
    var length: Int
    var padded: Int

    /// Bytes that may be read after the image.
    static let slack = 3

    func arranged(_ layer: Layer) -> Layer {
      layer.arranged(inputs: count * padded) { weights in
        var result: [Int8] = []
        result.reserveCapacity(weights.count / length * padded)
        for first in stride(from: 0, to: weights.count, by: length) {
          result += weights[first..<first + length]
          result += repeatElement(0, count: padded - length)
        }
        return result
      }
    }
  }

  /// `nil` if rows are a multiple of 4 already, or are not read in place.
  func kernelRow(_ placement: KernelPlacement) -> KernelRow? {
    let length = placement.kernelWidth * placement.channels
    let row = KernelRow(count: placement.kernelHeight, length: length, padded: (length + 3) & ~3)
    guard row.count > 1, row.padded != length, placement.outputWidth >= Self.fewestSegmentedRows,
      placement.kernelWidth == 1 || placement.window.dilationWidth == 1,
      row.count * row.padded <= QS8GEMMWeights.maximumInputs
    else { return nil }
    return row
  }

  /// The products of consecutive padded images.
  mutating func emit(
    _ product: Step.Product, _ placement: KernelPlacement, images: Int, elementSize: Int
  ) throws(EngineError) {
    var product = product
    let outputStep = placement.outputHeight * placement.outputWidth * product.outputs
    for _ in 0..<images {
      try emit(product, placement, elementSize: elementSize)
      product.source.offset += Int32(elementSize * placement.imageCount)
      product.parameters.offset += Int32(Self.parametersSize)
      product.destination.offset += Int32(product.layer.type.resultSize * outputStep)
      product.addend?.offset += Int32(product.layer.type.resultSize * outputStep)
    }
  }

  /// The products of one padded image.
  private mutating func emit(
    _ product: Step.Product, _ placement: KernelPlacement, elementSize: Int
  ) throws(EngineError) {
    var product = product
    let channels = placement.channels
    let rowStep = placement.rowCount * placement.window.strideHeight
    let pixelStep = channels * placement.window.strideWidth
    if placement.isContiguous {
      // Every output pixel reads a contiguous part of the padded row.
      product.sourceStride = pixelStep
      product.rows = placement.outputWidth
      product.repeats = placement.outputHeight
      product.sourceStep = rowStep
      product.destinationStep = placement.outputWidth * product.destinationStride
      if pixelStep * placement.outputWidth == rowStep {
        product.rows *= product.repeats
        product.repeats = 1
      }
      return emit(product)
    }
    if placement.outputWidth >= Self.fewestSegmentedRows,
      placement.kernelWidth == 1 || placement.window.dilationWidth == 1,
      elementSize == 4
        || RowSegments.canCut(inputs: product.inputs, into: placement.kernelHeight)
    {
      // Every output pixel reads a segment of several padded rows: no im2col.
      product.segments = RowSegments(
        count: placement.kernelHeight,
        step: placement.rowCount * placement.window.dilationHeight)
      product.sourceStride = pixelStep
      product.rows = placement.outputWidth
      product.repeats = placement.outputHeight
      product.sourceStep = rowStep
      product.destinationStep = placement.outputWidth * product.destinationStride
      return emit(product)
    }
    let extents = [
      placement.outputHeight, placement.outputWidth, placement.kernelHeight, placement.kernelWidth,
      channels,
    ]
    let strides = [
      rowStep, pixelStep, placement.rowCount * placement.window.dilationHeight,
      channels * placement.window.dilationWidth, 1,
    ]
    product.rows = extents[0] * extents[1]
    let planes = product.planeStep == 0 ? 1 : 2
    let plane = try checkedProduct([product.rows, product.inputs, elementSize])
    let patches = try newStorage(.scratch, byteCount: try checkedProduct([planes, plane]))
    for index in 0..<planes {
      var source = product.source
      source.offset += Int32(index * product.planeStep)
      emitCopy(
        source, address(Value(storage: patches, offset: index * plane)), extents: extents,
        from: strides.map { $0 * elementSize },
        to: denseStrides(extents, elementSize: elementSize), elementSize: elementSize)
    }
    product.source = address(patches)
    product.planeStep = planes == 1 ? 0 : plane
    emit(product)
  }
}
