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
      sliding: SlidingWindow(placement, image: image), range: range)
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
