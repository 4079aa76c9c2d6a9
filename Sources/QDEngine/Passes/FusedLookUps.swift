/// The fusion pass for sums, differences and products of a byte and a function of it, such as x
/// sigmoid(x): these are functions of one byte, and become one look-up table.
package struct FusedLookUps: Sendable {
  /// The operator that computes the function, by the binary operator that it is fused into.
  package private(set) var functions: [Int: Int] = [:]

  var absorbed: Set<Int> { Set(functions.values) }

  init() {}

  package init(_ dataflow: Dataflow, skipping taken: Set<Int> = []) {
    for (index, node) in dataflow.graph.operators.enumerated()
    where node.kind.integers == .pairs && dataflow.view(of: index) == .stored {
      guard node.inputs.count == 2, let left = node.inputs[0], let right = node.inputs[1] else {
        continue
      }
      let function = [(left, right), (right, left)].lazy.compactMap {
        dataflow.function($1, of: $0, readBy: index)
      }.first { !taken.contains($0) && !absorbed.contains($0) }
      functions[index] = function
    }
  }
}

extension Dataflow {
  /// The operator that computes one tensor from each byte of another.
  fileprivate func function(_ image: Int, of byte: Int, readBy index: Int) -> Int? {
    guard isOnlyRead(image, by: index), let table = producer[image],
      graph.operators[table].kind.integers == .table, view(of: table) == .stored,
      optionalInput(table, 0) == byte, graph.operators[table].outputs.count == 1,
      let output = graph.operators[index].outputs.first, shape(image) == shape(byte),
      shape(output) == shape(byte)
    else { return nil }
    return table
  }
}
