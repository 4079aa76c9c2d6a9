extension Planner {
  /// Whether it is still free where the tensor lies, and its operator could write it there.
  func isMovable(_ tensor: Int, evenIfOutput: Bool = false) -> Bool {
    values[tensor] == nil && (evenIfOutput || !isOutput[tensor]) && isComputed(tensor)
  }

  /// Whether the tensor is written element by element, and not a view of another one.
  private func isComputed(_ tensor: Int) -> Bool {
    if memoryCells[tensor] != nil { return true }
    var tensor = tensor
    while let index = producer[tensor], !absorbed.contains(index) {
      let node = graph.operators[index]
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

  /// Concatenations along the last dimension that only int8 products read need no memory: their
  /// parts are quantized from where they are.
  mutating func chooseGathered() {
    for (index, node) in graph.operators.enumerated() where registerRows[index] == nil {
      guard case .concatenation(axis: let axis, .none) = node.kind,
        let output = node.outputs.first, !isOutput[output], values[output] == nil,
        graph.tensors[output].type == .float32, (2...4).contains(node.inputs.count),
        node.inputs.allSatisfy({ $0 != nil }),
        axis == -1 || axis == graph.tensors[output].shape.count - 1,
        !readers[output].isEmpty
      else { continue }
      let onlyProducts = readers[output].allSatisfy { reader in
        guard case .fullyConnected = graph.operators[reader].kind,
          graph.operators[reader].inputs.first == output,
          graph.operators[reader].inputs.count(where: { $0 == output }) == 1,
          let weights = graph.operators[reader].inputs.dropFirst().first, let weights
        else { return false }
        return isHybrid(reader)
          && graph.tensors[weights].shape.last == graph.tensors[output].shape.last
      }
      if onlyProducts { gathered.insert(output) }
    }
  }

  /// Decides, from the last operator to the first, which tensors are computed right where a later
  /// one needs them: in place, or as a part of a concatenation.
  mutating func chooseValues() throws(EngineError) {
    // Tensors whose memory an in-place operator writes over: nobody else may read it.
    var overwritten: Set<Int> = []
    for index in graph.operators.indices.reversed() where !absorbed.contains(index) {
      let node = graph.operators[index]
      guard node.outputs.count == 1, let output = node.outputs.first,
        registerRows[index] == nil, cells[index] == nil, !gathered.contains(output)
      else { continue }
      func mayShare(_ input: Int) -> Bool {
        isMovable(input) && (!overwritten.contains(output) || readers[input] == [index])
      }
      switch node.kind {
      case .reshape, .squeeze, .expandDimensions:
        guard let input = node.inputs.first, let input, let value = values[output],
          mayShare(input), isSameForm(input, output)
        else { continue }
        values[input] = value
        if overwritten.contains(output) { overwritten.insert(input) }
      case .concatenation(let axis, .none), .pack(let axis, _):
        // Parts are whole stretches of memory only if nothing lies outside of the axis.
        let shape = graph.tensors[output].shape
        let dimension = axis < 0 ? axis + shape.count : axis
        guard shape.indices.contains(dimension),
          shape.prefix(dimension).allSatisfy({ $0 == 1 })
        else { continue }
        var offset = 0
        for case let input? in node.inputs {
          if mayShare(input), isSameForm(input, output) {
            let whole = try destination(output)
            values[input] = Value(storage: whole.storage, offset: whole.offset + offset)
            if overwritten.contains(output) { overwritten.insert(input) }
          }
          offset += try byteCount(input)
        }
      case _ where node.kind.fusion.isInPlace:
        for case let input? in node.inputs
        where isMovable(input)
          && readers[input].allSatisfy({ $0 == index || $0 == tablesInPairs[index] })
          && graph.tensors[input].shape == graph.tensors[output].shape
          && graph.tensors[input].type == graph.tensors[output].type
        {
          values[input] = try destination(output)
          overwritten.insert(input)
          break
        }
      default: continue
      }
    }
  }
}
