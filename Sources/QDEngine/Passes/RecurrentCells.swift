/// A recurrent cell expressed as elementwise operators, which becomes one step.
package enum RecurrentCell: Sendable {
  case gru(GRUCell)
  case lstm(LSTMCell)
  /// The gates of a GRU whose reset gate comes before a product.
  case gates(GRUGates)

  /// The operators that are fused into the last one.
  var operators: Set<Int> {
    switch self {
    case .gru(let cell): cell.operators
    case .lstm(let cell): cell.operators
    case .gates(let cell): cell.operators
    }
  }
}

/// The fusion pass for recurrent cells.
package struct RecurrentCells: Sendable {
  /// By their last operator.
  package private(set) var byLast: [Int: RecurrentCell] = [:]
  /// The last operator of the cell, by fused operator.
  private var lastByOperator: [Int: Int] = [:]
  /// The same, by the new cell state of an LSTM.
  private(set) var lastByMemory: [Int: Int] = [:]
  /// Fused operators, and slices whose whole input the cells read.
  package private(set) var absorbed: Set<Int> = []

  init() {}

  /// Looks for the larger patterns first, because they contain the smaller ones.
  package init(_ dataflow: Dataflow) {
    let operators = dataflow.graph.operators.indices
    for index in operators {
      take(dataflow.gruCell(index, skipping: absorbed).map(RecurrentCell.gru), index)
    }
    for index in operators {
      take(dataflow.lstmCell(index, skipping: absorbed).map(RecurrentCell.lstm), index)
    }
    for index in operators {
      take(dataflow.gruBlend(index, skipping: absorbed).map(RecurrentCell.gates), index)
    }
    for index in operators {
      take(dataflow.gruReset(index, skipping: absorbed).map(RecurrentCell.gates), index)
    }
    absorbCuts(dataflow)
  }

  private mutating func take(_ cell: RecurrentCell?, _ last: Int) {
    guard let cell, !absorbed.contains(last), byLast[last] == nil,
      cell.operators.allSatisfy({ byLast[$0] == nil })
    else { return }
    byLast[last] = cell
    absorbed.formUnion(cell.operators)
    for index in cell.operators { lastByOperator[index] = last }
    if case .lstm(let lstm) = cell { lastByMemory[lstm.operands.newMemory] = last }
  }

  /// Absorbs slices that only cells read; the cells read the sliced tensor instead.
  private mutating func absorbCuts(_ dataflow: Dataflow) {
    for (index, node) in dataflow.graph.operators.enumerated() where !absorbed.contains(index) {
      switch node.kind {
      case .split, .slice, .stridedSlice: break
      default: continue
      }
      let isTaken = node.outputs.allSatisfy { tensor in
        !dataflow.isOutput[tensor] && !dataflow.readers[tensor].isEmpty
          && dataflow.readers[tensor].allSatisfy { readsWhole($0, tensor, dataflow) }
      }
      if isTaken { absorbed.insert(index) }
    }
  }

  /// Whether an operator belongs to gates that read columns of a tensor without a slice.
  private func readsWhole(_ reader: Int, _ part: Int, _ dataflow: Dataflow) -> Bool {
    guard let last = lastByOperator[reader], case .gates(let cell) = byLast[last],
      let units = dataflow.shape(part).last, let whole = dataflow.part(part, units)?.whole,
      dataflow.graph.operators[reader].kind == .binary(.add, .none)
    else { return false }
    return cell.gates.sums.contains { $0.input.tensor == whole || $0.past.tensor == whole }
  }

  // MARK: States

  /// Whether a cell may overwrite the old state with the new one: all other readers of the old
  /// state have run before, and the cell reads no element after writing it.
  func updatesInPlace(_ pair: States.Pair, _ dataflow: Dataflow) -> Bool {
    if let last = lastByMemory[pair.output] { return isRead(pair.input, by: last, dataflow) }
    guard let last = dataflow.producer[pair.output], let cell = byLast[last] else { return false }
    switch cell {
    case .gru(let cell): guard cell.operands.state == pair.input else { return false }
    case .gates(let cell): guard cell.gates.state == pair.input else { return false }
    // The output of a row is written after its memory was read, but before the next row's.
    case .lstm(let cell): guard cell.operands.memory != pair.input else { return false }
    }
    return isRead(pair.input, by: last, dataflow)
  }

  private func isRead(_ tensor: Int, by last: Int, _ dataflow: Dataflow) -> Bool {
    dataflow.readers[tensor].allSatisfy { reader in
      guard (lastByOperator[reader] ?? reader) <= last else { return false }
      let node = dataflow.graph.operators[reader]
      // The readers of a view or an elided concatenation read its input later.
      let isLazy = node.kind.fusion == .view || node.kind.fusion == .gathers
      return !isLazy
        || node.outputs.allSatisfy { !dataflow.isOutput[$0] && isRead($0, by: last, dataflow) }
    }
  }
}

// MARK: Forms

extension Dataflow {
  /// Whether only the operators themselves and their last one read the operators' outputs.
  /// - Parameters:
  ///   - visible: tensors that later operators may read as well.
  ///   - fits: a further condition for intermediate tensors.
  func isClosed(
    _ operators: Set<Int>, _ last: Int, visible: Int? = nil, where fits: (Int) -> Bool
  ) -> Bool {
    operators.allSatisfy { index in
      graph.operators[index].outputs.allSatisfy { tensor in
        let isVisible = tensor == visible
        return (isVisible || !isOutput[tensor] && fits(tensor))
          && readers[tensor].allSatisfy { reader in
            (isVisible ? reader >= last : reader == last) || operators.contains(reader)
          }
      }
    }
  }

  /// The columns of another tensor, which has `count` times as many, from which a tensor was
  /// sliced.
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

  /// The operator that computes a tensor, if it has the kind, and its operands.
  func made(_ tensor: Int, by kind: OperatorKind) -> (index: Int, inputs: [Int])? {
    guard let index = producer[tensor], graph.operators[index].kind == kind,
      graph.tensors[tensor].type == .float32
    else { return nil }
    let inputs = graph.operators[index].inputs.compactMap { $0 }
    if case .unary = kind { return inputs.count == 1 ? (index, inputs) : nil }
    return inputs.count == 2 ? (index, inputs) : nil
  }

  /// The output of an operator, and its number of columns.
  func lastOutput(_ index: Int) -> (tensor: Int, units: Int)? {
    guard let output = graph.operators[index].outputs.first, let units = shape(output).last,
      (1...Storage.limit).contains(units)
    else { return nil }
    return (output, units)
  }

  /// Both orders of two operands.
  func orders(_ operands: [Int]) -> [(Int, Int)] {
    [(operands[0], operands[1]), (operands[1], operands[0])]
  }
}
