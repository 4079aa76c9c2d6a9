/// Recurrent cells that the planner knows by their form.
enum Cell {
  case gated(GatedCell)
  case memory(MemoryCell)
  case gates(GateCell)

  /// What its last operator takes over.
  var operators: Set<Int> {
    switch self {
    case .gated(let cell): cell.operators
    case .memory(let cell): cell.operators
    case .gates(let cell): cell.operators
    }
  }
}

extension Planner {
  /// Finds the cells, by their last operator, and absorbs the others of them; the larger forms
  /// first, which have the smaller ones in them.
  mutating func findCells() {
    for index in graph.operators.indices { take(gatedCell(index).map(Cell.gated), index) }
    for index in graph.operators.indices { take(memoryCell(index).map(Cell.memory), index) }
    for index in graph.operators.indices { take(gateBlend(index).map(Cell.gates), index) }
    for index in graph.operators.indices { take(gateScale(index).map(Cell.gates), index) }
    absorbCuts()
  }

  private mutating func take(_ cell: Cell?, _ index: Int) {
    guard let cell, !absorbed.contains(index), cells[index] == nil,
      cell.operators.allSatisfy({ cells[$0] == nil })
    else { return }
    cells[index] = cell
    absorbed.formUnion(cell.operators)
    for absorbed in cell.operators { cellOfOperator[absorbed] = index }
    if case .memory(let memory) = cell { memoryCells[memory.newMemory] = index }
  }

  /// Cuts whose parts only cells read, which read the whole.
  private mutating func absorbCuts() {
    for (index, node) in graph.operators.enumerated() where !absorbed.contains(index) {
      switch node.kind {
      case .split, .slice, .stridedSlice: break
      default: continue
      }
      let isTaken = node.outputs.allSatisfy { tensor in
        !isOutput[tensor] && values[tensor] == nil && !readers[tensor].isEmpty
          && readers[tensor].allSatisfy { reader in readsWhole(reader, tensor) }
      }
      if isTaken { absorbed.insert(index) }
    }
  }

  /// Whether an operator belongs to gates that read a part of a tensor where it is.
  private func readsWhole(_ reader: Int, _ part: Int) -> Bool {
    guard let last = cellOfOperator[reader], case .gates(let cell) = cells[last] else {
      return false
    }
    guard let units = shape(part).last, let whole = self.part(part, units)?.whole,
      graph.operators[reader].kind == .binary(.add, .none)
    else { return false }
    return cell.step.sums.contains { $0.input.tensor == whole || $0.past.tensor == whole }
  }

  mutating func lower(_ cell: Cell, _ index: Int) throws(EngineError) {
    switch cell {
    case .gated(let cell): try lowerGatedCell(index, cell)
    case .memory(let cell): try lowerMemoryCell(index, cell)
    case .gates(let cell): try lowerGates(index, cell)
    }
  }

  // MARK: States

  /// Whether a state may be written over by the cell that makes the next one: whatever reads it
  /// has done so by then, or is the cell, which reads no element after it was written.
  func isInPlaceCell(_ pair: ResolvedPair) -> Bool {
    guard !isOutput[pair.input], values[pair.output] == nil else { return false }
    if let index = memoryCells[pair.output] { return isRead(pair.input, by: index) }
    guard let index = producer[pair.output], let cell = cells[index] else { return false }
    switch cell {
    case .gated(let cell): guard cell.state == pair.input else { return false }
    case .gates(let cell): guard cell.state == pair.input else { return false }
    // The output of a row is written after its memory was read, but before the next row's.
    case .memory(let cell): guard cell.memory != pair.input else { return false }
    }
    return isRead(pair.input, by: index)
  }

  private func isRead(_ tensor: Int, by last: Int) -> Bool {
    readers[tensor].allSatisfy { reader in
      guard (cellOfOperator[reader] ?? reader) <= last else { return false }
      let node = graph.operators[reader]
      // What is no copy is read when its own readers are.
      let isLazy = node.kind.fusion == .view || node.kind.fusion == .gathers
      return !isLazy || node.outputs.allSatisfy { !isOutput[$0] && isRead($0, by: last) }
    }
  }

  // MARK: Forms

  /// Where some of the columns of another tensor, which has `count` times as many, were cut out.
  func part(
    _ tensor: Int, _ units: Int, of count: Int? = nil
  ) -> (index: Int, whole: Int, place: Int)? {
    guard let index = producer[tensor] else { return nil }
    guard case (let whole?, let place?) = cut(index, tensor, units),
      graph.tensors[whole].type == .float32, !graph.tensors[whole].isConstant,
      let width = shape(whole).last, count.map({ width == $0 * units }) ?? true,
      shape(whole).dropLast() == shape(tensor).dropLast()
    else { return nil }
    return (index, whole, place)
  }

  private func cut(_ index: Int, _ tensor: Int, _ units: Int) -> (whole: Int?, place: Int?) {
    let node = graph.operators[index]
    switch node.kind {
    case .split:
      guard let axis = optionalInput(index, 0), let whole = optionalInput(index, 1),
        let axes = try? integers(axis), axes == [shape(whole).count - 1] || axes == [-1],
        shape(whole).last == node.outputs.count * units
      else { return (nil, nil) }
      return (whole, node.outputs.firstIndex(of: tensor))
    case .slice, .stridedSlice:
      guard let whole = optionalInput(index, 0), let box = try? box(of: index),
        box.result == box.extents, box.steps.allSatisfy({ $0 == 1 }), box.extents == shape(tensor),
        box.begin.dropLast().allSatisfy({ $0 == 0 }), let first = box.begin.last,
        units > 0, first.isMultiple(of: units)
      else { return (nil, nil) }
      return (whole, first / units)
    default: return (nil, nil)
    }
  }

  /// The operator that makes a tensor, if it is of a kind, and its operands.
  func made(_ tensor: Int, by kind: OperatorKind) -> (index: Int, inputs: [Int])? {
    guard let index = producer[tensor], graph.operators[index].kind == kind,
      graph.tensors[tensor].type == .float32
    else { return nil }
    let inputs = graph.operators[index].inputs.compactMap { $0 }
    if case .unary = kind { return inputs.count == 1 ? (index, inputs) : nil }
    return inputs.count == 2 ? (index, inputs) : nil
  }

  /// Both orders of two operands.
  func orders(_ operands: [Int]) -> [(Int, Int)] {
    [(operands[0], operands[1]), (operands[1], operands[0])]
  }
}
