/// The tensors whose place in memory is fixed while passes decide on others.
struct MemoryOwners {
  var owners: Set<Int>
  /// Operators that are part of others, or need no step.
  var absorbed: Set<Int>
  /// Tensors that a cell computes besides its output.
  var computedByCells: Set<Int>

  /// Whether an operator could write the tensor to any place.
  func isMovable(_ tensor: Int, _ dataflow: Dataflow, evenIfOutput: Bool = false) -> Bool {
    !owners.contains(tensor) && (evenIfOutput || !dataflow.isOutput[tensor])
      && isComputed(tensor, dataflow)
  }

  /// Whether the tensor is computed, and not a view of another one.
  private func isComputed(_ tensor: Int, _ dataflow: Dataflow) -> Bool {
    if computedByCells.contains(tensor) { return true }
    var tensor = tensor
    while let index = dataflow.producer[tensor], !absorbed.contains(index) {
      let node = dataflow.graph.operators[index]
      switch node.kind {
      case .custom, .unsupported: return false
      case .reshape, .squeeze, .expandDimensions:
        guard let input = node.inputs.first, let input else { return false }
        tensor = input
      default:
        return node.kind.fusion != .view
      }
    }
    return false
  }
}
