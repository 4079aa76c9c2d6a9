/// Gates of a GRU whose reset gate comes before a product (Keras' `reset_after=False`), expressed
/// as elementwise operators: the operators before that product, or those after it.
package struct GRUGates: Sendable {
  package var gates: GateOperands<Columns, Int>
  /// The operators that are fused into the last one.
  package var operators: Set<Int>

  /// Some columns of a tensor, from `first` on.
  package struct Columns: Equatable, Sendable {
    package var tensor: Int
    package var first: Int
    package var width: Int
  }
}

/// The operands of GRU gates, as tensors or as addresses.
///
/// sigmoid(first) h, or with a candidate z h + (1 - z) tanh(candidate), where z = sigmoid(first).
package struct GateOperands<Rows: Sendable, Place: Sendable>: Sendable {
  package var first: GateSum<Rows>
  package var candidate: GateSum<Rows>?
  /// h.
  package var state: Place
  package var units: Int

  package var sums: [GateSum<Rows>] { candidate.map { [first, $0] } ?? [first] }
}

package struct GateSum<Rows: Sendable>: Sendable {
  package var input: Rows
  package var past: Rows
}

extension Dataflow {
  /// z h + (1 - z) n.
  func gruBlend(_ index: Int, skipping absorbed: Set<Int>) -> GRUGates? {
    guard let (output, units) = lastOutput(index) else { return nil }
    for blend in blends(output) where blend.isComplement {
      guard let gate = made(blend.update, by: .unary(.logistic)),
        let new = made(blend.candidate, by: .unary(.tanh)),
        let update = gateSum(gate.inputs[0], units), let candidate = gateSum(new.inputs[0], units)
      else { continue }
      let cell = GRUGates(
        gates: GateOperands(
          first: update.sum, candidate: candidate.sum, state: blend.state, units: units),
        operators: blend.operators.union([gate.index, new.index, update.index, candidate.index]))
      if absorbed.isDisjoint(with: cell.operators), isClosed(cell, output, index) { return cell }
    }
    return nil
  }

  /// sigmoid(a + b) h.
  func gruReset(_ index: Int, skipping absorbed: Set<Int>) -> GRUGates? {
    guard let (output, units) = lastOutput(index),
      let product = made(output, by: .binary(.multiply, .none))
    else { return nil }
    for (scaling, state) in orders(product.inputs) {
      guard let gate = made(scaling, by: .unary(.logistic)),
        let sum = gateSum(gate.inputs[0], units)
      else { continue }
      let cell = GRUGates(
        gates: GateOperands(first: sum.sum, state: state, units: units),
        operators: [gate.index, sum.index])
      if absorbed.isDisjoint(with: cell.operators), isClosed(cell, output, index) { return cell }
    }
    return nil
  }

  private func gateSum(
    _ tensor: Int, _ units: Int
  ) -> (index: Int, sum: GateSum<GRUGates.Columns>)? {
    guard let sum = made(tensor, by: .binary(.add, .none)),
      let input = columns(sum.inputs[0], units), let past = columns(sum.inputs[1], units)
    else { return nil }
    return (sum.index, GateSum(input: input, past: past))
  }

  /// A whole tensor, or the columns of another tensor from which it was sliced.
  private func columns(_ tensor: Int, _ units: Int) -> GRUGates.Columns? {
    guard shape(tensor).last == units, graph.tensors[tensor].type == .float32,
      !graph.tensors[tensor].isConstant
    else { return nil }
    if let part = part(tensor, units), let width = shape(part.whole).last, width <= Storage.limit {
      return GRUGates.Columns(tensor: part.whole, first: part.place * units, width: width)
    }
    return GRUGates.Columns(tensor: tensor, first: 0, width: units)
  }

  /// Whether nothing else reads the intermediate tensors, and no operand is repeated.
  private func isClosed(_ cell: GRUGates, _ output: Int, _ last: Int) -> Bool {
    let gates = cell.gates
    guard let count = graph.tensors[output].count, count <= Storage.limit,
      graph.tensors[gates.state].count == count, graph.tensors[gates.state].type == .float32,
      gates.sums.allSatisfy({ sum in
        [sum.input, sum.past].allSatisfy {
          graph.tensors[$0.tensor].count == count / gates.units * $0.width
        }
      })
    else { return false }
    return isClosed(cell.operators, last) { graph.tensors[$0].count == count }
  }
}
