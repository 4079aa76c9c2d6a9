/// The results of all passes over a graph; each pass reads the graph and the results of earlier
/// ones. Lowering reads the plan and does not change it.
package struct FusionPlan: Sendable {
  /// The view of each operator.
  package let views: [TensorView]
  package let cells: RecurrentCells
  package let matmuls: TransposedMatmuls
  package let lookUps: FusedLookUps
  package let states: States
  package let elided: ElidedConcatenations
  package let segmented: SegmentedConcatenations
  package let placements: Placements
  package let activations: FusedActivations
  package let sums: ResidualSums
  /// Operators that are part of another's steps, or need none.
  package let absorbed: Set<Int>

  /// - Parameters:
  ///   - states: pairs of an input and an output of the graph.
  ///   - converted: outputs that the caller reads in another form than the stored one.
  init(
    _ dataflow: Dataflow, states pairs: [States.Pair], converted: Set<Int>
  ) throws(EngineError) {
    views = dataflow.graph.operators.indices.map { dataflow.view(of: $0) }
    cells = RecurrentCells(dataflow)
    matmuls = TransposedMatmuls(dataflow, skipping: cells.absorbed)
    lookUps = FusedLookUps(dataflow, skipping: cells.absorbed.union(matmuls.absorbed))
    var memory = MemoryOwners(
      owners: dataflow.edges(without: pairs).subtracting(converted),
      absorbed: cells.absorbed.union(matmuls.absorbed).union(lookUps.absorbed),
      computedByCells: Set(cells.lastByMemory.keys))
    sums = ResidualSums(dataflow, skipping: memory.absorbed.union(dataflow.restoring))
    states = States(dataflow, pairs, cells: cells, memory: &memory)
    elided = ElidedConcatenations(dataflow, owners: memory.owners)
    segmented = SegmentedConcatenations(
      dataflow, owners: memory.owners, skipping: memory.absorbed.union(matmuls.byLast.keys))
    placements = try Placements(
      dataflow, cells: cells, lookUps: lookUps, sums: sums, states: states, elided: elided,
      segmented: segmented, memory: memory)
    let fused = memory.absorbed.union(dataflow.restoring)
    activations = FusedActivations(
      dataflow, skipping: fused.union(cells.byLast.keys).union(matmuls.byLast.keys))
    absorbed = fused.union(activations.absorbed).union(sums.absorbed)
  }

  /// A plan without fusions.
  init(views: [TensorView]) {
    self.views = views
    cells = RecurrentCells()
    matmuls = TransposedMatmuls()
    lookUps = FusedLookUps()
    states = States()
    elided = ElidedConcatenations()
    segmented = SegmentedConcatenations()
    placements = Placements()
    activations = FusedActivations()
    sums = ResidualSums()
    absorbed = []
  }
}

extension FusionPlan {
  /// The plan for a graph of float32 and quantized tensors.
  package init(_ graph: Graph, states: [StatePair] = []) throws(EngineError) {
    let dataflow = Dataflow(graph)
    try self.init(dataflow, states: try dataflow.resolve(states), converted: [])
  }
}

extension Dataflow {
  /// Variables, inputs and outputs that are no states: tensors with their own memory.
  fileprivate func edges(without pairs: [States.Pair]) -> Set<Int> {
    let written = graph.outputs.filter { producer[$0] != nil }
    return Set(graph.inputs + written).subtracting(pairs.flatMap { [$0.input, $0.output] })
      .union(graph.tensors.indices.filter { graph.tensors[$0].isVariable })
  }
}
