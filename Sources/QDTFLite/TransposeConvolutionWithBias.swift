internal import QDEngine

/// Convolution2DTransposeBias, a custom operator of MediaPipe: TRANSPOSE_CONV with a bias.
struct TransposeConvolutionWithBias {
  private let window: Window

  /// `nil` for any other operator.
  init?(_ name: String, _ options: [UInt8]) {
    guard name == "Convolution2DTransposeBias", options.count >= 12 else { return nil }
    // TfLiteTransposeConvParams: padding (1 is SAME, 2 VALID), stride width and height, as int32.
    func word(_ index: Int) -> Int {
      options[4 * index..<4 * index + 4].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    guard (1...2).contains(word(0)), (1...64).contains(word(1)), (1...64).contains(word(2)) else {
      return nil
    }
    window = Window(
      padding: word(0) == 1 ? .same : .valid, strideHeight: word(2), strideWidth: word(1))
  }

  func replace(_ node: Operator, in graph: inout Graph) -> Bool {
    guard node.inputs.count == 3, node.outputs.count == 1,
      graph.tensors.indices.contains(node.outputs[0])
    else { return false }
    let shape = graph.tensors[node.outputs[0]].shape
    graph.tensors.append(
      Tensor(
        name: "\(graph.tensors[node.outputs[0]].name)/shape", shape: [shape.count],
        integers: shape.map { Int32(truncatingIfNeeded: $0) }))
    graph.operators.append(
      Operator(
        .transposeConvolution(window, .none),
        inputs: [graph.tensors.count - 1, node.inputs[1], node.inputs[0], node.inputs[2]],
        outputs: node.outputs, version: 3))
    return true
  }
}
