/// The pass that finds concatenations of equal parts along the last dimension that only products in
/// float32 read. Their memory holds one part after the other instead of row by row, so that parts
/// can be computed there, and a row of the products has a segment in each part.
package struct SegmentedConcatenations: Sendable {
  /// The number of parts, by output.
  package private(set) var parts: [Int: Int] = [:]

  init() {}

  /// - Parameters:
  ///   - owners: tensors with their own memory.
  ///   - taken: operators that are part of others.
  package init(_ dataflow: Dataflow, owners: Set<Int> = [], skipping taken: Set<Int> = []) {
    for (index, node) in dataflow.graph.operators.enumerated() where !taken.contains(index) {
      let inputs = node.inputs.compactMap { $0 }
      guard case .concatenation(axis: let axis, .none) = node.kind,
        let output = node.outputs.first, !dataflow.isOutput[output], !owners.contains(output),
        dataflow.graph.tensors[output].type == .float32,
        axis == -1 || axis == dataflow.shape(output).count - 1,
        // With one row, parts are contiguous as they are.
        dataflow.shape(output).dropLast().contains(where: { $0 > 1 }),
        let first = inputs.first, Set(inputs).count == inputs.count, inputs.count > 1,
        inputs.allSatisfy({ dataflow.shape($0) == dataflow.shape(first) }),
        !dataflow.readers[output].isEmpty,
        dataflow.readers[output].allSatisfy({
          !taken.contains($0) && dataflow.isFloatProduct($0, of: output)
        })
      else { continue }
      parts[output] = inputs.count
    }
  }
}

extension Dataflow {
  /// Whether an operator multiplies the rows of a tensor by dense weights in float32.
  fileprivate func isFloatProduct(_ index: Int, of tensor: Int) -> Bool {
    guard let weights = weights(of: index, multiplying: tensor) else { return false }
    let constant = graph.tensors[weights]
    return constant.isConstant && constant.type == .float32 && !constant.isSparseInFile
  }
}
