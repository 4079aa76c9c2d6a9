internal import Kernels

/// A step of a gated recurrent unit (Cho et al. 2014), made of plain operators.
///
/// `input` and `past` are products with three parts of `units` columns each, in one order:
/// h' = n + z (h - n), n = tanh(input_n + r past_n), r and z = sigmoid(input + past).
struct GatedCell {
  var input: Int
  var past: Int
  /// h.
  var state: Int
  /// Which of the three parts is r, z and n.
  var order: GateOrder
  var units: Int
  /// What the last operator takes over.
  var operators: Set<Int>
}

/// Which of three parts belongs to which gate.
struct GateOrder: BitwiseCopyable, Equatable {
  var reset: Int
  var update: Int
  var candidate: Int
}

extension Planner {
  mutating func lowerGatedCell(_ index: Int, _ cell: GatedCell) throws(EngineError) {
    let output = try output(index)
    let (input, past) = (try value(of: cell.input), try value(of: cell.past))
    let state = try value(of: cell.state)
    let destination = try destination(output)
    emit(
      .gatedRecurrence(
        Step.GatedRecurrence(
          input: address(input), past: address(past), state: address(state),
          destination: address(destination), rows: try elementCount(output) / cell.units,
          units: cell.units, order: cell.order)),
      touching: [input.storage, past.storage, state.storage, destination.storage])
  }

  // MARK: Recognition

  /// The cell whose new state an operator computes.
  func gatedCell(_ index: Int) -> GatedCell? {
    guard graph.operators[index].kind == .binary(.add, .none),
      let output = graph.operators[index].outputs.first, let units = shape(output).last, units > 0
    else { return nil }
    for blend in blends(output) {
      guard let candidate = made(blend.candidate, by: .unary(.tanh)),
        let sum = made(candidate.inputs[0], by: .binary(.add, .none))
      else { continue }
      for (own, other) in orders(sum.inputs) {
        guard let scaled = made(other, by: .binary(.multiply, .none)) else { continue }
        for (reset, other) in orders(scaled.inputs) {
          guard let input = part(own, units, of: 3), let past = part(other, units, of: 3),
            let resetGate = gate(reset, units, input.whole, past.whole),
            let updateGate = gate(blend.update, units, input.whole, past.whole),
            input.place == past.place,
            Set([resetGate.place, updateGate.place, input.place]).count == 3
          else { continue }
          let operators = blend.operators.union(resetGate.operators)
            .union(updateGate.operators).union([
              candidate.index, sum.index, scaled.index, input.index, past.index,
            ])
          let cell = GatedCell(
            input: input.whole, past: past.whole, state: blend.state,
            order: GateOrder(
              reset: resetGate.place, update: updateGate.place, candidate: input.place),
            units: units, operators: operators)
          if isClosed(cell, index) { return cell }
        }
      }
    }
    return nil
  }

  struct Blend {
    /// Whether it is the second of the two forms.
    var isComplement: Bool
    var update: Int
    var candidate: Int
    var state: Int
    var operators: Set<Int>
  }

  /// n + z (h - n), and z h + (1 - z) n, in any order of their operands.
  func blends(_ output: Int) -> [Blend] {
    guard let sum = made(output, by: .binary(.add, .none)) else { return [] }
    var found: [Blend] = []
    for (first, second) in orders(sum.inputs) {
      guard let product = made(second, by: .binary(.multiply, .none)) else { continue }
      for (update, rest) in orders(product.inputs) {
        if let difference = made(rest, by: .binary(.subtract, .none)),
          difference.inputs[1] == first
        {
          found.append(
            Blend(
              isComplement: false, update: update, candidate: first, state: difference.inputs[0],
              operators: [product.index, difference.index]))
        }
        guard let other = made(first, by: .binary(.multiply, .none)) else { continue }
        for (complement, candidate) in orders(other.inputs) {
          if let difference = made(complement, by: .binary(.subtract, .none)),
            difference.inputs[1] == update, isOne(difference.inputs[0])
          {
            found.append(
              Blend(
                isComplement: true, update: update, candidate: candidate, state: rest,
                operators: [product.index, other.index, difference.index]))
          }
        }
      }
    }
    return found
  }

  /// The sigmoid of the sum of one part of each of two products.
  private func gate(
    _ tensor: Int, _ units: Int, _ input: Int, _ past: Int
  ) -> (place: Int, operators: Set<Int>)? {
    guard let gate = made(tensor, by: .unary(.logistic)),
      let sum = made(gate.inputs[0], by: .binary(.add, .none))
    else { return nil }
    for (first, second) in orders(sum.inputs) {
      guard let first = part(first, units, of: 3), let second = part(second, units, of: 3),
        first.whole == input, second.whole == past, first.place == second.place
      else { continue }
      return (first.place, [gate.index, sum.index, first.index, second.index])
    }
    return nil
  }

  /// Whether nobody else reads what is between, and no operator repeats one of its operands.
  private func isClosed(_ cell: GatedCell, _ last: Int) -> Bool {
    func significant(_ tensor: Int) -> [Int] { Array(shape(tensor).drop { $0 == 1 }) }
    guard let output = graph.operators[last].outputs.first,
      graph.tensors[cell.state].type == .float32, significant(cell.state) == significant(output),
      graph.tensors[cell.input].count == graph.tensors[cell.past].count,
      absorbed.isDisjoint(with: cell.operators)
    else { return false }
    return cell.operators.allSatisfy { index in
      graph.operators[index].outputs.allSatisfy { tensor in
        !isOutput[tensor] && values[tensor] == nil && significant(tensor) == significant(output)
          && readers[tensor].allSatisfy { $0 == last || cell.operators.contains($0) }
      }
    }
  }

  private func isOne(_ tensor: Int) -> Bool {
    guard graph.tensors[tensor].isConstant, let values = try? floats(tensor) else { return false }
    return !values.isEmpty && values.allSatisfy { $0 == 1 }
  }
}

extension Network {
  func perform(_ step: Step.GatedRecurrence) {
    let count = step.rows * step.units
    unsafe elementwise.gatedRecurrence(
      rows: step.rows, units: step.units,
      input: UnsafeBufferPointer(floats(step.input, 3 * count)),
      past: UnsafeBufferPointer(floats(step.past, 3 * count)), reset: step.order.reset,
      update: step.order.update, candidate: step.order.candidate,
      state: UnsafeBufferPointer(floats(step.state, count)),
      into: floats(step.destination, count))
  }
}
