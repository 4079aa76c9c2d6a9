internal import QDEngine

extension CanonicalGraph {
  /// Merges a product with, or the sum of, a constant per output channel into the weights and bias
  /// of the preceding layer: BatchNorm, as exporters write it.
  mutating func foldScalesIntoLayers() throws(QuantizerError) {
    for index in graph.operators.indices {
      while let next = graph.onlyReader(ofOutputOf: index),
        try fold(next, into: index)
      {
        graph.takeOver(next, by: index)
      }
    }
    graph.operators.removeAll { $0.outputs.isEmpty }
  }

  /// Merges the following operator into a layer; returns whether it could.
  private mutating func fold(_ next: Int, into index: Int) throws(QuantizerError) -> Bool {
    let (layer, operation) = (graph.operators[index], graph.operators[next])
    guard layer.kind.activation == .none, let places = LayerInputs(layer.kind),
      case .binary(let function, let activation) = operation.kind,
      let kind = layer.kind.with(activation), let output = layer.outputs.first,
      given[output] == nil,
      graph.tensors[output].shape == operation.outputs.first.map({ graph.tensors[$0].shape }),
      let channels = graph.tensors[output].shape.last,
      let (constant, isFirst) = constantOperand(operation, beside: output),
      let values = try graph.floats(constant), values.count == 1 || values.count == channels,
      graph.tensors[constant].shape.isEmpty || values.count == 1
        || graph.tensors[constant].shape.last == channels,
      let weights = layer.input(places.weights), givenWeights[weights] == nil,
      let matrix = try graph.floats(weights)
    else { return false }
    let bias = layer.input(places.bias)
    var biases = Array(repeating: Float(0), count: channels)
    if let bias {
      guard let values = try graph.floats(bias), values.count == channels else { return false }
      biases = values
    }
    func value(_ channel: Int) -> Float { values.count == 1 ? values[0] : values[channel] }
    var scales: [Float]?
    switch function {
    case .add: for channel in 0..<channels { biases[channel] += value(channel) }
    case .subtract where !isFirst:
      for channel in 0..<channels { biases[channel] -= value(channel) }
    case .multiply: scales = (0..<channels).map(value)
    case .divide where !isFirst && values.allSatisfy { $0 != 0 }:
      scales = (0..<channels).map { 1 / value($0) }
    default: return false
    }
    var changed = layer
    changed.kind = kind
    if let scales {
      guard let axis = layer.kind.knownProperties?.weights?.axis else { return false }
      let tensor = graph.tensors[weights]
      let inner = tensor.shape[(axis + 1)...].reduce(1, *)
      let scaled = matrix.enumerated().map { $1 * scales[$0 / inner % channels] }
      for channel in 0..<channels { biases[channel] *= scales[channel] }
      changed.inputs[places.weights] = append(
        Tensor(name: tensor.name, shape: tensor.shape, values: scaled))
    }
    let name = bias.map { graph.tensors[$0].name } ?? "\(graph.tensors[output].name)/bias"
    while changed.inputs.count <= places.bias { changed.inputs.append(nil) }
    changed.inputs[places.bias] = append(Tensor(name: name, shape: [channels], values: biases))
    graph.operators[index] = changed
    return true
  }

  private func constantOperand(_ node: Operator, beside tensor: Int) -> (Int, isFirst: Bool)? {
    guard node.inputs.count == 2, let a = node.inputs[0], let b = node.inputs[1] else { return nil }
    if a == tensor, graph.tensors[b].isConstant { return (b, false) }
    if b == tensor, graph.tensors[a].isConstant { return (a, true) }
    return nil
  }

  private mutating func append(_ tensor: Tensor) -> Int {
    graph.tensors.append(tensor)
    return graph.tensors.count - 1
  }

  /// Makes RELU and RELU6 the activation of the preceding operator.
  mutating func foldClamps() {
    for index in graph.operators.indices {
      guard graph.operators[index].kind.activation == .none,
        let next = graph.onlyReader(ofOutputOf: index),
        case .unary(let function) = graph.operators[next].kind,
        let activation = function.activation,
        let kind = graph.operators[index].kind.with(activation),
        graph.operators[index].outputs.allSatisfy({ given[$0] == nil })
      else { continue }
      graph.operators[index].kind = kind
      graph.takeOver(next, by: index)
    }
    graph.operators.removeAll { $0.outputs.isEmpty }
  }
}

extension Graph {
  /// The only operator that reads the output of another one, if there is only one.
  fileprivate func onlyReader(ofOutputOf index: Int) -> Int? {
    guard operators[index].outputs.count == 1 else { return nil }
    let output = operators[index].outputs[0]
    let readers = readers(of: output)
    guard readers.count == 1, !outputs.contains(output), tensors[output].type == .float32 else {
      return nil
    }
    return readers[0]
  }

  /// Gives one operator the output of another, which loses its inputs and outputs.
  fileprivate mutating func takeOver(_ next: Int, by index: Int) {
    operators[index].outputs = operators[next].outputs
    operators[next].inputs = []
    operators[next].outputs = []
  }
}

extension UnaryFunction {
  fileprivate var activation: Activation? {
    switch self {
    case .relu: .relu
    case .relu6: .relu6
    case .reluN1To1: .reluN1To1
    default: nil
    }
  }
}
