extension Lowering {
  /// Allocates the memory of a state.
  mutating func place(_ state: States.State) throws(EngineError) {
    let pair = state.pair
    switch state.form {
    case .shiftRegister(let register, let writesRow):
      let bytes = try byteCount(register.row, as: .stored)
      try newRing(slots: register.rows + 1, slotBytes: bytes, of: pair)
      // The previous run wrote the last row of the state.
      for tap in register.taps { values[tap.tensor] = try ringView(lag: register.rows - tap.row) }
      let written = try ringView(lag: 0)
      rowDestinations[register.concatenation] = written
      if writesRow { values[register.row] = written }
    case .inPlace:
      let memory = try persistent(pair.input)
      values[pair.input] = memory
      values[pair.output] = memory
    case .doubleBuffer(let writesState):
      try newRing(slots: 2, slotBytes: try byteCount(pair.output, as: .stored), of: pair)
      values[pair.input] = try ringView(lag: 1)
      let written = try ringView(lag: 0)
      stateDestinations[pair.output] = written
      if writesState { values[pair.output] = written }
    }
  }

  /// Copies the new row of a shift register into its slot, if it is not computed there.
  mutating func lowerRow(_ row: Int, _ index: Int) throws(EngineError) {
    let value = try value(of: row, as: .stored)
    guard let destination = rowDestinations[index], value != destination else { return }
    try emitCopy(value, destination, bytes: byteCount(row, as: .stored))
  }

  /// Copies a new state that no operator computes in place to where the next run reads it: an input
  /// that is also an output, a constant, a view.
  mutating func handThrough(_ pair: States.Pair) throws(EngineError) {
    guard let wanted = stateDestinations[pair.output] else { return }
    let value = try value(of: pair.output, as: .stored)
    if value != wanted {
      try emitCopy(value, wanted, bytes: byteCount(pair.output, as: .stored))
    }
  }

  private mutating func newRing(
    slots: Int, slotBytes: Int, of pair: States.Pair
  ) throws(EngineError) {
    _ = try checkedSize(slots * slotBytes)
    rings.append(
      Ring(slots: slots, slotBytes: slotBytes, initial: try zeroByte(pair.input, as: .stored)))
  }

  private mutating func ringView(lag: Int) throws(EngineError) -> Value {
    let ring = rings.count - 1
    return Value(
      storage: try newStorage(.ringView(ring: ring, lag: lag), byteCount: rings[ring].slotBytes))
  }
}
