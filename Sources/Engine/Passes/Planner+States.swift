extension Planner {
  /// A state pair as tensor indices.
  struct ResolvedPair {
    var input: Int
    var output: Int
  }

  func resolve(_ states: [StatePair]) throws(EngineError) -> [ResolvedPair] {
    var pairs: [ResolvedPair] = []
    for state in states {
      guard let input = graph.inputs.first(where: { graph.tensors[$0].name == state.input }) else {
        throw stateError(state.input, "the network has no input of this name")
      }
      guard let output = graph.outputs.first(where: { graph.tensors[$0].name == state.output })
      else { throw stateError(state.output, "the network has no output of this name") }
      guard graph.tensors[input].shape == graph.tensors[output].shape,
        isSameForm(input, output), isPlain(input) || isQuantized(input) || isFloat(input)
      else {
        throw stateError(state.input, "it and '\(state.output)' differ in shape, type or scale")
      }
      guard !pairs.contains(where: { $0.input == input || $0.output == output }) else {
        throw stateError(state.input, "it or '\(state.output)' is part of two states")
      }
      pairs.append(ResolvedPair(input: input, output: output))
    }
    return pairs
  }

  private func isFloat(_ tensor: Int) -> Bool { graph.tensors[tensor].type == .float32 }

  private func stateError(_ state: String, _ reason: String) -> EngineError {
    .invalidState(graph: graph.name, state: state, reason: reason)
  }

  /// Gives a state its memory: a ring of rows for a shift register, one buffer where a cell writes
  /// over it, else two buffers that swap.
  mutating func plan(_ pair: ResolvedPair) throws(EngineError) {
    if let register = shiftRegister(pair) { return try plan(register, pair) }
    if isInPlaceCell(pair) {
      values[pair.input] = try persistent(pair.input)
      values[pair.output] = values[pair.input]
      return
    }
    let bytes = try byteCount(pair.output)
    rings.append(Ring(slots: 2, slotBytes: bytes, initial: try zeroByte(pair.input)))
    _ = try checkedSize(2 * bytes)
    values[pair.input] = try ringView(lag: 1)
    let written = try ringView(lag: 0)
    stateDestinations[pair.output] = written
    if isMovable(pair.output, evenIfOutput: true) { values[pair.output] = written }
  }

  /// Sees to it that the next run finds a state that no operator wrote where it belongs: an input
  /// handed through, a constant, a view.
  mutating func handThrough(_ pair: ResolvedPair) throws(EngineError) {
    guard let wanted = stateDestinations[pair.output] else { return }
    let value = try value(of: pair.output)
    if value != wanted { try emitCopy(value, wanted, bytes: byteCount(pair.output)) }
  }

  // MARK: Shift registers

  /// state_out = CONCATENATION([SLICE(state_in, 1...), row]), and all that reads state_in reads
  /// single rows.
  private struct ShiftRegister {
    var rows: Int
    var row: Int
    /// Operators that take one row out of the state, and which.
    var taps: [(index: Int, row: Int)]
    var shift: Int
    var concatenation: Int
  }

  private func shiftRegister(_ pair: ResolvedPair) -> ShiftRegister? {
    let shape = graph.tensors[pair.output].shape
    guard let rows = shape.first, rows >= 2, let concatenation = producer[pair.output],
      readers[pair.output].isEmpty,
      case .concatenation(axis: let axis, .none) = graph.operators[concatenation].kind,
      axis == 0 || axis == -shape.count,
      graph.operators[concatenation].inputs.count == 2,
      let shifted = graph.operators[concatenation].inputs[0],
      let row = graph.operators[concatenation].inputs[1],
      readers[shifted] == [concatenation], !isOutput[shifted],
      let shift = producer[shifted], row != shifted,
      graph.tensors[row].shape == [1] + shape.dropFirst(),
      rowRange(shift, of: pair.input) == 1..<rows
    else { return nil }
    var taps: [(index: Int, row: Int)] = []
    for reader in readers[pair.input] where reader != shift {
      guard let range = rowRange(reader, of: pair.input), range.count == 1,
        let tap = graph.operators[reader].outputs.first, !isOutput[tap]
      else { return nil }
      taps.append((reader, range.lowerBound))
    }
    return ShiftRegister(
      rows: rows, row: row, taps: taps, shift: shift, concatenation: concatenation)
  }

  /// The rows that a SLICE takes whole out of a state; `nil` if the operator does anything else.
  private func rowRange(_ index: Int, of state: Int) -> Range<Int>? {
    let node = graph.operators[index]
    let shape = graph.tensors[state].shape
    guard node.inputs.first == state, let box = try? box(of: index),
      let output = node.outputs.first,
      box.steps.allSatisfy({ $0 == 1 }), !shape.isEmpty,
      box.begin.dropFirst().allSatisfy({ $0 == 0 }),
      Array(box.extents.dropFirst()) == Array(shape.dropFirst()),
      graph.tensors[output].shape == [box.extents[0]] + shape.dropFirst()
    else { return nil }
    return box.begin[0]..<box.begin[0] + box.extents[0]
  }

  private mutating func plan(
    _ register: ShiftRegister, _ pair: ResolvedPair
  ) throws(EngineError) {
    let slotBytes = try byteCount(register.row)
    let slots = register.rows + 1
    _ = try checkedSize(slots * slotBytes)
    rings.append(Ring(slots: slots, slotBytes: slotBytes, initial: try zeroByte(pair.input)))
    // The last row of the state is the one that the previous run wrote.
    for tap in register.taps {
      values[graph.operators[tap.index].outputs[0]] = try ringView(lag: register.rows - tap.row)
      absorbed.insert(tap.index)
    }
    absorbed.insert(register.shift)
    let written = try ringView(lag: 0)
    registerRows[register.concatenation] = (register.row, written)
    if isMovable(register.row) { values[register.row] = written }
  }

  private mutating func ringView(lag: Int) throws(EngineError) -> Value {
    let ring = rings.count - 1
    return Value(
      storage: try newStorage(.ringView(ring: ring, lag: lag), byteCount: rings[ring].slotBytes))
  }
}
