/// Which tensors have a place in memory before they are computed, while passes decide on others.
struct MemoryOwners {
  var owners: Set<Int>
  /// Operators that run as a part of others, or not at all.
  var absorbed: Set<Int>
  /// Tensors that a cell makes beside its output.
  var computedByCells: Set<Int>

  /// Whether an operator could write a tensor to any place.
  func isMovable(_ tensor: Int, _ dataflow: Dataflow, evenIfOutput: Bool = false) -> Bool {
    !owners.contains(tensor) && (evenIfOutput || !dataflow.isOutput[tensor])
      && isComputed(tensor, dataflow)
  }

  /// Whether the tensor is written element by element, and not a view of another one.
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
