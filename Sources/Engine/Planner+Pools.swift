internal import Kernels

extension Planner {
  mutating func lowerPool(
    _ index: Int, _ window: Window, kernel: (height: Int, width: Int), isMaximum: Bool,
    _ activation: Activation
  ) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let image = shape(input)
    guard image.count == 4, (1...Self.memoryLimit).contains(kernel.height),
      (1...Self.memoryLimit).contains(kernel.width)
    else { throw invalid(index, "its window is \(kernel), its input \(image)") }
    let placement = try KernelPlacement(window, image: image, kernel: kernel, self, index)
    try requireShape(
      output, [image[0], placement.outputHeight, placement.outputWidth, image[3]], index)
    let source = try value(of: input)
    let (tensor, range, tanh) = fuse(output, activation)
    let destination = try destination(tensor)
    var pool = Step.Pool(
      isMaximum: isMaximum, source: address(source), destination: address(destination),
      images: image[0], height: image[1], width: image[2], channels: image[3],
      outputHeight: placement.outputHeight, outputWidth: placement.outputWidth,
      kernelHeight: kernel.height, kernelWidth: kernel.width, window: window,
      padTop: placement.padding.top, padBefore: placement.padding.before, range: range)
    if view == .native {
      let range = try integerForm(output).range(activation) ?? -128...127
      pool.leastByte = storedByte(range.lowerBound)
      pool.integers = range
      pool.isUnsigned = graph.tensors[output].type == .uint8
      let sums = try newStorage(.scratch, byteCount: try checkedProduct([4, image[3]]))
      pool.sums = address(sums)
      emit(.integerPool(pool), touching: [source.storage, destination.storage, sums])
      return
    }
    emit(.pool(pool), touching: [source.storage, destination.storage])
    if tanh { emitTanh(destination, count: try elementCount(tensor)) }
  }
}

extension Network {
  /// Maxima or means of the pixels under the window, whole pixels at a time; what lies outside of
  /// the image does not count.
  func perform(_ pool: Step.Pool) {
    let (height, width, channels) = (pool.height, pool.width, pool.channels)
    let source = unsafe UnsafeBufferPointer(
      floats(pool.source, pool.images * height * width * channels))
    let target = unsafe floats(
      pool.destination, pool.images * pool.outputHeight * pool.outputWidth * channels)
    pool.forEachPixel { pixel, image, rows, columns in
      let result = unsafe target.part(pixel * channels, channels)
      unsafe result.update(repeating: pool.isMaximum ? -.infinity : 0)
      for row in rows {
        for column in columns {
          let first = ((image * height + row) * width + column) * channels
          unsafe elementwise.apply(
            pool.isMaximum ? .maximum : .add, UnsafeBufferPointer(result),
            source.part(first, channels), into: result)
        }
      }
      var factor = pool.isMaximum ? 1 : 1 / Float(rows.count * columns.count)
      unsafe withUnsafePointer(to: &factor) { factor in
        unsafe elementwise.apply(
          .multiply, UnsafeBufferPointer(result), UnsafeBufferPointer(start: factor, count: 1),
          into: result, minimum: pool.range.lowerBound, maximum: pool.range.upperBound)
      }
    }
  }
}
