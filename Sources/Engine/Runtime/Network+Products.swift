internal import Kernels

/// Products with packed weights: of rows, and of what depthwise kernels see of an image.
extension Network {
  func performFloat(_ product: Step.Product) {
    unsafe forEachRepeat(of: product, Float.self, Float.self) { source, target in
      unsafe weights.float[product.weights].multiply(
        rows: product.rows, input: source, inputStride: product.sourceStride,
        segments: product.segments, output: target, outputStride: product.destinationStride,
        minimum: product.range.lowerBound, maximum: product.range.upperBound)
    }
  }

  func performInteger(_ product: Step.Product) {
    let parameters = unsafe elements(
      QuantizationParameters.self, product.parameters,
      product.parametersStride == 0 ? 1 : product.rows)
    unsafe forEachRepeat(of: product, UInt8.self, Float.self) { source, target in
      unsafe weights.integer[product.weights].multiply(
        rows: product.rows, input: source, inputStride: product.sourceStride,
        segments: product.segments, parameters: UnsafeBufferPointer(parameters), output: target,
        outputStride: product.destinationStride, minimum: product.range.lowerBound,
        maximum: product.range.upperBound)
    }
  }

  func performFullInteger(_ product: Step.Product) {
    unsafe forEachRepeat(of: product, UInt8.self, UInt8.self) { source, target in
      unsafe weights.fullInteger[product.weights].multiply(
        rows: product.rows, input: source, inputStride: product.sourceStride,
        segments: product.segments, output: target, outputStride: product.destinationStride)
    }
  }

  func performWide(_ product: Step.Product) {
    unsafe forEachRepeat(of: product, UInt8.self, Int16.self) { source, target in
      unsafe weights.wide[product.weights].multiply(
        rows: product.rows, input: source, planeStep: product.planeStep,
        inputStride: product.sourceStride, segments: product.segments, output: target,
        outputStride: product.destinationStride)
    }
  }

  /// Calls `body` with what each of the repeated products reads, both planes where there are two,
  /// and its results.
  @inline(__always)
  private func forEachRepeat<Input: BitwiseCopyable, Output: BitwiseCopyable>(
    of product: Step.Product, _: Input.Type, _: Output.Type,
    _ body: (UnsafeBufferPointer<Input>, UnsafeMutableBufferPointer<Output>) -> Void
  ) {
    let source = unsafe UnsafeBufferPointer(
      elements(Input.self, product.source, product.planeStep + product.sourceCount))
    let target = unsafe elements(Output.self, product.destination, product.destinationCount)
    for index in 0..<product.repeats {
      unsafe body(
        source.part(
          index * product.sourceStep, product.planeStep + product.sourceCountPerRepeat),
        target.part(index * product.destinationStep, product.destinationCountPerRepeat))
    }
  }

  // MARK: Depthwise

  func perform(_ step: Step.Depthwise) {
    let (channels, taps) = unsafe (
      weights.depthwise[step.weights].channels, weights.depthwise[step.weights].taps
    )
    let offsets = unsafe UnsafeBufferPointer(elements(Int.self, step.tapOffsets, taps))
    let parameters = unsafe elements(QuantizationParameters.self, step.parameters, step.images)
    unsafe forEachRow(of: step, channels, UInt8.self, Float.self) { image, source, target in
      unsafe weights.depthwise[step.weights].convolve(
        pixels: step.outputWidth, input: source, pixelStride: step.pixelStride,
        tapOffsets: offsets, parameters: parameters[image], output: target,
        outputStride: channels, minimum: step.range.lowerBound, maximum: step.range.upperBound)
    }
  }

  func performFullInteger(_ step: Step.Depthwise) {
    let (width, taps) = unsafe (
      weights.fullIntegerDepthwise[step.weights].channels,
      weights.fullIntegerDepthwise[step.weights].taps
    )
    let channels = width / step.group
    let offsets = unsafe UnsafeBufferPointer(elements(Int.self, step.tapOffsets, taps))
    let groups = step.outputWidth / step.group
    unsafe forEachRow(of: step, channels, UInt8.self, UInt8.self) { _, source, target in
      unsafe weights.fullIntegerDepthwise[step.weights].convolve(
        pixels: groups, input: source, pixelStride: step.pixelStride * step.group,
        tapOffsets: offsets, output: target, outputStride: width)
      guard groups * step.group < step.outputWidth else { return }
      // The last group begins within the one before it.
      let first = step.outputWidth - step.group
      unsafe weights.fullIntegerDepthwise[step.weights].convolve(
        pixels: 1,
        input: source.part(first * step.pixelStride, source.count - first * step.pixelStride),
        pixelStride: step.pixelStride, tapOffsets: offsets,
        output: target.part(first * channels, width), outputStride: width)
    }
  }

  func performWide(_ step: Step.Depthwise) {
    let (channels, taps) = unsafe (
      weights.wideDepthwise[step.weights].channels, weights.wideDepthwise[step.weights].taps
    )
    let offsets = unsafe UnsafeBufferPointer(elements(Int.self, step.tapOffsets, taps))
    unsafe forEachRow(of: step, channels, Int16.self, Int16.self) { _, source, target in
      unsafe weights.wideDepthwise[step.weights].convolve(
        pixels: step.outputWidth, input: source, pixelStride: step.pixelStride,
        tapOffsets: offsets, output: target, outputStride: channels)
    }
  }

  /// Calls `body` with the image, what a row of output pixels sees of it from its first tap on, and
  /// the row, for all rows.
  @inline(__always)
  private func forEachRow<Input: BitwiseCopyable, Output: BitwiseCopyable>(
    of step: Step.Depthwise, _ channels: Int, _: Input.Type, _: Output.Type,
    _ body: (Int, UnsafeBufferPointer<Input>, UnsafeMutableBufferPointer<Output>) -> Void
  ) {
    let count = step.outputWidth * channels
    let source = unsafe UnsafeBufferPointer(
      elements(Input.self, step.source, step.images * step.imageStep))
    let target = unsafe elements(
      Output.self, step.destination, step.images * step.outputHeight * count)
    for image in 0..<step.images {
      for row in 0..<step.outputHeight {
        let first = row * step.rowStep
        unsafe body(
          image, source.part(image * step.imageStep + first, step.imageStep - first),
          target.part((image * step.outputHeight + row) * count, count))
      }
    }
  }
}
