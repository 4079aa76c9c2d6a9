internal import Kernels

/// The gates of a recurrent unit whose reset gate stands before a product (Keras'
/// `reset_after=False`), made of plain operators: what is before the product and what is after it.
enum GateStep {
  /// logistic(gate) h
  case scale(GateSum)
  /// z h + (1 - z) n, with z = logistic of one and n = tanh of the other sum
  case blend(update: GateSum, candidate: GateSum)

  struct GateSum {
    var input: Columns
    var past: Columns
  }

  /// Some columns of a tensor, from `first` on.
  struct Columns: Equatable {
    var tensor: Int
    var first: Int
    var width: Int
  }
}

/// A gate step and what its operator takes over.
struct GateCell {
  var step: GateStep
  /// h.
  var state: Int
  var units: Int
  var operators: Set<Int>
}

extension Planner {
  mutating func lowerGates(_ index: Int, _ cell: GateCell) throws(EngineError) {
    let output = try output(index)
    let state = try value(of: cell.state)
    var touched = [state.storage]
    func rows(_ columns: GateStep.Columns, _ value: Value) -> Step.GateRows {
      let first = Value(storage: value.storage, offset: value.offset + 4 * columns.first)
      return Step.GateRows(address: address(first), stride: columns.width)
    }
    var sums: [Step.GateSum] = []
    for sum in cell.step.sums {
      let (input, past) = (try value(of: sum.input.tensor), try value(of: sum.past.tensor))
      touched += [input.storage, past.storage]
      sums.append(
        Step.GateSum(input: rows(sum.input, input), past: rows(sum.past, past)))
    }
    let destination = try destination(output)
    emit(
      .gates(
        Step.Gates(
          first: sums[0], candidate: sums.dropFirst().first, state: address(state),
          destination: address(destination), rows: try elementCount(output) / cell.units,
          units: cell.units)),
      touching: touched + [destination.storage])
  }

  // MARK: Recognition

  /// z h + (1 - z) n.
  func gateBlend(_ index: Int) -> GateCell? {
    guard let output = graph.operators[index].outputs.first, let units = shape(output).last,
      units > 0
    else { return nil }
    for blend in blends(output) where blend.isComplement {
      guard let gate = made(blend.update, by: .unary(.logistic)),
        let new = made(blend.candidate, by: .unary(.tanh)),
        let update = gateSum(gate.inputs[0], units), let candidate = gateSum(new.inputs[0], units)
      else { continue }
      let cell = GateCell(
        step: .blend(update: update.sum, candidate: candidate.sum), state: blend.state,
        units: units,
        operators: blend.operators.union([gate.index, new.index, update.index, candidate.index]))
      if isClosed(cell, index) { return cell }
    }
    return nil
  }

  /// logistic(a + b) h.
  func gateScale(_ index: Int) -> GateCell? {
    guard let output = graph.operators[index].outputs.first, let units = shape(output).last,
      units > 0, let product = made(output, by: .binary(.multiply, .none))
    else { return nil }
    for (scaling, state) in orders(product.inputs) {
      guard let gate = made(scaling, by: .unary(.logistic)),
        let sum = gateSum(gate.inputs[0], units)
      else { continue }
      let cell = GateCell(
        step: .scale(sum.sum), state: state, units: units, operators: [gate.index, sum.index])
      if isClosed(cell, index) { return cell }
    }
    return nil
  }

  private func gateSum(
    _ tensor: Int, _ units: Int
  ) -> (index: Int, sum: GateStep.GateSum)? {
    guard let sum = made(tensor, by: .binary(.add, .none)),
      let input = columns(sum.inputs[0], units), let past = columns(sum.inputs[1], units)
    else { return nil }
    return (sum.index, GateStep.GateSum(input: input, past: past))
  }

  /// A whole tensor, or where some columns of one were cut out.
  private func columns(_ tensor: Int, _ units: Int) -> GateStep.Columns? {
    guard shape(tensor).last == units, graph.tensors[tensor].type == .float32,
      !graph.tensors[tensor].isConstant
    else { return nil }
    if let part = part(tensor, units), let width = shape(part.whole).last {
      return GateStep.Columns(tensor: part.whole, first: part.place * units, width: width)
    }
    return GateStep.Columns(tensor: tensor, first: 0, width: units)
  }

  /// Whether nobody else reads what is between, and nothing is repeated.
  private func isClosed(_ cell: GateCell, _ last: Int) -> Bool {
    guard let output = graph.operators[last].outputs.first,
      let count = graph.tensors[output].count, count <= Self.memoryLimit,
      graph.tensors[cell.state].count == count,
      graph.tensors[cell.state].type == .float32, absorbed.isDisjoint(with: cell.operators),
      cell.step.sums.allSatisfy({ sum in
        [sum.input, sum.past].allSatisfy {
          graph.tensors[$0.tensor].count == count / cell.units * $0.width
        }
      })
    else { return false }
    return cell.operators.allSatisfy { index in
      graph.operators[index].outputs.allSatisfy { tensor in
        !isOutput[tensor] && values[tensor] == nil && graph.tensors[tensor].count == count
          && readers[tensor].allSatisfy { $0 == last || cell.operators.contains($0) }
      }
    }
  }
}

extension GateStep {
  var sums: [GateSum] {
    switch self {
    case .scale(let sum): [sum]
    case .blend(let update, let candidate): [update, candidate]
    }
  }
}

extension Network {
  func perform(_ step: Step.Gates) {
    let count = step.rows * step.units
    func gate(_ sum: Step.GateSum) -> Elementwise.Gate {
      func rows(_ rows: Step.GateRows) -> Elementwise.Gate.Rows {
        let count = (step.rows - 1) * rows.stride + step.units
        return unsafe (UnsafeBufferPointer(floats(rows.address, count)), rows.stride)
      }
      return unsafe Elementwise.Gate(input: rows(sum.input), past: rows(sum.past))
    }
    let state = unsafe UnsafeBufferPointer(floats(step.state, count))
    let output = unsafe floats(step.destination, count)
    if let candidate = step.candidate {
      unsafe elementwise.blend(
        rows: step.rows, units: step.units, update: gate(step.first), candidate: gate(candidate),
        state: state, into: output)
    } else {
      unsafe elementwise.gate(
        rows: step.rows, units: step.units, gate(step.first), state: state, into: output)
    }
  }
}
