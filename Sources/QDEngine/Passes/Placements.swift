/// The pass that decides, from the last operator to the first, which tensors are computed in the
/// memory of a later one: in place, or as a part of a concatenation.
package struct Placements: Sendable {
  package struct Placement: Equatable, Sendable {
    package var tensor: Int
    /// The tensor whose memory it shares.
    package var owner: Int
    /// Bytes from the start of the owner.
    package var offset = 0
  }

  /// In the order of decision: an owner that is placed itself precedes the tensors that it owns.
  package private(set) var placements: [Placement] = []
  private var memory: MemoryOwners
  /// Tensors whose memory an in-place operator overwrites; nothing else may read them.
  private var overwritten: Set<Int> = []

  init() { memory = MemoryOwners(owners: [], absorbed: [], computedByCells: []) }

  init(
    _ dataflow: Dataflow, cells: RecurrentCells, lookUps: FusedLookUps, sums: ResidualSums,
    states: States, elided: ElidedConcatenations, segmented: SegmentedConcatenations,
    memory: MemoryOwners
  ) throws(EngineError) {
    self.memory = memory
    for (index, node) in dataflow.graph.operators.enumerated().reversed()
    where !memory.absorbed.contains(index) {
      guard node.outputs.count == 1, let output = node.outputs.first, states.rows[index] == nil,
        cells.byLast[index] == nil, !sums.absorbed.contains(index), !elided.tensors.contains(output)
      else { continue }
      switch node.kind {
      case .reshape, .squeeze, .expandDimensions:
        guard let input = node.inputs.first, let input, self.memory.owners.contains(output) else {
          continue
        }
        share(input, with: output, index, dataflow)
      case .concatenation(_, .none) where segmented.parts[output] != nil:
        try placeParts(node, output, index, dataflow)
      case .concatenation(let axis, .none), .pack(let axis, _):
        let shape = dataflow.shape(output)
        let dimension = axis < 0 ? axis + shape.count : axis
        // Elsewhere the rows of a part are apart.
        guard shape.indices.contains(dimension), shape.prefix(dimension).allSatisfy({ $0 == 1 })
        else { continue }
        try placeParts(node, output, index, dataflow)
      case _ where node.kind.fusion.isInPlace:
        let input = node.inputs.lazy.compactMap { $0 }.first {
          isFree($0, for: index, lookUps.functions[index], dataflow)
            && dataflow.shape($0) == dataflow.shape(output)
            && dataflow.graph.tensors[$0].type == dataflow.graph.tensors[output].type
        }
        guard let input else { continue }
        place(Placement(tensor: input, owner: output))
        overwritten.insert(input)
      default: continue
      }
    }
  }

  private mutating func place(_ placement: Placement) {
    placements.append(placement)
    memory.owners.formUnion([placement.tensor, placement.owner])
  }

  private mutating func share(
    _ input: Int, with output: Int, offset: Int = 0, _ index: Int, _ dataflow: Dataflow
  ) {
    guard memory.isMovable(input, dataflow),
      !overwritten.contains(output) || dataflow.readers[input] == [index],
      dataflow.isSameForm(input, output)
    else { return }
    place(Placement(tensor: input, owner: output, offset: offset))
    if overwritten.contains(output) { overwritten.insert(input) }
  }

  /// One part after the other.
  private mutating func placeParts(
    _ node: Operator, _ output: Int, _ index: Int, _ dataflow: Dataflow
  ) throws(EngineError) {
    var offset = 0
    for case let input? in node.inputs {
      share(input, with: output, offset: offset, index, dataflow)
      offset += try dataflow.byteCount(input, as: .stored)
    }
  }

  /// Whether a tensor has no other reader than an operator, or the one fused into it.
  private func isFree(
    _ tensor: Int, for index: Int, _ function: Int?, _ dataflow: Dataflow
  ) -> Bool {
    memory.isMovable(tensor, dataflow)
      && dataflow.readers[tensor].allSatisfy { $0 == index || $0 == function }
  }
}
