internal import QDKernels

/// Where the planes of high and low bytes of int16 values are stored.
struct PlaneValue {
  var storage: Int
  var step: Int
}

/// Layers with int16 activations and int8 weights (16x8).
extension Lowering {
  private func qs16Layer(
    _ index: Int, outputs: Int, inputs: Int, multiplierBits: Int
  ) throws(EngineError) -> Layer {
    let values = constantBytes(try input(index, 1))
    guard values.count == outputs * inputs else { throw invalid(index, "its weights do not fit") }
    var bias = [Int](repeating: 0, count: outputs)
    if let tensor = optionalInput(index, 2) { bias = try integers(tensor) }
    guard bias.count == outputs else {
      throw invalid(index, "it has \(bias.count) biases for \(outputs) outputs")
    }
    let form = try integerForm(try output(index))
    guard let range = form.range(graph.operators[index].kind.activation) else {
      throw unsupported(index, "its activation is no clamp")
    }
    let multipliers = try qs16Ratios(index, outputs: outputs)
      .map { QS16Output.multiplier($0, bits: multiplierBits) }
    return Layer(
      weights: .qs16(
        values.decode,
        QS16Output(bias: bias.map(Int64.init), multipliers: multipliers, range: range)),
      outputs: outputs, inputs: inputs)
  }

  // MARK: Products

  mutating func lowerQS16FullyConnected(
    _ index: Int, rows: Int, outputs: Int, inputs: Int
  ) throws(EngineError) {
    let layer = addGEMM(
      try qs16Layer(index, outputs: outputs, inputs: inputs, multiplierBits: 31))
    var product = Step.Product(layer, rows: rows, inputs: inputs, outputs: outputs)
    let source = try planes(
      index, try input(index, 0), shape: [1, 1, rows, inputs], padding: ImagePadding())
    product.source = address(source.storage)
    product.planeStep = source.step
    product.destination = address(try destination(try output(index), for: index))
    emit(product)
  }

  mutating func lowerQS16Convolution(
    _ index: Int, _ placement: KernelPlacement, outputs: Int
  ) throws(EngineError) {
    let input = try input(index, 0)
    let inputs = placement.kernelHeight * placement.kernelWidth * placement.channels
    var layer = try qs16Layer(index, outputs: outputs, inputs: inputs, multiplierBits: 15)
    if let kernelRow = kernelRow(placement) { layer = kernelRow.arranged(layer) }
    var product = Step.Product(addGEMM(layer), rows: 0, inputs: layer.inputs, outputs: outputs)
    let source = try planes(index, input, shape: shape(input), padding: placement.padding)
    product.source = address(source.storage)
    product.planeStep = source.step
    product.destination = address(try destination(try output(index), for: index))
    try emit(product, placement, images: shape(input)[0], elementSize: 1)
  }

  /// `source` has as many channels as the output.
  mutating func lowerQS16Depthwise(
    _ index: Int, _ placement: KernelPlacement, source: Value, image: [Int]
  ) throws(EngineError) {
    let layer = addDepthwise(
      try qs16Layer(
        index, outputs: placement.channels,
        inputs: placement.kernelHeight * placement.kernelWidth, multiplierBits: 15))
    let padded = try paddedImages(source, shape: image, padding: placement.padding, size: 2)
    let taps = try tapOffsets(placement, nil)
    let y = try destination(try output(index), for: index)
    emit(
      .depthwise(
        Step.Depthwise(
          placement, layer, source: address(padded),
          tapOffsets: address(taps), destination: address(y), images: image[0])),
      touching: [padded.storage, taps, y.storage])
  }

  /// A tensor of images [N, H, W, C] as planes, padded with zeros.
  private mutating func planes(
    _ index: Int, _ tensor: Int, shape: [Int], padding: ImagePadding
  ) throws(EngineError) -> PlaneValue {
    let key = QuantizationKey.image(tensor: tensor, padding: padding)
    if let value = planes[key] { return value }
    let source = try value(of: tensor, for: index)
    let step = try imageCount(shape, padding) + KernelRow.slack
    let result = PlaneValue(
      storage: try newStorage(.scratch, byteCount: try checkedProduct([2, step])), step: step)
    emit(
      .splitImage(
        Step.SplitImage(
          images: images(source, shape: shape, padding: padding, to: result.storage),
          planeStep: step)),
      touching: [source.storage, result.storage])
    planes[key] = result
    return result
  }
}
