internal import QDKernels

extension OperatorProperties {
  /// Cumulative sums, and results that depend on shapes and numbers alone.
  static let sequences: [OperatorProperties] = [
    .builtin(
      128, "CUMSUM", types: .any, options: OptionLayout(102, [.byte, .byte]),
      lower: { lowering, index, fields throws(EngineError) in
        try lowering.lowerRunningSum(index, isExclusive: fields.bool(0), isReversed: fields.bool(1))
      }),
    .builtin(
      77, "SHAPE", types: .any, options: OptionLayout(55, [.byte]),
      lower: { lowering, index, _ throws(EngineError) in
        let values = lowering.shape(try lowering.input(index, 0))
        try lowering.lowerKnown(index, values)
      }
    ).of { $0 },
    .builtin(
      110, "RANK", types: .any, options: OptionLayout(86),
      lower: { lowering, index, _ throws(EngineError) in
        try lowering.lowerKnown(
          index, [lowering.shape(try lowering.input(index, 0)).count], isScalar: true)
      }
    ).of { [$0.count] },
    .builtin(
      93, "ZEROS_LIKE", types: .any, options: OptionLayout(67),
      lower: { lowering, index, _ throws(EngineError) in
        let shape = lowering.shape(try lowering.input(index, 0))
        try lowering.requireShape(try lowering.output(index), shape, index)
        let y = try lowering.callOutput(index)
        lowering.emitCall(index, [y]) { network in unsafe network.bytes(y).update(repeating: 0) }
      }),
    .builtin(
      94, "FILL", types: .any, options: OptionLayout(68),
      lower: { lowering, index, _ throws(EngineError) in
        let shape = try lowering.integers(try lowering.input(index, 0))
        try lowering.requireShape(try lowering.output(index), shape, index)
        let (value, y) = (try lowering.callInput(index, 1), try lowering.callOutput(index))
        guard value.count == 1, value.type == y.type else {
          throw lowering.invalid(index, "it fills \(y.type) with \(value.type)")
        }
        let size = y.type.size
        lowering.emitCall(index, [value, y]) { network in
          let (source, target) = unsafe (network.bytes(value), network.bytes(y))
          for byte in 0..<y.count * size { unsafe target[byte] = source[byte % size] }
        }
      }),
    .builtin(
      96, "RANGE", types: .any, options: OptionLayout(73),
      lower: { lowering, index, _ throws(EngineError) in
        let (start, step) = (try lowering.callInput(index, 0), try lowering.callInput(index, 2))
        let y = try lowering.callOutput(index)
        guard start.count == 1, step.count == 1, start.type == y.type, step.type == y.type else {
          throw lowering.invalid(index, "it counts in \(start.type)")
        }
        lowering.emitCall(index, [start, step, y]) { network in
          for place in 0..<y.count {
            if y.type == .float32 {
              unsafe network.floats(y)[place] =
                network.floats(start)[0] + Float(place) * network.floats(step)[0]
            } else {
              network.set(
                y, place, to: network.integer(start, 0) &+ place &* network.integer(step, 0))
            }
          }
        }
      }),
    .builtin(
      106, "ADD_N", types: .any, options: OptionLayout(82),
      lower: { lowering, index, _ throws(EngineError) in
        let shape = lowering.shape(try lowering.input(index, 0))
        try lowering.requireShape(try lowering.output(index), shape, index)
        let y = try lowering.callOutput(index)
        var inputs: [CallOperand] = []
        for position in lowering.graph.operators[index].inputs.indices {
          inputs.append(try lowering.callInput(index, position))
          guard inputs[position].shape == y.shape, inputs[position].type == y.type else {
            throw lowering.invalid(index, "it adds \(inputs[position].shape) to \(y.shape)")
          }
        }
        let terms = inputs
        lowering.emitCall(index, inputs + [y]) { network in
          for place in 0..<y.count {
            if y.type == .float32 {
              var sum: Float = 0
              for term in 0..<terms.count { unsafe sum += network.floats(terms[term])[place] }
              unsafe network.floats(y)[place] = sum
            } else {
              var sum = 0
              for term in 0..<terms.count { sum &+= network.integer(terms[term], place) }
              network.set(y, place, to: sum)
            }
          }
        }
      }),
  ]
}

extension Lowering {
  mutating func lowerRunningSum(
    _ index: Int, isExclusive: Bool, isReversed: Bool
  ) throws(EngineError) {
    let x = try callInput(index, 0)
    guard let first = try integers(try input(index, 1)).first else {
      throw invalid(index, "it has no axis")
    }
    let axis = try normalized(first, rank: x.shape.count, index)
    try requireShape(try output(index), x.shape, index)
    let y = try callOutput(index)
    guard x.type == y.type else { throw unsupported(index, "it is of \(x.type) and \(y.type)") }
    let (extent, inner) = (x.shape[axis], x.extent(axis + 1..<x.shape.count))
    emitCall(index, [x, y]) { network in
      for line in 0..<x.count / extent {
        let start = line / inner * extent * inner + line % inner
        var (sum, whole): (Float, Int) = (0, 0)
        for step in 0..<extent {
          let place = start + (isReversed ? extent - 1 - step : step) * inner
          if x.type == .float32 {
            let (values, result) = unsafe (network.floats(x), network.floats(y))
            let value = unsafe values[place]
            unsafe result[place] = isExclusive ? sum : sum + value
            sum += value
          } else {
            let value = network.integer(x, place)
            network.set(y, place, to: isExclusive ? whole : whole &+ value)
            whole &+= value
          }
        }
      }
    }
  }

  /// A result that is known while lowering.
  mutating func lowerKnown(
    _ index: Int, _ values: [Int], isScalar: Bool = false
  ) throws(EngineError) {
    try requireShape(try output(index), isScalar ? [] : [values.count], index)
    let y = try callOutput(index)
    guard y.count == values.count, y.type.isInteger else {
      throw invalid(index, "its output is \(y.shape) of \(y.type)")
    }
    emitCall(index, [y]) { network in
      for place in 0..<values.count { network.set(y, place, to: values[place]) }
    }
  }
}
