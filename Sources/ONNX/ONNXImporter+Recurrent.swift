internal import Engine

/// Recurrent cells, written out step by step.
extension ONNXImporter {
  /// More steps would make a graph of tens of thousands of operators.
  private static let longestSequence = 256

  /// What GRU and LSTM have in common.
  private struct Cell {
    var steps: Int
    var batch: Int
    var units: Int
    /// The products with all inputs, [steps, batch, gates * units].
    var inputs: Activation
    var recurrent: [Float]
    var recurrentBias: [Float]
  }

  private mutating func cell(gates: Int) throws(ONNXError) -> Cell {
    let x = plain(try activation(0))
    let (weights, recurrent) = (try constant(1), try constant(2))
    let units = integer("hidden_size", 0)
    guard string("direction", "forward") == "forward", integer("layout", 0) == 0, !has(4),
      node.attributes["activations"] == nil, node.attributes["clip"] == nil
    else {
      throw unsupported("it runs backwards, or has lengths, a clip or activations of its own")
    }
    guard x.shape.count == 3, units > 0, weights.shape == [1, gates * units, x.shape[2]],
      recurrent.shape == [1, gates * units, units]
    else { throw unsupported("its input is \(x.shape), its weights are \(weights.shape)") }
    guard x.shape[0] <= Self.longestSequence else {
      throw unsupported("its sequence has \(x.shape[0]) steps, over \(Self.longestSequence)")
    }
    var bias = Array(repeating: Float(0), count: 2 * gates * units)
    if has(3) { bias = try constant(3).floats }
    guard bias.count == 2 * gates * units else { throw unsupported("its bias does not fit") }
    let inputs = dense(
      x, weights.floats, bias: Array(bias[..<(gates * units)]), inputs: x.shape[2],
      outputs: gates * units, shape: [x.shape[0], x.shape[1], gates * units])
    return Cell(
      steps: x.shape[0], batch: x.shape[1], units: units, inputs: inputs,
      recurrent: recurrent.floats, recurrentBias: Array(bias[(gates * units)...]))
  }

  /// A state before the first step, [batch, units].
  private mutating func initial(_ position: Int, _ cell: Cell) throws(ONNXError) -> Activation {
    let shape = [cell.batch, cell.units]
    guard has(position) else {
      let zeros = Array(repeating: Float(0), count: cell.batch * cell.units)
      return Activation(tensor: floats(zeros, shape), shape: shape)
    }
    return reshaped(try activation(position), shape)
  }

  /// One step's products with the inputs, [batch, gates * units].
  private mutating func inputs(_ cell: Cell, _ step: Int) -> Activation {
    let row = part(cell.inputs, axis: 0, step..<step + 1)
    return reshaped(row, Array(cell.inputs.shape[1...]))
  }

  private mutating func sum(
    _ a: Activation, _ b: Activation, _ function: BinaryFunction = .add
  ) throws(ONNXError) -> Activation {
    try binary(function, .activation(a), .activation(b))
  }

  private mutating func apply(_ function: UnaryFunction, _ x: Activation) -> Activation {
    emit(.unary(function), [x.tensor], shape: x.shape)
  }

  private mutating func gate(_ x: Activation, _ cell: Cell, _ range: Range<Int>) -> Activation {
    part(x, axis: 1, range.lowerBound * cell.units..<range.upperBound * cell.units)
  }

  /// Gates in ONNX's order: update, reset, hidden.
  mutating func convertGRU() throws(ONNXError) {
    guard integer("linear_before_reset", 0) != 0 else {
      throw unsupported("it resets before its product; PyTorch's does after it")
    }
    let cell = try cell(gates: 3)
    var hidden = try initial(5, cell)
    var outputs: [Activation] = []
    for step in 0..<cell.steps {
      let x = inputs(cell, step)
      let h = dense(
        hidden, cell.recurrent, bias: cell.recurrentBias, inputs: cell.units,
        outputs: 3 * cell.units, shape: [cell.batch, 3 * cell.units])
      let gates = apply(.logistic, try sum(gate(x, cell, 0..<2), gate(h, cell, 0..<2)))
      let reset = try sum(gate(gates, cell, 1..<2), gate(h, cell, 2..<3), .multiply)
      let new = apply(.tanh, try sum(gate(x, cell, 2..<3), reset))
      // (1 - z) n + z h
      let kept = try sum(
        gate(gates, cell, 0..<1), try sum(hidden, new, .subtract), .multiply)
      hidden = try sum(new, kept)
      outputs.append(hidden)
    }
    finish(cell, outputs, last: [hidden])
  }

  /// Gates in ONNX's order: input, output, forget, cell.
  mutating func convertLSTM() throws(ONNXError) {
    guard !has(7), integer("input_forget", 0) == 0 else {
      throw unsupported("it has peepholes or couples its gates")
    }
    let cell = try cell(gates: 4)
    var (hidden, memory) = (try initial(5, cell), try initial(6, cell))
    var outputs: [Activation] = []
    for step in 0..<cell.steps {
      let h = dense(
        hidden, cell.recurrent, bias: cell.recurrentBias, inputs: cell.units,
        outputs: 4 * cell.units, shape: [cell.batch, 4 * cell.units])
      let all = try sum(inputs(cell, step), h)
      let gates = apply(.logistic, gate(all, cell, 0..<3))
      let new = apply(.tanh, gate(all, cell, 3..<4))
      let kept = try sum(gate(gates, cell, 2..<3), memory, .multiply)
      memory = try sum(kept, try sum(gate(gates, cell, 0..<1), new, .multiply))
      hidden = try sum(gate(gates, cell, 1..<2), apply(.tanh, memory), .multiply)
      outputs.append(hidden)
    }
    finish(cell, outputs, last: [hidden, memory])
  }

  /// The sequence of outputs [steps, 1, batch, units], and the states [1, batch, units].
  private mutating func finish(_ cell: Cell, _ outputs: [Activation], last: [Activation]) {
    let names = node.outputs
    let one = [1, 1, cell.batch, cell.units]
    if let name = names.first, !name.isEmpty {
      node.outputs = [name]
      var rows: [Int?] = []
      for output in outputs { rows.append(reshaped(output, one).tensor) }
      let shape = [cell.steps] + one[1...]
      let whole =
        rows.count == 1
        ? Activation(tensor: rows[0]!, shape: shape)
        : emit(.concatenation(axis: 0, .none), rows, shape: shape)
      values[name] = .activation(whole)
    }
    for (index, state) in last.enumerated() where index + 1 < names.count {
      node.outputs = [names[index + 1]]
      if !names[index + 1].isEmpty { set(reshaped(state, Array(one[1...]))) }
    }
  }
}
