/// A GRU cell (Cho et al. 2014) expressed as elementwise operators.
package struct GRUCell: Sendable {
  /// Tensors.
  package var operands: GRUOperands<Int>
  /// The operators that are fused into the last one.
  package var operators: Set<Int>
}

/// The operands of a GRU cell, as tensors or as addresses.
///
/// `input` and `past` are products with three parts of `units` columns each, in one order:
/// h' = n + z (h - n), n = tanh(input_n + r past_n), r and z = sigmoid(input + past).
package struct GRUOperands<Place: Sendable>: Sendable {
  package var input: Place
  package var past: Place
  /// h.
  package var state: Place
  package var units: Int
  /// The order of r, z and n among the three parts.
  package var order: GRUGateOrder
}

package struct GRUGateOrder: BitwiseCopyable, Equatable, Sendable {
  package var reset: Int
  package var update: Int
  package var candidate: Int
}

extension Dataflow {
  /// The cell whose new state the operator computes.
  func gruCell(_ index: Int, skipping absorbed: Set<Int>) -> GRUCell? {
    guard graph.operators[index].kind == .binary(.add, .none),
      let (output, units) = lastOutput(index)
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
          let cell = GRUCell(
            operands: GRUOperands(
              input: input.whole, past: past.whole, state: blend.state, units: units,
              order: GRUGateOrder(
                reset: resetGate.place, update: updateGate.place, candidate: input.place)),
            operators: operators)
          if absorbed.isDisjoint(with: operators), isClosed(cell, output, index) { return cell }
        }
      }
    }
    return nil
  }

  struct Blend {
    /// Whether it has the second form.
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

  /// Whether nothing else reads the intermediate tensors, and no operator has the same operand
  /// twice.
  private func isClosed(_ cell: GRUCell, _ output: Int, _ last: Int) -> Bool {
    let operands = cell.operands
    func significant(_ tensor: Int) -> [Int] { Array(shape(tensor).drop { $0 == 1 }) }
    guard graph.tensors[operands.state].type == .float32,
      significant(operands.state) == significant(output),
      graph.tensors[operands.input].count == graph.tensors[operands.past].count
    else { return false }
    return isClosed(cell.operators, last) { significant($0) == significant(output) }
  }

  private func isOne(_ tensor: Int) -> Bool {
    guard graph.tensors[tensor].isConstant, let values = try? floats(tensor) else { return false }
    return !values.isEmpty && values.allSatisfy { $0 == 1 }
  }
}
