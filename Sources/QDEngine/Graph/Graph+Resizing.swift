public import QDKernels

extension Graph {
  /// The graph with other shapes of inputs, and all shapes that follow from them.
  ///
  ///     let graph = try TFLiteFile.read(bytes, name: "model.tflite")
  ///     var network = try Network(try graph.resized(["x": [8, 64]]))
  ///
  /// - Parameter shapes: by the inputs' names; others stay.
  /// - Throws: if there is no such input, or an operator does not support its new inputs.
  public func resized(
    _ shapes: [String: [Int]], instructionSet: InstructionSet = .best
  ) throws(EngineError) -> Graph {
    var result = self
    for (input, shape) in shapes.sorted(by: { $0.key < $1.key }) {
      guard let tensor = inputs.first(where: { tensors[$0].name == input }) else {
        throw .noTensor(
          graph: name, name: input, kind: "input", available: inputs.map { tensors[$0].name })
      }
      guard shape.allSatisfy({ $0 > 0 }) else {
        throw .noShape(graph: name, name: input, shape: shape)
      }
      result.tensors[tensor].shape = shape
    }
    // With the constants that depend on these shapes.
    var known = result
    var budget = Self.mostFolded
    for (index, node) in operators.enumerated() {
      let shapes: [[Int]]
      do { shapes = try known.shapes(of: node, instructionSet) } catch {
        throw .unsupported(
          graph: name, index: index, operator: node.kind.name,
          output: node.outputs.first.map { tensors[$0].name } ?? "",
          reason: "it does not take the new shapes (\(error))")
      }
      for (output, shape) in zip(node.outputs, shapes) {
        result.tensors[output].shape = shape
        known.tensors[output].shape = shape
      }
      if let data = known.constants(of: node, instructionSet, &budget) {
        for (output, bytes) in zip(node.outputs, data) { known.tensors[output].data = bytes }
      }
    }
    return result
  }

  /// The shapes of an operator's outputs, from the shapes of its inputs and its constant inputs.
  package func shapes(
    of node: Operator, _ instructionSet: InstructionSet = .scalar
  ) throws(EngineError) -> [[Int]] {
    var alone = alone(node)
    for case let tensor? in alone.operators[0].inputs {
      let value = alone.tensors[tensor]
      if !value.isConstant, !value.isVariable, !alone.inputs.contains(tensor) {
        alone.inputs.append(tensor)
      }
    }
    return try Lowering.shapes(alone, instructionSet)
  }

  /// The elements of the outputs of an operator on constants; `nil` if they depend on inputs or are
  /// many.
  package func constants(of node: Operator) -> [[UInt8]]? {
    var budget = 4096
    return constants(of: node, .scalar, &budget)
  }
}
