internal import Kernels

/// Products with packed layers: of rows, and of what depthwise kernels see of an image.
extension Network {
  func perform(_ product: Step.Product) {
    switch unsafe layers.gemms[product.layer.index] {
    case .f32(let layer):
      unsafe forEachRepeat(of: product, Float.self, Float.self) { source, target, addend in
        unsafe layer.multiply(
          rows: product.rows, input: source, inputStride: product.sourceStride,
          segments: product.segments, output: target, outputStride: product.destinationStride,
          minimum: product.range.lowerBound, maximum: product.range.upperBound, addend: addend)
      }
    case .f16(let layer):
      let source = unsafe elements(UInt16.self, product.source, product.sourceCount)
      let scales = unsafe floats(product.parameters, product.rows)
      unsafe layer.multiply(
        rows: product.rows, UnsafeBufferPointer(source), scales: UnsafeBufferPointer(scales),
        into: floats(product.destination, product.destinationCount),
        minimum: product.range.lowerBound, maximum: product.range.upperBound)
    case .qd8(let layer):
      let parameters = unsafe elements(
        QuantizationParameters.self, product.parameters,
        product.parametersStride == 0 ? 1 : product.rows)
      unsafe forEachRepeat(of: product, UInt8.self, Float.self) { source, target, addend in
        unsafe layer.multiply(
          rows: product.rows, input: source, inputStride: product.sourceStride,
          segments: product.segments, parameters: UnsafeBufferPointer(parameters), output: target,
          outputStride: product.destinationStride, minimum: product.range.lowerBound,
          maximum: product.range.upperBound, addend: addend)
      }
    case .qs8(let layer):
      unsafe forEachRepeat(of: product, UInt8.self, UInt8.self) { source, target, _ in
        unsafe layer.multiply(
          rows: product.rows, input: source, inputStride: product.sourceStride,
          segments: product.segments, output: target, outputStride: product.destinationStride)
      }
    case .qs16(let layer):
      unsafe forEachRepeat(of: product, UInt8.self, Int16.self) { source, target, _ in
        unsafe layer.multiply(
          rows: product.rows, input: source, planeStep: product.planeStep,
          inputStride: product.sourceStride, segments: product.segments, output: target,
          outputStride: product.destinationStride)
      }
    }
  }

  /// Calls `body` with what each of the repeated products reads, both planes where there are two, its
  /// results, and what is added to them.
  @inline(__always)
  private func forEachRepeat<Input: BitwiseCopyable, Output: BitwiseCopyable>(
    of product: Step.Product, _: Input.Type, _: Output.Type,
    _ body: (
      UnsafeBufferPointer<Input>, UnsafeMutableBufferPointer<Output>, UnsafeBufferPointer<Output>?
    ) -> Void
  ) {
    let source = unsafe UnsafeBufferPointer(
      elements(Input.self, product.source, product.planeStep + product.sourceCount))
    let target = unsafe elements(Output.self, product.destination, product.destinationCount)
    let addend = unsafe product.addend.map {
      unsafe UnsafeBufferPointer(elements(Output.self, $0, product.destinationCount))
    }
    for index in 0..<product.repeats {
      unsafe body(
        source.part(
          index * product.sourceStep, product.planeStep + product.sourceCountPerRepeat),
        target.part(index * product.destinationStep, product.destinationCountPerRepeat),
        addend?.part(index * product.destinationStep, product.destinationCountPerRepeat))
    }
  }

  // MARK: Depthwise

  func perform(_ step: Step.Depthwise) {
    switch unsafe layers.depthwise[step.layer.index] {
    case .f32: preconditionFailure("its step is a window that slides")
    case .qd8(let layer):
      let offsets = unsafe UnsafeBufferPointer(elements(Int.self, step.tapOffsets, layer.taps))
      let parameters = unsafe elements(QuantizationParameters.self, step.parameters, step.images)
      let channels = layer.channels
      unsafe forEachRow(of: step, channels, UInt8.self, Float.self) { image, source, target in
        unsafe layer.convolve(
          pixels: step.outputWidth, input: source, pixelStride: step.pixelStride,
          tapOffsets: offsets, parameters: parameters[image], output: target,
          outputStride: channels, minimum: step.range.lowerBound, maximum: step.range.upperBound)
      }
    case .qs8(let layer): performQS8(step, layer)
    case .qs16(let layer):
      let offsets = unsafe UnsafeBufferPointer(elements(Int.self, step.tapOffsets, layer.taps))
      let channels = layer.channels
      unsafe forEachRow(of: step, channels, Int16.self, Int16.self) { _, source, target in
        unsafe layer.convolve(
          pixels: step.outputWidth, input: source, pixelStride: step.pixelStride,
          tapOffsets: offsets, output: target, outputStride: channels)
      }
    }
  }

  private func performQS8(_ step: Step.Depthwise, _ layer: borrowing QS8DepthwiseWeights) {
    let width = layer.channels
    let channels = width / step.group
    let offsets = unsafe UnsafeBufferPointer(elements(Int.self, step.tapOffsets, layer.taps))
    let groups = step.outputWidth / step.group
    unsafe forEachRow(of: step, channels, UInt8.self, UInt8.self) { _, source, target in
      unsafe layer.convolve(
        pixels: groups, input: source, pixelStride: step.pixelStride * step.group,
        tapOffsets: offsets, output: target, outputStride: width)
      guard groups * step.group < step.outputWidth else { return }
      // The last group begins within the one before it.
      let first = step.outputWidth - step.group
      unsafe layer.convolve(
        pixels: 1,
        input: source.part(first * step.pixelStride, source.count - first * step.pixelStride),
        pixelStride: step.pixelStride, tapOffsets: offsets,
        output: target.part(first * channels, width), outputStride: width)
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
