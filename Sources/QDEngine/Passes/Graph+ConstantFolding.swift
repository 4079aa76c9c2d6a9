internal import QDKernels

extension Graph {
  /// The maximum number of elements that constant folding computes in one graph.
  static let mostFolded = 1 << 20

  /// Computes everything that does not depend on the inputs: shapes, axes, sizes and values derived
  /// from them.
  ///
  /// Each operator runs as a separate network, so it has the same bits as in a run. Operators that
  /// cannot be computed stay, and lowering reports why.
  mutating func foldConstants(_ instructionSet: InstructionSet) {
    var budget = Self.mostFolded
    var kept: [Operator] = []
    for node in operators {
      guard let results = constants(of: node, instructionSet, &budget) else {
        kept.append(node)
        continue
      }
      for (output, data) in zip(node.outputs, results) { tensors[output].data = data }
    }
    operators = kept
  }

  func constants(
    of node: Operator, _ instructionSet: InstructionSet, _ budget: inout Int
  ) -> [[UInt8]]? {
    guard let row = node.kind.knownProperties, !node.outputs.isEmpty,
      node.outputs.allSatisfy({ isFoldable($0) && !outputs.contains($0) || isPlain($0) }),
      node.outputs.allSatisfy({ !tensors[$0].isVariable })
    else { return nil }
    if let ofShape = row.ofShape {
      guard let input = node.inputs.first, let input, node.outputs.count == 1 else { return nil }
      return integers(ofShape(tensors[input].shape), as: tensors[node.outputs[0]]).map { [$0] }
    }
    guard !node.inputs.isEmpty, !isRestored(node),
      node.inputs.allSatisfy({ $0.map { tensors[$0].isConstant } ?? true })
    else { return nil }
    let count = node.outputs.reduce(0) { $0 + (tensors[$1].count ?? Self.mostFolded) }
    guard count <= budget else { return nil }
    let graph = alone(node)
    do {
      var network = Network(
        try Lowering(graph, states: [], instructionSet: instructionSet, folds: false), graph)
      network.run()
      var results: [[UInt8]] = []
      for place in node.outputs.indices {
        results.append(unsafe Array(try network.outputBytes(named: "\(place)")))
      }
      budget -= count
      return results
    } catch { return nil }
  }

  /// The operator as a separate graph, whose outputs are named by their index.
  func alone(_ node: Operator) -> Graph {
    var graph = Graph(name: name)
    var places: [Int: Int] = [:]
    func place(_ tensor: Int, _ graph: inout Graph) -> Int {
      if let place = places[tensor] { return place }
      graph.tensors.append(tensors[tensor])
      places[tensor] = graph.tensors.count - 1
      return graph.tensors.count - 1
    }
    var copy = node
    copy.inputs = node.inputs.map { $0.map { place($0, &graph) } }
    copy.outputs = node.outputs.map { place($0, &graph) }
    for (place, output) in copy.outputs.enumerated() { graph.tensors[output].name = "\(place)" }
    graph.operators = [copy]
    graph.outputs = copy.outputs
    return graph
  }

  private func isPlain(_ tensor: Int) -> Bool {
    tensors[tensor].quantization == nil && tensors[tensor].type.isInteger
  }

  /// Integers and booleans, and few floats.
  private func isFoldable(_ tensor: Int) -> Bool {
    isPlain(tensor) || (tensors[tensor].type == .float32 && (tensors[tensor].count ?? .max) <= 64)
  }

  /// Operators that lowering computes itself: f16 values and bytes converted to floats, in another
  /// shape.
  private func isRestored(_ node: Operator) -> Bool {
    switch node.kind {
    case .dequantize: true
    case .cast, .reshape, .squeeze, .expandDimensions:
      tensors[node.outputs[0]].type == .float32
    default: false
    }
  }

  /// Integers as the elements of a tensor; `nil` if they do not fit its type.
  private func integers(_ values: [Int], as tensor: Tensor) -> [UInt8]? {
    guard tensor.count == values.count, tensor.type == .int32 || tensor.type == .int64 else {
      return nil
    }
    return values.flatMap { value in
      (0..<tensor.type.size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
  }
}
