internal import QDKernels

extension Network {
  /// Performs a part of a step of a kind that `Step.parts(threads:)` splits, or a whole step of any
  /// kind.
  func perform(_ element: borrowing StepList.Element, _ part: StepPart) {
    switch element.step {
    case .copy(let copy): perform(copy.part(part))
    case .transpose(let transpose): perform(transpose)
    case .fill(let address, let count, let byte):
      let own = part.range(of: count, granule: Step.valueGranule)
      unsafe bytes(address, count).part(own.lowerBound, own.count).update(repeating: byte)
    case .unary(let unary):
      let unary = unary.part(part)
      unsafe elementwise.apply(
        unary.function, UnsafeBufferPointer(floats(unary.source, unary.count)),
        into: floats(unary.destination, unary.count))
    case .binary(let binary, let function, let range):
      perform(binary.part(part, size: MemoryLayout<Float>.size), function, range)
    case .quantizeRows(let rows): perform(rows, part)
    case .quantizeImage(let image): perform(image)
    case .f16Rows(let rows): perform(rows)
    case .product(let product): perform(product, part)
    case .batchProduct(let product): perform(product)
    case .resize(let resize): perform(resize)
    case .lstmSequence(let step): perform(step)
    case .gru(let step): perform(step)
    case .lstm(let step): perform(step)
    case .gates(let step): perform(step)
    case .depthwise(let depthwise): perform(depthwise, part)
    case .f32Depthwise(let slide, let layer): performDepthwise(slide, layer, part)
    case .splitImage(let split): perform(split)
    case .padImage(let images, let byte): perform(images, paddingWith: byte, part)
    case .integerBinary(let binary, let function):
      perform(binary.part(part, size: 1), function)
    case .integerPool(let slide, let isMaximum, let results):
      performPool(slide, isMaximum: isMaximum, results, part)
    case .lookUp(let conversion, let table): performLookUp(conversion.part(part, 1, 1), table)
    case .flip(let conversion): performFlip(conversion)
    case .quantize(let conversion):
      performQuantize(conversion.part(part, 4, conversion.storedSize))
    case .quantizeSums(let conversion, let scale): performQuantizeSums(conversion, scale)
    case .dequantize(let conversion):
      performDequantize(conversion.part(part, conversion.storedSize, 4))
    case .f16ToF32(let conversion): performF16ToF32(conversion)
    case .f32ToF16(let conversion): performF32ToF16(conversion)
    case .sum(let sum): perform(sum)
    case .softmax(let softmax): perform(softmax)
    case .pool(let slide, let isMaximum):
      performPool(slide, isMaximum: isMaximum, part)
    case .call(let call): call.run(self)
    }
  }

  @inline(__always)
  private func perform(_ copy: Step.Copy) {
    let (nest, rows) = (copy.nest, copy.rows)
    let last = (a: (rows.extent - 1) * rows.a, y: (rows.extent - 1) * rows.y)
    let (sourceCount, targetCount) = (last.a + copy.block, last.y + copy.block)
    let source = unsafe UnsafeBufferPointer(
      bytes(copy.source, nest.reach(nest.a) + sourceCount))
    let target = unsafe bytes(copy.destination, nest.reach(nest.y) + targetCount)
    nest.forEach { a, _, y in
      unsafe copyRows(
        rows.extent, size: copy.block, input: source.part(a, sourceCount), inputStride: rows.a,
        output: target.part(y, targetCount), outputStride: rows.y)
    }
  }

  private func perform(_ step: Step.Transpose) {
    let inputCount = (step.rows - 1) * step.sourceStride + step.columns
    let outputCount = (step.columns - 1) * step.destinationStride + step.rows
    let source = unsafe UnsafeBufferPointer(
      floats(step.source, (step.repeats - 1) * step.sourceStep + inputCount))
    let target = unsafe floats(
      step.destination, (step.repeats - 1) * step.destinationStep + outputCount)
    for index in 0..<step.repeats {
      unsafe transpose(
        rows: step.rows, columns: step.columns,
        input: source.part(index * step.sourceStep, inputCount), inputStride: step.sourceStride,
        output: target.part(index * step.destinationStep, outputCount),
        outputStride: step.destinationStride)
    }
  }

  @inline(__always)
  private func perform(_ step: Step.QuantizeRows, _ part: StepPart) {
    let rows = part.range(of: step.rows)
    if rows.isEmpty { return }
    let output = unsafe bytes(step.destination, step.rows * step.columns)
      .part(rows.lowerBound * step.columns, rows.count * step.columns)
    let parameters = unsafe elements(QuantizationParameters.self, step.parameters, step.rows)
      .part(rows.lowerBound, rows.count)
    if step.segmentCount == 1 {
      let input = unsafe floats(step.segments[0].address, step.rows * step.columns)
        .part(rows.lowerBound * step.columns, rows.count * step.columns)
      return unsafe quantization.quantizeRows(
        rows.count, columns: step.columns, input: UnsafeBufferPointer(input),
        inputStride: step.columns, output: output, outputStride: step.columns,
        parameters: parameters)
    }
    let none = unsafe DynamicQuantization.RowPart(
      UnsafeBufferPointer(start: nil, count: 0), count: 0)
    var parts = unsafe InlineArray<4, DynamicQuantization.RowPart>(repeating: none)
    for index in 0..<step.segmentCount {
      let segment = step.segments[index]
      unsafe parts[index] = DynamicQuantization.RowPart(
        UnsafeBufferPointer(
          floats(segment.address, step.rows * segment.columns)
            .part(rows.lowerBound * segment.columns, rows.count * segment.columns)),
        count: segment.columns)
    }
    unsafe quantization.quantizeGatheredRows(
      rows.count, parts: parts, partCount: step.segmentCount, output: output,
      parameters: parameters)
  }

  private func perform(_ step: Step.QuantizeImage) {
    let image = step.images
    let count = image.height * image.rowLength
    let source = unsafe floats(image.source, image.images * count)
    let target = unsafe bytes(image.destination, image.images * image.paddedCount)
    let parameters = unsafe elements(
      QuantizationParameters.self, step.parameters, image.images)
    for index in 0..<image.images {
      let padded = unsafe target.part(index * image.paddedCount, image.paddedCount)
      unsafe parameters[index] = quantization.quantizeImage(
        rows: image.height, columns: image.rowLength,
        input: UnsafeBufferPointer(source).part(index * count, count),
        inputStride: image.rowLength,
        output: padded.part(image.inner.lowerBound, image.inner.count), outputStride: image.stride)
      unsafe image.fillPadding(of: padded, with: parameters[index].zeroByte)
    }
  }

  private func perform(_ step: Step.F16Rows) {
    switch unsafe layers.gemms[step.layer.index] {
    case .f16(let layer):
      let count = unsafe step.rows * layer.address.pointee.inputs
      unsafe layer.address.pointee.convert(
        rows: step.rows, UnsafeBufferPointer(floats(step.source, count)),
        into: elements(UInt16.self, step.destination, count),
        scales: floats(step.scales, step.rows))
    default: preconditionFailure("its layer is not f16")
    }
  }

  private func perform(_ sum: Step.Sum) {
    let count = sum.reduced * sum.inner
    let source = unsafe UnsafeBufferPointer(floats(sum.source, sum.outer * count))
    let target = unsafe floats(sum.destination, sum.outer * sum.inner)
    for outer in 0..<sum.outer {
      let block = unsafe source.part(outer * count, count)
      if sum.inner == 1 {
        unsafe target[outer] = sum.factor * elementwise.sum(block)
        continue
      }
      unsafe pools.sumRows(
        block, factor: sum.factor, into: target.part(outer * sum.inner, sum.inner))
    }
  }

  private func perform(_ softmax: Step.Softmax) {
    let source = unsafe UnsafeBufferPointer(
      floats(softmax.source, softmax.rows * softmax.columns))
    let target = unsafe floats(softmax.destination, softmax.rows * softmax.columns)
    for row in 0..<softmax.rows {
      unsafe elementwise.softmax(
        source.part(row * softmax.columns, softmax.columns), beta: softmax.beta,
        into: target.part(row * softmax.columns, softmax.columns))
    }
  }
}

extension UnsafeBufferPointer {
  /// `count` elements from `first`, checked.
  func part(_ first: Int, _ count: Int) -> UnsafeBufferPointer {
    unsafe UnsafeBufferPointer(rebasing: self[first..<first + count])
  }
}

extension UnsafeMutableBufferPointer {
  /// `count` elements from `first`, checked.
  func part(_ first: Int, _ count: Int) -> UnsafeMutableBufferPointer {
    unsafe UnsafeMutableBufferPointer(rebasing: self[first..<first + count])
  }
}
