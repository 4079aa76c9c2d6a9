internal import QDKernels

extension Network {
  func perform(_ step: Step.GRU) {
    let cell = step.operands
    let count = step.rows * cell.units
    unsafe elementwise.gru(
      rows: step.rows, units: cell.units,
      input: UnsafeBufferPointer(floats(cell.input, 3 * count)),
      past: UnsafeBufferPointer(floats(cell.past, 3 * count)), reset: cell.order.reset,
      update: cell.order.update, candidate: cell.order.candidate,
      state: UnsafeBufferPointer(floats(cell.state, count)),
      into: floats(step.destination, count))
  }

  func perform(_ step: Step.LSTM) {
    let cell = step.operands
    let count = step.rows * cell.units
    let none = unsafe UnsafeBufferPointer<Float>(start: nil, count: 0)
    unsafe elementwise.lstm(
      rows: step.rows, units: cell.units,
      input: UnsafeBufferPointer(floats(cell.input, 4 * count)),
      past: cell.past.map { unsafe UnsafeBufferPointer(floats($0, 4 * count)) } ?? none,
      bias: cell.bias.map { unsafe UnsafeBufferPointer(floats($0, 4 * cell.units)) } ?? none,
      gates: (cell.order.input, cell.order.forget, cell.order.candidate, cell.order.output),
      memory: UnsafeBufferPointer(floats(cell.memory, count)),
      newMemory: floats(cell.newMemory, count), into: floats(step.destination, count))
  }

  func perform(_ step: Step.Gates) {
    let units = step.operands.units
    let count = step.rows * units
    func gate(_ sum: GateSum<Step.GateRows>) -> Elementwise.Gate {
      func rows(_ rows: Step.GateRows) -> Elementwise.Gate.Rows {
        let count = (step.rows - 1) * rows.stride + units
        return unsafe (UnsafeBufferPointer(floats(rows.address, count)), rows.stride)
      }
      return unsafe Elementwise.Gate(input: rows(sum.input), past: rows(sum.past))
    }
    let first = gate(step.operands.first)
    let state = unsafe UnsafeBufferPointer(floats(step.operands.state, count))
    let output = unsafe floats(step.destination, count)
    if let candidate = step.operands.candidate {
      unsafe elementwise.blend(
        rows: step.rows, units: units, update: first, candidate: gate(candidate), state: state,
        into: output)
    } else {
      unsafe elementwise.gate(
        rows: step.rows, units: units, first, state: state, into: output)
    }
  }
}
