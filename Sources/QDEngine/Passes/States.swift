/// The pass that chooses the form of every state's memory.
package struct States: Sendable {
  /// A state as tensors.
  package struct Pair: Sendable {
    package var input: Int
    package var output: Int
  }

  package struct State: Sendable {
    package var pair: Pair
    package var form: Form
  }

  package enum Form: Sendable {
    /// A ring buffer of rows; the operator of the new row writes into it, or the row is copied.
    case shiftRegister(ShiftRegister, writesRow: Bool)
    /// One buffer, which a recurrent cell overwrites.
    case inPlace
    /// A double buffer; the operator of the new state writes into it, or the state is copied.
    case doubleBuffer(writesState: Bool)
  }

  /// state_out = CONCATENATION([SLICE(state_in, 1...), row]), and every other reader of state_in
  /// reads single rows.
  package struct ShiftRegister: Sendable {
    package var rows: Int
    package var row: Int
    /// Tensors that are one row of the state, and the index of that row.
    package var taps: [Tap]
    package var concatenation: Int
    var operators: Set<Int>
  }

  package struct Tap: Sendable {
    package var tensor: Int
    package var row: Int
  }

  package private(set) var states: [State] = []
  /// The new row of a shift register, by the operator that appends it.
  private(set) var rows: [Int: Int] = [:]
  private(set) var absorbed: Set<Int> = []

  init() {}

  /// - Parameter memory: tensors that have their own memory already; afterwards those of states,
  ///   too.
  init(
    _ dataflow: Dataflow, _ pairs: [Pair], cells: RecurrentCells,
    memory: inout MemoryOwners
  ) {
    for pair in pairs {
      let form: Form
      if let register = dataflow.shiftRegister(pair) {
        memory.owners.formUnion(register.taps.map(\.tensor))
        absorbed.formUnion(register.operators)
        rows[register.concatenation] = register.row
        memory.absorbed.formUnion(register.operators)
        let writesRow = memory.isMovable(register.row, dataflow)
        if writesRow { memory.owners.insert(register.row) }
        form = .shiftRegister(register, writesRow: writesRow)
      } else if !dataflow.isOutput[pair.input], !memory.owners.contains(pair.output),
        cells.updatesInPlace(pair, dataflow)
      {
        form = .inPlace
        memory.owners.formUnion([pair.input, pair.output])
      } else {
        memory.owners.insert(pair.input)
        let writesState = memory.isMovable(pair.output, dataflow, evenIfOutput: true)
        if writesState { memory.owners.insert(pair.output) }
        form = .doubleBuffer(writesState: writesState)
      }
      states.append(State(pair: pair, form: form))
    }
  }
}

extension Dataflow {
  func resolve(_ states: [StatePair]) throws(EngineError) -> [States.Pair] {
    var pairs: [States.Pair] = []
    for state in states {
      guard let input = graph.inputs.first(where: { graph.tensors[$0].name == state.input }) else {
        throw stateError(state.input, "the network has no input of this name")
      }
      guard let output = graph.outputs.first(where: { graph.tensors[$0].name == state.output })
      else { throw stateError(state.output, "the network has no output of this name") }
      guard graph.tensors[input].shape == graph.tensors[output].shape, isSameForm(input, output),
        isPlain(input) || isQuantized(input) || graph.tensors[input].type == .float32
      else {
        throw stateError(state.input, "it and '\(state.output)' differ in shape, type or scale")
      }
      guard !pairs.contains(where: { $0.input == input || $0.output == output }) else {
        throw stateError(state.input, "it or '\(state.output)' is part of two states")
      }
      pairs.append(States.Pair(input: input, output: output))
    }
    return pairs
  }

  private func stateError(_ state: String, _ reason: String) -> EngineError {
    .invalidState(graph: graph.name, state: state, reason: reason)
  }

  fileprivate func shiftRegister(_ pair: States.Pair) -> States.ShiftRegister? {
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
    var register = States.ShiftRegister(
      rows: rows, row: row, taps: [], concatenation: concatenation, operators: [shift])
    for reader in readers[pair.input] where reader != shift {
      guard let range = rowRange(reader, of: pair.input), range.count == 1,
        let tap = graph.operators[reader].outputs.first, !isOutput[tap]
      else { return nil }
      register.taps.append(States.Tap(tensor: tap, row: range.lowerBound))
      register.operators.insert(reader)
    }
    return register
  }

  /// The rows of a state that a SLICE reads; `nil` if the operator does anything else.
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
}
