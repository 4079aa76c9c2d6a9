internal import QDKernels

extension Lowering {
  mutating func lower(_ cell: RecurrentCell, _ index: Int) throws(EngineError) {
    switch cell {
    case .gru(let cell): try lowerGRU(index, cell.operands)
    case .lstm(let cell): try lowerLSTM(index, cell.operands)
    case .gates(let cell): try lowerGates(index, cell.gates)
    }
  }

  private mutating func lowerGRU(
    _ index: Int, _ cell: GRUOperands<Int>
  ) throws(EngineError) {
    let output = try output(index)
    let input = try value(of: cell.input, as: .dequantized)
    let past = try value(of: cell.past, as: .dequantized)
    let state = try value(of: cell.state, as: .dequantized)
    let destination = try destination(output, as: .dequantized)
    let operands = GRUOperands(
      input: address(input), past: address(past), state: address(state), units: cell.units,
      order: cell.order)
    emit(
      .gru(
        Step.GRU(
          operands: operands, destination: address(destination),
          rows: try elementCount(output) / cell.units)),
      touching: [input.storage, past.storage, state.storage, destination.storage])
  }

  private mutating func lowerLSTM(
    _ index: Int, _ cell: LSTMOperands<Int>
  ) throws(EngineError) {
    let output = try output(index)
    let input = try value(of: cell.input, as: .dequantized)
    var past: Value?
    if let tensor = cell.past { past = try value(of: tensor, as: .dequantized) }
    var bias: Value?
    if let tensor = cell.bias { bias = try value(of: tensor, as: .dequantized) }
    let memory = try value(of: cell.memory, as: .dequantized)
    let newMemory = try destination(cell.newMemory, as: .dequantized)
    let destination = try destination(output, as: .dequantized)
    let parts = [input, memory, newMemory, destination] + [past, bias].compactMap { $0 }
    let operands = LSTMOperands(
      input: address(input), past: past.map(address), bias: bias.map(address),
      memory: address(memory), newMemory: address(newMemory), units: cell.units,
      order: cell.order)
    emit(
      .lstm(
        Step.LSTM(
          operands: operands, destination: address(destination),
          rows: try elementCount(output) / cell.units)),
      touching: parts.map(\.storage))
  }

  private mutating func lowerGates(
    _ index: Int, _ cell: GateOperands<GRUGates.Columns, Int>
  ) throws(EngineError) {
    let output = try output(index)
    let state = try value(of: cell.state, as: .dequantized)
    var touched = [state.storage]
    var sums: [GateSum<Step.GateRows>] = []
    for sum in cell.sums {
      var rows: [Step.GateRows] = []
      for columns in [sum.input, sum.past] {
        let value = try value(of: columns.tensor, as: .dequantized)
        touched.append(value.storage)
        let first = Value(storage: value.storage, offset: value.offset + 4 * columns.first)
        rows.append(Step.GateRows(address: address(first), stride: columns.width))
      }
      sums.append(GateSum(input: rows[0], past: rows[1]))
    }
    let destination = try destination(output, as: .dequantized)
    let gates = GateOperands(
      first: sums[0], candidate: sums.dropFirst().first, state: address(state), units: cell.units)
    emit(
      .gates(
        Step.Gates(
          operands: gates, destination: address(destination),
          rows: try elementCount(output) / cell.units)),
      touching: touched + [destination.storage])
  }

  // MARK: Transposed matmuls

  mutating func lower(_ matmul: TransposedMatmuls.Matmul, _ index: Int) throws(EngineError) {
    let weights = try value(of: matmul.weights, as: .dequantized)
    let source = try value(of: matmul.source, as: .dequantized)
    let destination = try destination(try output(index), as: .dequantized)
    let (outputs, rows) = (shape(matmul.weights)[0], shape(matmul.weights)[1])
    let batches = Array(shape(matmul.source).dropLast(2))
    let columns = shape(matmul.source).last ?? 1
    let kernel = FloatMatrixProduct(instructionSet)
    let count = kernel.packedCount(outputs: columns, inputs: rows)
    let packed = try newStorage(.scratch, byteCount: try checkedProduct([4, count]))
    emit(
      .batchProduct(
        Step.BatchProduct(
          a: address(weights), b: address(source), packed: address(packed),
          destination: address(destination), rows: outputs, inputs: rows, outputs: columns,
          isTransposed: true,
          batches: Nest(
            extents: batches, a: batches.map { _ in 0 }, b: denseStrides(batches),
            y: denseStrides(batches)))),
      touching: [weights.storage, source.storage, packed, destination.storage])
  }
}
