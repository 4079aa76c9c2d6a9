internal import QDEngine

/// float16 weights and biases, each followed by a DEQUANTIZE.
func halfPrecision(_ graph: Graph, _ choice: LayerChoice) throws(QuantizerError) -> Graph {
  try stored(graph, choice, positions: [WeightUse.position, WeightUse.biasPosition]) {
    constant, values, _ in
    // Constants beyond the range of f16 stay float32.
    if values.contains(where: { Float16($0).isInfinite }) { return nil }
    let data = values.flatMap { value in
      let bits = Float16(value).bitPattern
      return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
    }
    let tensor = Tensor(
      name: "\(constant.name)/float16", shape: constant.shape, type: .float16, data: data)
    return (tensor, version: 2)
  }
}

/// int8 weights of at least `smallestQuantizedWeights` elements, each followed by a DEQUANTIZE.
func smallWeights(_ graph: Graph, _ choice: LayerChoice) throws(QuantizerError) -> Graph {
  try stored(graph, choice, positions: [WeightUse.position]) { constant, values, use in
    if values.count < smallestQuantizedWeights { return nil }
    var tensor = constant
    tensor.name += "/int8"
    tensor.quantize(values, axis: choice.perTensor ? nil : use.axis)
    return (tensor, version: choice.perTensor ? 2 : 5)
  }
}

/// Stores float32 constants of layers in another type, with a DEQUANTIZE of that version.
private func stored(
  _ graph: Graph, _ choice: LayerChoice, positions: [Int],
  as smaller: (Tensor, [Float], WeightUse) -> (Tensor, version: Int)?
) throws(QuantizerError) -> Graph {
  var result = graph
  var restored: [Int: Int] = [:]
  var conversions: [Operator] = []
  for (index, node) in graph.operators.enumerated() where choice.includes(node, of: graph) {
    guard let use = WeightUse(node.kind) else { continue }
    for position in positions where position < node.inputs.count {
      guard let tensor = node.inputs[position], let values = try graph.floats(tensor)
      else { continue }
      if restored[tensor] == nil {
        let constant = graph.tensors[tensor]
        guard let (small, version) = smaller(constant, values, use) else { continue }
        result.tensors.append(small)
        result.tensors.append(
          Tensor(name: "\(constant.name)/float32", shape: constant.shape, type: .float32))
        let place = result.tensors.count - 2
        conversions.append(
          Operator(.dequantize, inputs: [place], outputs: [place + 1], version: version))
        restored[tensor] = place + 1
      }
      result.operators[index].inputs[position] = restored[tensor]
    }
  }
  result.operators.insert(contentsOf: conversions, at: 0)
  return result.compacted()
}
