internal import QDEngine

/// The indices of a layer's inputs.
struct LayerInputs {
  var data: Int
  var weights: Int
  var bias: Int

  /// `nil` for an operator without weights, and for a recurrent cell.
  init?(_ kind: OperatorKind) {
    switch kind {
    case .fullyConnected, .convolution, .depthwiseConvolution:
      self.init(data: 0, weights: 1, bias: 2)
    case .transposeConvolution: self.init(data: 2, weights: 1, bias: 3)
    default: return nil
    }
  }

  private init(data: Int, weights: Int, bias: Int) {
    (self.data, self.weights, self.bias) = (data, weights, bias)
  }
}

extension Operator {
  func input(_ position: Int) -> Int? { position < inputs.count ? inputs[position] : nil }
}

extension Graph {
  /// The float32 inputs and outputs of an operator, without weights and biases.
  func activations(_ node: Operator) -> (inputs: [Int], outputs: [Int]) {
    let layer = LayerInputs(node.kind)
    let inputs = node.inputs.indices.filter { position in
      guard let tensor = node.inputs[position], tensors[tensor].type == .float32 else {
        return false
      }
      return layer == nil || position == layer?.data
    }
    return (inputs.compactMap { node.inputs[$0] }, node.outputs)
  }

  /// The graph without unreferenced tensors.
  func compacted() -> Graph {
    var used = Set(inputs + outputs)
    for node in operators { used.formUnion(node.inputs.compactMap { $0 } + node.outputs) }
    for signature in signatures {
      used.formUnion(Array(signature.inputs.values) + Array(signature.outputs.values))
    }
    var result = self
    var moved: [Int: Int] = [:]
    result.tensors = []
    for (index, tensor) in tensors.enumerated() where used.contains(index) {
      moved[index] = result.tensors.count
      result.tensors.append(tensor)
    }
    func renumbered(_ indices: [Int]) -> [Int] { indices.compactMap { moved[$0] } }
    for index in operators.indices {
      result.operators[index].inputs = operators[index].inputs.map { $0.flatMap { moved[$0] } }
      result.operators[index].outputs = renumbered(operators[index].outputs)
    }
    result.inputs = renumbered(inputs)
    result.outputs = renumbered(outputs)
    for index in signatures.indices {
      result.signatures[index].inputs = signatures[index].inputs.compactMapValues { moved[$0] }
      result.signatures[index].outputs = signatures[index].outputs.compactMapValues { moved[$0] }
    }
    return result
  }
}
