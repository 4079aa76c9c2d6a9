internal import QDKernels

extension Lowering {
  /// An LSTM over a whole sequence as one step: first the product of all inputs, then, for each
  /// time step, the product of the previous output.
  mutating func lowerLSTMSequence(_ index: Int, _ cell: LSTM) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let source = shape(input)
    let node = graph.operators[index]
    // The order of the gates in the file, and here with the three sigmoids adjacent.
    let gates = [0, 1, 3, 2]
    for position in [9, 10, 11, 16, 17, 20, 21, 22, 23]
    where optionalInput(index, position) != nil {
      throw unsupported(index, "it has peepholes, a projection or a normalization")
    }
    guard node.inputs.count >= 20, optionalInput(index, 1) != nil, optionalInput(index, 5) != nil
    else { throw unsupported(index, "its input gate is coupled to its forget gate") }
    guard cell.activation == .tanh else { throw unsupported(index, "its activation is not tanh") }
    guard source.count == 3, source[cell.isTimeMajor ? 1 : 0] == 1 else {
      throw unsupported(index, "its input is \(source): one sequence at a time")
    }
    let (times, inputs) = (source[cell.isTimeMajor ? 0 : 1], source[2])
    guard let units = shape(try self.input(index, 8)).first else {
      throw invalid(index, "its weights do not fit")
    }
    try requireShape(output, [source[0], source[1], units], index)
    let (hidden, memory) = (try self.input(index, 18), try self.input(index, 19))
    var states: [Value] = []
    for state in [hidden, memory] {
      guard graph.tensors[state].isVariable else {
        throw unsupported(index, "'\(graph.tensors[state].name)' is no variable")
      }
      try requireShape(state, [1, units], index)
      // A quantized cell computes in floats, and keeps its states in floats, rounded to their
      // steps.
      states.append(
        isQuantized(state)
          ? Value(storage: try newStorage(.persistent, byteCount: 4 * units))
          : try value(of: state, for: index))
    }
    let first = try stackedWeights(
      index, gates.map { 1 + $0 }, biases: gates.map { 12 + $0 }, outputs: units, inputs: inputs)
    let second = try stackedWeights(
      index, gates.map { 5 + $0 }, biases: nil, outputs: units, inputs: units)

    var product = Step.Product(
      first, rows: times, inputs: inputs, outputs: 4 * units,
      range: isQuantized(memory) ? Step.LSTMSequence.integerGates : Self.unclamped)
    if first.type == .qd8 {
      let quantized = try quantizedRows(input, columns: inputs, for: index)
      product.source = address(quantized.bytes)
      product.parameters = address(quantized.parameters)
      product.parametersStride = 1
    } else {
      product.source = address(try value(of: input, for: index))
    }
    let sums = try newStorage(
      .scratch, byteCount: try checkedProduct([16, times, units]))
    product.destination = address(sums)
    emit(product)
    try emitLSTM(
      second, sums: sums, hidden: states[0], memory: states[1],
      to: try destination(output, for: index),
      times: times, units: units, clip: cell.cellClip,
      forms: isQuantized(memory) && isQuantized(hidden)
        ? (try integerForm(memory), try integerForm(hidden)) : nil)
  }

  private mutating func emitLSTM(
    _ layer: LayerReference, sums: Int, hidden: Value, memory: Value, to output: Value, times: Int,
    units: Int, clip: Float, forms: (memory: IntegerForm, output: IntegerForm)?
  ) throws(EngineError) {
    let gates = try newStorage(.scratch, byteCount: try checkedProduct([16, units]))
    let bytes = try newStorage(.scratch, byteCount: units)
    let parameters = try newStorage(.scratch, byteCount: Self.parametersSize)
    var step = Step.LSTMSequence(
      layer: layer, sums: address(sums), gates: address(gates), bytes: address(bytes),
      parameters: address(parameters), hidden: address(hidden), memory: address(memory),
      destination: address(output), times: times, units: units, clip: clip)
    if let forms {
      let output = forms.output
      step.memoryStep = forms.memory.scale
      step.outputStep = output.scale
      step.outputRange =
        Float(-128 - output.zeroPoint) * output.scale...Float(127 - output.zeroPoint) * output.scale
      let limit = 32767 * forms.memory.scale
      step.clip = clip > 0 ? min(clip, limit) : limit
    }
    emit(
      .lstmSequence(step),
      touching: [
        sums, gates, bytes, parameters, hidden.storage, memory.storage, output.storage,
      ])
  }

  /// The weights of several matrices [outputs][inputs], stacked.
  private mutating func stackedWeights(
    _ index: Int, _ positions: [Int], biases: [Int]?, outputs: Int, inputs: Int
  ) throws(EngineError) -> LayerReference {
    var bias: [Float] = []
    for position in biases ?? [] {
      bias +=
        try self.bias(optionalInput(index, position), count: outputs, index)
        ?? Array(repeating: 0, count: outputs)
    }
    var tensors: [Int] = []
    for position in positions {
      let tensor = try input(index, position)
      try requireShape(tensor, [outputs, inputs], index)
      tensors.append(tensor)
    }
    let rows = positions.count * outputs
    let isQuantizedCell = isQuantized(try input(index, 0))
    guard !isQuantizedCell,
      tensors.allSatisfy({ graph.tensors[$0].type == .int8 }),
      inputs <= QD8GEMMWeights.maximumInputs
    else {
      var values: [ConstantValues<Float>] = []
      for tensor in tensors { values.append(try constantFloats(tensor)) }
      guard values.reduce(0, { $0 + $1.count }) == rows * inputs else {
        throw invalid(index, "its weights do not fit")
      }
      let stacked = { [values] in values.flatMap { $0.decode() } }
      return addGEMM(
        Layer(
          weights: .f32(stacked, bias: biases == nil ? nil : bias), outputs: rows, inputs: inputs))
    }
    let values = tensors.map { constantBytes($0) }
    var scales: [Float] = []
    for tensor in tensors {
      let own = try self.scales(tensor, axis: 0)
      scales += own.count == 1 ? Array(repeating: own[0], count: outputs) : own
    }
    guard values.reduce(0, { $0 + $1.count }) == rows * inputs, scales.count == rows else {
      throw invalid(index, "its weights do not fit")
    }
    return addGEMM(
      Layer(
        weights: .qd8(
          { values.flatMap { $0.decode() } }, scales: scales, bias: biases == nil ? nil : bias),
        outputs: rows, inputs: inputs))
  }
}

extension Network {
  func perform(_ step: Step.LSTMSequence) {
    let units = step.units
    let sums = unsafe UnsafeBufferPointer(floats(step.sums, 4 * step.times * units))
    let gates = unsafe floats(step.gates, 4 * units)
    let hidden = unsafe floats(step.hidden, units)
    let memory = unsafe floats(step.memory, units)
    let output = unsafe floats(step.destination, step.times * units)
    for time in 0..<step.times {
      unsafe multiplyHidden(
        step,
        time == 0
          ? UnsafeBufferPointer(hidden)
          : UnsafeBufferPointer(
            output.part((time - 1) * units, units)), into: gates)
      if step.clip > 0 {
        unsafe performClipped(
          step, gates, sums.part(4 * time * units, 4 * units), memory,
          into: output.part(time * units, units))
        continue
      }
      unsafe elementwise.lstm(
        rows: 1, units: units, input: UnsafeBufferPointer(gates),
        past: sums.part(4 * time * units, 4 * units),
        bias: UnsafeBufferPointer(start: nil, count: 0),
        gates: (input: 0, forget: 1, candidate: 3, output: 2),
        memory: UnsafeBufferPointer(memory), newMemory: memory,
        into: output.part(time * units, units))
    }
    _ = unsafe hidden.update(
      fromContentsOf: UnsafeBufferPointer(output.part((step.times - 1) * units, units)))
  }

  /// The gates of one time step, with a cell state limited by the clip.
  private func performClipped(
    _ step: Step.LSTMSequence, _ gates: UnsafeMutableBufferPointer<Float>,
    _ sums: UnsafeBufferPointer<Float>, _ memory: UnsafeMutableBufferPointer<Float>,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    let units = step.units
    let range = step.memoryStep > 0 ? Step.LSTMSequence.integerGates : Lowering.unclamped
    unsafe elementwise.apply(
      .add, UnsafeBufferPointer(gates), sums, into: gates, minimum: range.lowerBound,
      maximum: range.upperBound)
    let (squashed, candidate) = unsafe (gates.part(0, 3 * units), gates.part(3 * units, units))
    unsafe elementwise.apply(.logistic, UnsafeBufferPointer(squashed), into: squashed)
    unsafe elementwise.apply(.tanh, UnsafeBufferPointer(candidate), into: candidate)
    for unit in 0..<units {
      let kept = unsafe squashed[units + unit] * memory[unit]
      let new = unsafe squashed[unit] * candidate[unit]
      let sum = min(max(kept + new, -step.clip), step.clip)
      unsafe memory[unit] =
        step.memoryStep > 0 ? (sum / step.memoryStep).rounded() * step.memoryStep : sum
    }
    unsafe elementwise.apply(.tanh, UnsafeBufferPointer(memory), into: output)
    unsafe elementwise.apply(
      .multiply, UnsafeBufferPointer(output),
      UnsafeBufferPointer(squashed).part(2 * units, units), into: output)
    guard step.outputStep > 0 else { return }
    for unit in 0..<units {
      let rounded = unsafe (output[unit] / step.outputStep).rounded() * step.outputStep
      unsafe output[unit] = min(
        max(rounded, step.outputRange.lowerBound), step.outputRange.upperBound)
    }
  }

  private func multiplyHidden(
    _ step: Step.LSTMSequence, _ hidden: UnsafeBufferPointer<Float>,
    into gates: UnsafeMutableBufferPointer<Float>
  ) {
    switch unsafe layers.gemms[step.layer.index] {
    case .f32(let layer):
      unsafe layer.address.pointee.multiply(
        rows: 1, input: hidden, inputStride: step.units, output: gates,
        outputStride: 4 * step.units)
    case .qd8(let layer):
      let stored = unsafe bytes(step.bytes, step.units)
      let parameters = unsafe elements(QuantizationParameters.self, step.parameters, 1)
      unsafe quantization.quantizeRows(
        1, columns: step.units, input: hidden, inputStride: step.units, output: stored,
        outputStride: step.units, parameters: parameters)
      unsafe layer.address.pointee.multiply(
        rows: 1, input: UnsafeBufferPointer(stored), inputStride: step.units,
        parameters: UnsafeBufferPointer(parameters), output: gates, outputStride: 4 * step.units)
    default: preconditionFailure("its layer is neither f32 nor qd8")
    }
  }
}
