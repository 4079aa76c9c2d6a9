/// The pass that finds concatenations along the last dimension that only products in dynamic range
/// read. They need no memory, because their inputs are quantized in place.
package struct ElidedConcatenations: Sendable {
  /// Their outputs.
  package private(set) var tensors: Set<Int> = []

  /// As many inputs as a quantization step supports.
  static let parts = 2...4

  init() {}

  /// - Parameter owners: tensors with their own memory.
  package init(_ dataflow: Dataflow, owners: Set<Int> = []) {
    for node in dataflow.graph.operators {
      guard case .concatenation(axis: let axis, .none) = node.kind,
        let output = node.outputs.first, !dataflow.isOutput[output], !owners.contains(output),
        dataflow.graph.tensors[output].type == .float32, Self.parts.contains(node.inputs.count),
        node.inputs.allSatisfy({ $0 != nil }),
        axis == -1 || axis == dataflow.shape(output).count - 1,
        !dataflow.readers[output].isEmpty,
        dataflow.readers[output].allSatisfy({ dataflow.isHybridProduct($0, of: output) })
      else { continue }
      tensors.insert(output)
    }
  }
}

extension Dataflow {
  fileprivate func isHybridProduct(_ index: Int, of tensor: Int) -> Bool {
    isHybrid(index) && weights(of: index, multiplying: tensor) != nil
  }

  /// The weights of an operator that multiplies the rows of a tensor by them, and reads it only so.
  func weights(of index: Int, multiplying tensor: Int) -> Int? {
    let node = graph.operators[index]
    guard case .fullyConnected = node.kind, node.inputs.first == tensor,
      node.inputs.count(where: { $0 == tensor }) == 1, let weights = optionalInput(index, 1),
      shape(weights).last == shape(tensor).last
    else { return nil }
    return weights
  }
}
