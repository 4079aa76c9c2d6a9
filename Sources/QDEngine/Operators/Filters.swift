extension OperatorProperties {
  /// A layer whose weights are low-rank products of features and time.
  static let filters: [OperatorProperties] = [
    .builtin(
      27, "SVDF", types: .any, options: OptionLayout(6, [.int, .byte, .byte]),
      lower: { lowering, index, fields throws(EngineError) in
        guard let activation = fields.activation(1), activation != .tanh else {
          throw lowering.unsupported(index, "its activation is no clamp")
        }
        // LiteRT's integer kernel has no activation except the range of its bytes.
        let isQuantized = lowering.isQuantized(try lowering.output(index))
        try lowering.lowerSVDF(
          index, rank: fields.int(0), isQuantized ? Lowering.unclamped : activation.range)
      })
  ]
}

extension Lowering {
  /// Nakkiran et al., "Compressing deep neural networks using a rank-constrained topology": each
  /// filter keeps its results for the last inputs, and an output adds the filters of its rank.
  ///
  /// Quantized ones compute in floats, and keep their state in floats.
  mutating func lowerSVDF(
    _ index: Int, rank: Int, _ range: ClosedRange<Float>
  ) throws(EngineError) {
    let x = try callInput(index, 0)
    let (features, times) = (shape(try input(index, 1)), shape(try input(index, 2)))
    if let batches = x.shape.first, let filters = features.first, (1...filters).contains(rank) {
      try requireShape(try output(index), [batches, filters / rank], index)
    }
    let y = try callOutput(index)
    guard x.type == .float32, y.type == .float32, x.shape.count == 2, features.count == 2,
      times.count == 2, features[0] == times[0], features[1] == x.shape[1],
      (1...features[0]).contains(rank), y.shape == [x.shape[0], features[0] / rank],
      features[0].isMultiple(of: rank)
    else { throw wrongShape(index, "\(x.shape) and \(features) do not give \(y.shape)") }
    let (batches, inputs) = (x.shape[0], x.shape[1])
    let (filters, steps, units) = (features[0], times[1], features[0] / rank)
    let state = try input(index, 4)
    guard graph.tensors[state].isVariable else {
      throw unsupported(index, "its state '\(graph.tensors[state].name)' is no variable")
    }
    try requireShape(state, [batches, filters * steps], index)
    let memory = try privateMemory(batches * filters * steps)
    let feature = try floats(try input(index, 1))
    let time = try floats(try input(index, 2))
    let bias = try self.bias(optionalInput(index, 3), count: units, index)
    guard feature.count == filters * inputs, time.count == filters * steps else {
      throw invalid(index, "its weights do not fit")
    }
    emitCall(index, [x, memory, y]) { network in
      let (values, past) = unsafe (network.floats(x), network.floats(memory))
      let results = unsafe network.floats(y)
      for batch in 0..<batches {
        for unit in 0..<units {
          var sum = bias?[unit] ?? 0
          for filter in unit * rank..<(unit + 1) * rank {
            let first = (batch * filters + filter) * steps
            for step in 1..<max(steps, 1) { unsafe past[first + step - 1] = past[first + step] }
            var newest: Float = 0
            for place in 0..<inputs {
              unsafe newest += feature[filter * inputs + place] * values[batch * inputs + place]
            }
            unsafe past[first + steps - 1] = newest
            for step in 0..<steps { unsafe sum += past[first + step] * time[filter * steps + step] }
          }
          unsafe results[batch * units + unit] = min(
            max(sum, range.lowerBound), range.upperBound)
        }
      }
    }
  }

  /// Floats that persist between runs and belong to one operator.
  mutating func privateMemory(_ count: Int) throws(EngineError) -> CallOperand {
    let storage = try newStorage(.persistent, byteCount: try checkedProduct([4, count]))
    return CallOperand(
      address: address(storage), shape: [count], count: count, type: .float32)
  }
}
