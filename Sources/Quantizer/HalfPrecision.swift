internal import Engine

/// float16 weights and biases, each behind a DEQUANTIZE.
func halfPrecision(_ graph: Graph) throws(QuantizerError) -> Graph {
  var result = graph
  var restored: [Int: Int] = [:]
  var conversions: [Operator] = []
  for index in graph.operators.indices where WeightUse(graph.operators[index].kind) != nil {
    for position in [WeightUse.position, WeightUse.biasPosition] {
      guard position < graph.operators[index].inputs.count,
        let tensor = graph.operators[index].inputs[position],
        let values = try graph.floats(tensor)
      else { continue }
      if restored[tensor] == nil {
        let constant = graph.tensors[tensor]
        result.tensors.append(
          Tensor(
            name: "\(constant.name)/float16", shape: constant.shape, type: .float16,
            data: values.flatMap { value in
              let bits = Float16(value).bitPattern
              return [UInt8(truncatingIfNeeded: bits), UInt8(truncatingIfNeeded: bits >> 8)]
            }))
        result.tensors.append(
          Tensor(name: "\(constant.name)/float32", shape: constant.shape, type: .float32))
        let stored = result.tensors.count - 2
        conversions.append(
          Operator(.dequantize, inputs: [stored], outputs: [stored + 1], version: 2))
        restored[tensor] = stored + 1
      }
      result.operators[index].inputs[position] = restored[tensor]
    }
  }
  result.operators.insert(contentsOf: conversions, at: 0)
  return removingUnread(result, from: restored.keys.sorted())
}

/// The graph without constants that nobody reads any more.
private func removingUnread(_ graph: Graph, from candidates: [Int]) -> Graph {
  let unread = Set(
    candidates.filter { graph.readers(of: $0).isEmpty && !graph.outputs.contains($0) })
  var result = graph
  var moved: [Int: Int] = [:]
  result.tensors = []
  for (index, tensor) in graph.tensors.enumerated() where !unread.contains(index) {
    moved[index] = result.tensors.count
    result.tensors.append(tensor)
  }
  func renumbered(_ indices: [Int]) -> [Int] { indices.compactMap { moved[$0] } }
  for index in result.operators.indices {
    result.operators[index].inputs = graph.operators[index].inputs.map { $0.flatMap { moved[$0] } }
    result.operators[index].outputs = renumbered(graph.operators[index].outputs)
  }
  result.inputs = renumbered(graph.inputs)
  result.outputs = renumbered(graph.outputs)
  for index in result.signatures.indices {
    result.signatures[index].inputs = graph.signatures[index].inputs.compactMapValues { moved[$0] }
    result.signatures[index].outputs = graph.signatures[index].outputs.compactMapValues {
      moved[$0]
    }
  }
  return result
}
