internal import QDEngine

/// The inputs and outputs of a file, and of the graph.
extension ONNXImporter {
  func requireInputs() throws(ONNXError) {
    let given = Array(options.shapes.keys) + Array(options.values.keys)
    for name in given.sorted() where !model.body.inputs.contains(where: { $0.name == name }) {
      let names = model.body.inputs.map { "'\($0.name)'" }.joined(separator: ", ")
      throw .unusable(name: model.name, reason: "there is no input '\(name)'; there is \(names)")
    }
  }

  /// - Parameter others: outputs of other files.
  mutating func enter(_ others: [String: Value] = [:]) throws(ONNXError) {
    for (name, constant) in model.body.constants { values[name] = .constant(constant) }
    for port in model.body.inputs where others[port.name] != nil {
      values[port.name] = others[port.name]
    }
    for port in model.body.inputs where values[port.name] == nil {
      let given = options.shapes[port.name]
      let shape = given ?? port.shape.map { $0 ?? 1 }
      guard shape.allSatisfy({ $0 > 0 }),
        given == nil || port.shape.isEmpty || shape.count == port.shape.count
      else {
        throw .unusable(
          name: model.name, reason: "the input '\(port.name)' cannot have the shape \(shape)")
      }
      if let list = options.values[port.name] {
        try enter(port, list, shape)
        continue
      }
      let types: [Int: ElementType] = [1: .float32, 6: .int32, 7: .int64, 9: .bool]
      guard let type = types[port.elementType] else {
        throw .unusable(
          name: model.name,
          reason:
            "the input '\(port.name)' has the element type \(port.elementType); export one of "
            + "float32, int32, int64 or bool, or give its values with `--value \(port.name)=`")
      }
      values[port.name] = .activation(enter(port.name, shape, type))
    }
  }

  /// Enters a constant input.
  private mutating func enter(
    _ port: ONNXModel.Port, _ list: [Double], _ shape: [Int]
  ) throws(ONNXError) {
    guard list.count == shape.reduce(1, *), list.allSatisfy({ abs($0) < 9e18 }) else {
      throw .unusable(
        name: model.name, reason: "the input '\(port.name)' is \(shape), not \(list.count) values")
    }
    values[port.name] = .constant(
      Constant(
        shape: shape,
        values: Constant.isInteger(port.elementType)
          ? .integers(list.map { Int($0) }) : .floats(list.map { Float($0) }),
        elementType: port.elementType))
  }

  /// Adds an input to the graph.
  mutating func enter(
    _ name: String, _ shape: [Int], _ type: ElementType = .float32
  ) -> Activation {
    graph.tensors.append(Tensor(name: name, shape: shape, type: type))
    graph.inputs.append(graph.tensors.count - 1)
    return Activation(tensor: graph.tensors.count - 1, shape: shape)
  }

  mutating func leave(_ names: [(source: String, name: String)]) throws(ONNXError) {
    node = ONNXModel.Node(name: "output", kind: "output")
    for (source, name) in names {
      node.outputs = [name]
      var output = plain(try activation(named: source))
      if graph.inputs.contains(output.tensor) || graph.outputs.contains(output.tensor)
        || graph.tensors[output.tensor].isConstant
      {
        output = reshaped(output, output.shape)
      }
      for index in graph.tensors.indices where graph.tensors[index].name == name {
        graph.tensors[index].name += "/inside"
      }
      graph.tensors[output.tensor].name = name
      graph.outputs.append(output.tensor)
    }
  }
}
