internal import QDKernels

/// Products with packed layers: gemm and depthwise.
extension Network {
  /// Inlined, as what takes other large steps, so that no step is copied.
  @inline(__always)
  func perform(_ product: Step.Product, _ part: StepPart) {
    switch unsafe layers.gemms[product.layer.index] {
    case .f32(let layer):
      let outputs = unsafe product.outputs(part, layer.address.pointee.columnTile)
      unsafe forEachRepeat(of: product, part, outputs, Float.self, Float.self) {
        rows, source, target, addend in
        unsafe layer.address.pointee.multiply(
          rows: rows.count, input: source, inputStride: product.sourceStride,
          segments: product.segments, output: target, outputStride: product.destinationStride,
          columns: outputs, minimum: product.range.lowerBound, maximum: product.range.upperBound,
          addend: addend)
      }
    case .f32Sparse(let layer):
      let scratch = unsafe layers.scratch(of: part, Float.self)
      unsafe forEachRepeat(of: product, part, 0..<product.outputs, Float.self, Float.self) {
        rows, source, target, _ in
        unsafe layer.address.pointee.multiply(
          rows: rows.count, input: source, inputStride: product.sourceStride, scratch: scratch,
          output: target, outputStride: product.destinationStride,
          minimum: product.range.lowerBound, maximum: product.range.upperBound)
      }
    case .qd8Sparse(let layer):
      let hasOwn = product.parametersStride != 0
      let parameters = unsafe UnsafeBufferPointer(
        elements(QuantizationParameters.self, product.parameters, hasOwn ? product.rows : 1))
      let scratch = unsafe layers.scratch(of: part, Int16.self)
      unsafe forEachRepeat(of: product, part, 0..<product.outputs, UInt8.self, Float.self) {
        rows, source, target, _ in
        unsafe layer.address.pointee.multiply(
          rows: rows.count, input: source, inputStride: product.sourceStride,
          parameters: hasOwn ? parameters.part(rows.lowerBound, rows.count) : parameters,
          scratch: scratch, output: target, outputStride: product.destinationStride,
          minimum: product.range.lowerBound, maximum: product.range.upperBound)
      }
    case .qs8Sparse(let layer):
      let scratch = unsafe layers.scratch(of: part, Int16.self)
      unsafe forEachRepeat(of: product, part, 0..<product.outputs, UInt8.self, UInt8.self) {
        rows, source, target, _ in
        unsafe layer.address.pointee.multiply(
          rows: rows.count, input: source, inputStride: product.sourceStride, scratch: scratch,
          output: target, outputStride: product.destinationStride)
      }
    case .f16(let layer):
      // Few rows, which are not split.
      let source = unsafe elements(UInt16.self, product.source, product.sourceCount)
      let scales = unsafe floats(product.parameters, product.rows)
      unsafe layer.address.pointee.multiply(
        rows: product.rows, UnsafeBufferPointer(source), scales: UnsafeBufferPointer(scales),
        into: floats(product.destination, product.destinationCount),
        minimum: product.range.lowerBound, maximum: product.range.upperBound)
    case .qd8(let layer):
      let hasOwn = product.parametersStride != 0
      let parameters = unsafe UnsafeBufferPointer(
        elements(QuantizationParameters.self, product.parameters, hasOwn ? product.rows : 1))
      let outputs = unsafe product.outputs(part, layer.address.pointee.columnTile)
      unsafe forEachRepeat(of: product, part, outputs, UInt8.self, Float.self) {
        rows, source, target, addend in
        unsafe layer.address.pointee.multiply(
          rows: rows.count, input: source, inputStride: product.sourceStride,
          segments: product.segments,
          parameters: hasOwn ? parameters.part(rows.lowerBound, rows.count) : parameters,
          output: target, outputStride: product.destinationStride, columns: outputs,
          minimum: product.range.lowerBound, maximum: product.range.upperBound,
          addend: addend)
      }
    case .qs8(let layer):
      let outputs = unsafe product.outputs(part, layer.address.pointee.columnTile)
      unsafe forEachRepeat(of: product, part, outputs, UInt8.self, UInt8.self) {
        rows, source, target, _ in
        unsafe layer.address.pointee.multiply(
          rows: rows.count, input: source, inputStride: product.sourceStride,
          segments: product.segments, output: target, outputStride: product.destinationStride,
          columns: outputs)
      }
    case .qs16(let layer):
      let outputs = unsafe product.outputs(part, layer.address.pointee.columnTile)
      unsafe forEachRepeat(of: product, part, outputs, UInt8.self, Int16.self) {
        rows, source, target, _ in
        unsafe layer.address.pointee.multiply(
          rows: rows.count, input: source, planeStep: product.planeStep,
          inputStride: product.sourceStride, segments: product.segments, output: target,
          outputStride: product.destinationStride, columns: outputs)
      }
    }
  }

  /// Calls `body` for each of the repeated products with its rows in a part, their inputs, in both
  /// planes if there are two, their outputs, and their addends.
  @inline(__always)
  private func forEachRepeat<Input: BitwiseCopyable, Output: BitwiseCopyable>(
    of product: Step.Product, _ part: StepPart, _ outputs: Range<Int>, _: Input.Type,
    _: Output.Type,
    _ body: (
      Range<Int>, UnsafeBufferPointer<Input>, UnsafeMutableBufferPointer<Output>,
      UnsafeBufferPointer<Output>?
    ) -> Void
  ) {
    if outputs.isEmpty { return }
    let source = unsafe UnsafeBufferPointer(
      elements(Input.self, product.source, product.planeStep + product.sourceCount))
    let target = unsafe elements(Output.self, product.destination, product.destinationCount)
    let addend = unsafe product.addend.map {
      unsafe UnsafeBufferPointer(elements(Output.self, $0, product.destinationCount))
    }
    let all = product.rows(part)
    for index in 0..<product.repeats {
      let first = index * product.rows
      let own = all.clamped(to: first..<first + product.rows)
      if own.isEmpty { continue }
      let rows = own.lowerBound - first..<own.upperBound - first
      let skipped = rows.lowerBound * product.sourceStride
      let begin =
        index * product.destinationStep + rows.lowerBound * product.destinationStride
        + outputs.lowerBound
      let count = (rows.count - 1) * product.destinationStride + outputs.count
      unsafe body(
        rows,
        source.part(
          index * product.sourceStep + skipped,
          product.planeStep + product.sourceCount(rows: rows.count)),
        target.part(begin, count), addend?.part(begin, count))
    }
  }

  // MARK: Depthwise

  func perform(_ step: Step.Depthwise, _ part: StepPart) {
    switch unsafe layers.depthwise[step.layer.index] {
    case .f32: preconditionFailure("its step is a window that slides")
    case .qd8(let layer):
      let offsets = unsafe UnsafeBufferPointer(elements(Int.self, step.tapOffsets, layer.taps))
      let parameters = unsafe elements(QuantizationParameters.self, step.parameters, step.images)
      let channels = layer.channels
      unsafe forEachRow(of: step, part, channels, UInt8.self, Float.self) { image, source, target in
        unsafe layer.convolve(
          pixels: step.outputWidth, input: source, pixelStride: step.pixelStride,
          tapOffsets: offsets, parameters: parameters[image], output: target,
          outputStride: channels, minimum: step.range.lowerBound, maximum: step.range.upperBound)
      }
    case .qs8(let layer): performQS8(step, layer, part)
    case .qs16(let layer):
      let offsets = unsafe UnsafeBufferPointer(elements(Int.self, step.tapOffsets, layer.taps))
      let channels = layer.channels
      unsafe forEachRow(of: step, part, channels, Int16.self, Int16.self) { _, source, target in
        unsafe layer.convolve(
          pixels: step.outputWidth, input: source, pixelStride: step.pixelStride,
          tapOffsets: offsets, output: target, outputStride: channels)
      }
    }
  }

  private func performQS8(
    _ step: Step.Depthwise, _ layer: borrowing QS8DepthwiseWeights, _ part: StepPart
  ) {
    let width = layer.channels
    let channels = width / step.group
    let offsets = unsafe UnsafeBufferPointer(elements(Int.self, step.tapOffsets, layer.taps))
    let groups = step.outputWidth / step.group
    unsafe forEachRow(of: step, part, channels, UInt8.self, UInt8.self) { _, source, target in
      unsafe layer.convolve(
        pixels: groups, input: source, pixelStride: step.pixelStride * step.group,
        tapOffsets: offsets, output: target, outputStride: width)
      guard groups * step.group < step.outputWidth else { return }
      // The last group overlaps the one before it.
      let first = step.outputWidth - step.group
      unsafe layer.convolve(
        pixels: 1,
        input: source.part(first * step.pixelStride, source.count - first * step.pixelStride),
        pixelStride: step.pixelStride, tapOffsets: offsets,
        output: target.part(first * channels, width), outputStride: width)
    }
  }

  /// Calls `body` for the rows of a part with the image, the inputs of the row of output pixels
  /// from its first tap on, and the row.
  @inline(__always)
  private func forEachRow<Input: BitwiseCopyable, Output: BitwiseCopyable>(
    of step: Step.Depthwise, _ part: StepPart, _ channels: Int, _: Input.Type, _: Output.Type,
    _ body: (Int, UnsafeBufferPointer<Input>, UnsafeMutableBufferPointer<Output>) -> Void
  ) {
    let count = step.outputWidth * channels
    let source = unsafe UnsafeBufferPointer(
      elements(Input.self, step.source, step.images * step.imageStep))
    let target = unsafe elements(
      Output.self, step.destination, step.images * step.outputHeight * count)
    let all = part.range(of: step.images * step.outputHeight)
    for image in 0..<step.images {
      let firstRow = image * step.outputHeight
      let own = all.clamped(to: firstRow..<firstRow + step.outputHeight)
      for row in own.lowerBound - firstRow..<own.upperBound - firstRow {
        let first = row * step.rowStep
        unsafe body(
          image, source.part(image * step.imageStep + first, step.imageStep - first),
          target.part((image * step.outputHeight + row) * count, count))
      }
    }
  }
}
