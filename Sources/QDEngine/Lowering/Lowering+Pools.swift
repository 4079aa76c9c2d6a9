internal import QDKernels

extension Lowering {
  mutating func lowerPool(
    _ index: Int, _ window: Window, kernel: (height: Int, width: Int), isMaximum: Bool,
    _ activation: Activation
  ) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let image = shape(input)
    guard image.count == 4, (1...Storage.limit).contains(kernel.height),
      (1...Storage.limit).contains(kernel.width)
    else { throw invalid(index, "its window is \(kernel), its input \(image)") }
    guard window.dilationHeight == 1, window.dilationWidth == 1 else {
      throw unsupported(index, "its window is dilated")
    }
    let placement = try KernelPlacement(window, image: image, kernel: kernel, dataflow, index)
    try requireShape(
      output, [image[0], placement.outputHeight, placement.outputWidth, image[3]], index)
    let source = try value(of: input, for: index)
    let (tensor, range, tanh) = fused(index, output, activation)
    let destination = try destination(tensor, for: index)
    let slide = Step.Slide(
      source: address(source), destination: address(destination),
      sliding: SlidingWindow(placement, image: image), range: range)
    let touched = [source.storage, destination.storage]
    if isStored(index) {
      let results = IntegerPool.Results(
        range: try integerForm(output).range(activation) ?? -128...127,
        isUnsigned: graph.tensors[output].type == .uint8)
      return emit(.integerPool(slide, isMaximum: isMaximum, results), touching: touched)
    }
    emit(.pool(slide, isMaximum: isMaximum), touching: touched)
    if tanh { emitTanh(destination, count: try elementCount(tensor)) }
  }
}
