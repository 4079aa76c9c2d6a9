internal import QDKernels

extension Lowering {
  /// Appends the steps of one operator.
  mutating func lower(_ index: Int) throws(EngineError) {
    let node = graph.operators[index]
    if let row = plan.states.rows[index] { return try lowerRow(row, index) }
    if let cell = plan.cells.byLast[index] { return try lower(cell, index) }
    if let matmul = plan.matmuls.byLast[index] { return try lower(matmul, index) }
    if case .custom(let name, let options) = node.kind {
      try checkTypes(index)
      try lowerCustom(index, name, options)
      return try quantizeOutputs(of: index)
    }
    guard let row = node.kind.knownProperties else { throw unsupported(index) }
    try checkTypes(index)
    try row.lower(&self, index, node.kind)
    try quantizeOutputs(of: index)
  }

  /// Requires computed tensors to be float32 or quantized, and of a rank that `Nest` supports.
  private func checkTypes(_ index: Int) throws(EngineError) {
    let node = graph.operators[index]
    for tensor in node.inputs.compactMap({ $0 }) + node.outputs {
      let value = graph.tensors[tensor]
      guard
        value.isConstant || value.type == .float32 || isQuantized(tensor)
          || (isPlain(tensor) && node.kind.types == .any)
      else {
        throw unsupported(index, "it does not compute '\(value.name)' of type \(value.type)")
      }
      if !value.isConstant, isQuantized(tensor) { _ = try integerForm(tensor) }
      guard value.shape.count <= Nest.maximumRank else {
        throw unsupported(index, "'\(value.name)' has \(value.shape.count) dimensions")
      }
      guard value.shape.allSatisfy({ $0 > 0 }) || (value.isConstant && isPlain(tensor)) else {
        throw unsupported(index, "'\(value.name)' has the shape \(value.shape)")
      }
    }
    guard node.kind.integers == .moves, let output = node.outputs.first else { return }
    let type = graph.tensors[output].type
    let moved = node.inputs.indices.filter { node.kind.moves($0) }.compactMap { node.inputs[$0] }
    for tensor in moved + node.outputs {
      guard graph.tensors[tensor].type == type else {
        throw unsupported(
          index, "'\(graph.tensors[tensor].name)' is \(graph.tensors[tensor].type), not \(type)")
      }
    }
  }

  // MARK: Copies

  mutating func emitCopy(_ source: Value, _ destination: Value, bytes: Int) throws(EngineError) {
    emit(
      .copy(
        Step.Copy(
          source: address(source), destination: address(destination),
          nest: Nest(extents: [], a: [], b: [], y: []), rows: Nest.Dimension(), block: bytes)),
      touching: [source.storage, destination.storage])
  }

  /// Copies elements of `size` bytes; strides are in bytes.
  mutating func emitCopy(
    _ source: Address, _ destination: Address, extents: [Int], from: [Int], to: [Int],
    elementSize: Int = 4
  ) {
    var nest = Nest(extents: extents, a: from, b: from.map { _ in 0 }, y: to)
    var block = elementSize
    if elementSize == 4, let transpose = nest.transposition(source, destination) {
      return emit(
        .transpose(transpose), touching: [Int(source.storage), Int(destination.storage)])
    }
    let inner = nest.removeInnermost()
    if inner.a == elementSize, inner.y == elementSize {
      block *= inner.extent
    } else {
      nest = Nest(extents: extents, a: from, b: from.map { _ in 0 }, y: to)
    }
    let rows = nest.removeInnermost()
    emit(
      .copy(
        Step.Copy(
          source: source, destination: destination, nest: nest, rows: rows, block: block)),
      touching: [Int(source.storage), Int(destination.storage)])
  }
}
