/// An LSTM cell (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000)
/// expressed as elementwise operators.
package struct LSTMCell: Sendable {
  /// Tensors.
  package var operands: LSTMOperands<Int>
  /// The operators that are fused into the last one.
  package var operators: Set<Int>
}

/// The operands of an LSTM cell, as tensors or as addresses.
///
/// c' = f c + i g and h' = o tanh(c'), with i, f and o = sigmoid and g = tanh of four parts of
/// `units` columns each of (input + past) + bias, where past and bias are optional.
package struct LSTMOperands<Place: Sendable>: Sendable {
  package var input: Place
  package var past: Place?
  package var bias: Place?
  /// c.
  package var memory: Place
  /// c', which other operators may read.
  package var newMemory: Place
  package var units: Int
  /// The gate of each of the four parts.
  package var order: LSTMGateOrder
}

package struct LSTMGateOrder: BitwiseCopyable, Equatable, Sendable {
  package var input: Int
  package var forget: Int
  package var candidate: Int
  package var output: Int
}

extension Dataflow {
  /// The cell whose output the operator computes.
  func lstmCell(_ index: Int, skipping absorbed: Set<Int>) -> LSTMCell? {
    guard let (output, units) = lastOutput(index),
      let product = made(output, by: .binary(.multiply, .none))
    else { return nil }
    for (gate, squashed) in orders(product.inputs) {
      guard let out = sigmoidPart(gate, units), let tanh = made(squashed, by: .unary(.tanh)),
        let sum = made(tanh.inputs[0], by: .binary(.add, .none))
      else { continue }
      for (kept, added) in orders(sum.inputs) {
        guard let keep = made(kept, by: .binary(.multiply, .none)),
          let add = made(added, by: .binary(.multiply, .none))
        else { continue }
        let inside = out.operators.union([tanh.index, sum.index, keep.index, add.index])
        for (forgetGate, memory) in orders(keep.inputs) {
          guard let forget = sigmoidPart(forgetGate, units) else { continue }
          for (inputGate, candidate) in orders(add.inputs) {
            guard let entry = sigmoidPart(inputGate, units),
              let squash = made(candidate, by: .unary(.tanh)),
              let new = part(squash.inputs[0], units, of: 4),
              Set([out.whole, forget.whole, entry.whole, new.whole]).count == 1,
              Set([out.place, forget.place, entry.place, new.place]).count == 4
            else { continue }
            let gates = inside.union(forget.operators).union(entry.operators)
              .union([squash.index, new.index])
            let addends = addends(new.whole, units, reading: gates)
            let cell = LSTMCell(
              operands: LSTMOperands(
                input: addends.input, past: addends.past, bias: addends.bias, memory: memory,
                newMemory: tanh.inputs[0], units: units,
                order: LSTMGateOrder(
                  input: entry.place, forget: forget.place, candidate: new.place,
                  output: out.place)),
              operators: gates.union(addends.operators))
            if absorbed.isDisjoint(with: cell.operators), isClosed(cell, output, index) {
              return cell
            }
          }
        }
      }
    }
    return nil
  }

  /// The sigmoid of one of four parts of another tensor.
  private func sigmoidPart(
    _ tensor: Int, _ units: Int
  ) -> (whole: Int, place: Int, operators: Set<Int>)? {
    guard let gate = made(tensor, by: .unary(.logistic)),
      let part = part(gate.inputs[0], units, of: 4)
    else { return nil }
    return (part.whole, part.place, [gate.index, part.index])
  }

  private struct Addends {
    var input: Int
    var past: Int?
    var bias: Int?
    var operators: Set<Int> = []
  }

  /// The addends of the sums before the gates, if nothing else reads these sums.
  private func addends(_ whole: Int, _ units: Int, reading: Set<Int>) -> Addends {
    func isBias(_ tensor: Int) -> Bool {
      graph.tensors[tensor].isConstant && graph.tensors[tensor].count == 4 * units
        && shape(tensor).last == 4 * units
    }
    func isWhole(_ tensor: Int) -> Bool {
      graph.tensors[tensor].type == .float32 && !graph.tensors[tensor].isConstant
        && graph.tensors[tensor].count == graph.tensors[whole].count
    }
    func sum(_ tensor: Int, by readers: Set<Int>) -> (index: Int, inputs: [Int])? {
      guard !isOutput[tensor], self.readers[tensor].allSatisfy(readers.contains) else {
        return nil
      }
      return made(tensor, by: .binary(.add, .none))
    }
    guard let last = sum(whole, by: reading) else { return Addends(input: whole) }
    if last.inputs.allSatisfy(isWhole) {
      return Addends(input: last.inputs[0], past: last.inputs[1], operators: [last.index])
    }
    for (rest, bias) in orders(last.inputs) where isWhole(rest) && isBias(bias) {
      guard let first = sum(rest, by: [last.index]), first.inputs.allSatisfy(isWhole) else {
        return Addends(input: rest, bias: bias, operators: [last.index])
      }
      return Addends(
        input: first.inputs[0], past: first.inputs[1], bias: bias,
        operators: [last.index, first.index])
    }
    return Addends(input: whole)
  }

  /// Whether nothing else reads the intermediate tensors, and others read c' only after the cell.
  private func isClosed(_ cell: LSTMCell, _ output: Int, _ last: Int) -> Bool {
    let operands = cell.operands
    guard let count = graph.tensors[output].count, count <= Storage.limit,
      graph.tensors[operands.input].count == 4 * count,
      graph.tensors[operands.memory].type == .float32,
      graph.tensors[operands.memory].count == count,
      graph.tensors[operands.newMemory].count == count,
      graph.tensors[operands.input].type == .float32
    else { return false }
    return isClosed(cell.operators, last, visible: operands.newMemory) { _ in true }
  }
}
