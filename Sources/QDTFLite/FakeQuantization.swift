internal import QDEngine

/// The rounding to 8 bits of a FAKE_QUANT, as QUANTIZE and DEQUANTIZE.
struct FakeQuantization {
  private var scale: Float
  private var zeroPoint: Int64

  /// `nil` for other numbers of bits and for ranges without 0.
  ///
  /// The range is shifted until 0 is a step, as in TensorFlow's `FakeQuantWithMinMaxArgs`.
  init?(_ options: Table) throws(TFLiteError) {
    let (lower, upper) = (try options.float(0), try options.float(1))
    guard try options.scalar(2, default: Int32(0)) == 8, lower <= 0, upper >= 0, lower < upper,
      lower.isFinite, upper.isFinite
    else { return nil }
    let least: Float = try options.bool(3) ? -127 : -128
    scale = (upper - lower) / (127 - least)
    guard scale.isNormal else { return nil }
    zeroPoint = Int64(min(max((least - lower / scale).rounded(), least), 127))
  }

  func replace(_ node: Operator, in graph: inout Graph) {
    guard let input = node.inputs.first.flatMap({ $0 }), node.outputs.count == 1,
      graph.tensors.indices.contains(node.outputs[0])
    else {
      graph.operators.append(node)
      return
    }
    let output = graph.tensors[node.outputs[0]]
    graph.tensors.append(
      Tensor(
        name: "\(output.name)/int8", shape: output.shape, type: .int8,
        quantization: Quantization(scales: [scale], zeroPoints: [zeroPoint], axis: 0)))
    let stored = graph.tensors.count - 1
    graph.operators.append(Operator(.quantize, inputs: [input], outputs: [stored]))
    graph.operators.append(
      Operator(.dequantize, inputs: [stored], outputs: node.outputs, version: 2))
  }
}
