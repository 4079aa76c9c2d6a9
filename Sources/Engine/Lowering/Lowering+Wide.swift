internal import Kernels

/// A 16x8 layer's weights before they are packed: [outputs][inputs], or of a depthwise convolution
/// [taps][channels], the taps being the inputs.
struct WideDescription {
  var weights: [Int8]
  var outputs: Int
  var inputs: Int
  var output: WideOutput
}

/// Where the planes of high and low bytes of int16 values lie.
struct PlaneValue {
  var storage: Int
  var step: Int
}

/// Layers with int16 activations and int8 weights (16x8).
extension Lowering {
  private func wideDescription(
    _ index: Int, outputs: Int, inputs: Int, multiplierBits: Int
  ) throws(EngineError) -> WideDescription {
    let data = graph.tensors[try input(index, 1)].data ?? []
    guard data.count == outputs * inputs else { throw invalid(index, "its weights do not fit") }
    var bias = [Int](repeating: 0, count: outputs)
    if let tensor = optionalInput(index, 2) { bias = try integers(tensor) }
    guard bias.count == outputs else {
      throw invalid(index, "it has \(bias.count) biases for \(outputs) outputs")
    }
    let form = try integerForm(try output(index))
    guard let range = form.range(graph.operators[index].kind.activation) else {
      throw unsupported(index, "its activation is no clamp")
    }
    let multipliers = try wideRatios(index, outputs: outputs)
      .map { WideOutput.multiplier($0, bits: multiplierBits) }
    return WideDescription(
      weights: data.map(Int8.init(bitPattern:)), outputs: outputs, inputs: inputs,
      output: WideOutput(bias: bias.map(Int64.init), multipliers: multipliers, range: range))
  }

  // MARK: Products

  mutating func lowerWideFullyConnected(
    _ index: Int, rows: Int, outputs: Int, inputs: Int
  ) throws(EngineError) {
    wideWeights.append(
      try wideDescription(index, outputs: outputs, inputs: inputs, multiplierBits: 31))
    var product = Step.Product(rows: rows, inputs: inputs, outputs: outputs, range: Self.unclamped)
    let source = try planes(
      index, try input(index, 0), shape: [1, 1, rows, inputs], padding: ImagePadding())
    product.source = address(source.storage)
    product.planeStep = source.step
    product.destination = address(try destination(try output(index), for: index))
    emit(product, .wide(wideWeights.count - 1))
  }

  mutating func lowerWideConvolution(
    _ index: Int, _ placement: KernelPlacement, outputs: Int
  ) throws(EngineError) {
    let input = try input(index, 0)
    let inputs = placement.kernelHeight * placement.kernelWidth * placement.channels
    var description = try wideDescription(
      index, outputs: outputs, inputs: inputs, multiplierBits: 15)
    if let kernelRow = kernelRow(placement) {
      description.weights = kernelRow.weights(description.weights)
      description.inputs = kernelRow.count * kernelRow.padded
    }
    wideWeights.append(description)
    var product = Step.Product(
      rows: 0, inputs: description.inputs, outputs: outputs, range: Self.unclamped)
    let source = try planes(index, input, shape: shape(input), padding: placement.padding)
    product.source = address(source.storage)
    product.planeStep = source.step
    product.destination = address(try destination(try output(index), for: index))
    try emit(
      product, .wide(wideWeights.count - 1), placement, images: shape(input)[0], elementSize: 1)
  }

  /// `source` has as many channels as the output.
  mutating func lowerWideDepthwise(
    _ index: Int, _ placement: KernelPlacement, source: Value, image: [Int]
  ) throws(EngineError) {
    wideDepthwiseWeights.append(
      try wideDescription(
        index, outputs: placement.channels,
        inputs: placement.kernelHeight * placement.kernelWidth, multiplierBits: 15))
    let padded = try paddedImages(source, shape: image, padding: placement.padding, size: 2)
    let taps = try tapOffsets(placement, nil)
    let y = try destination(try output(index), for: index)
    emit(
      .wideDepthwise(
        Step.Depthwise(
          placement, weights: wideDepthwiseWeights.count - 1, source: address(padded),
          tapOffsets: address(taps), destination: address(y), images: image[0])),
      touching: [padded.storage, taps, y.storage])
  }

  /// A tensor as planes, of images [N, H, W, C] with zeros around them.
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
