internal import Kernels

/// A step of a long short-term memory cell (Hochreiter and Schmidhuber 1997, with the forget gate
/// of Gers et al. 2000), made of plain operators.
///
/// c' = f c + i g and h' = o tanh(c'), with i, f and o = sigmoid and g = tanh of four parts of
/// `units` columns each of what `addends` add up to.
struct MemoryCell {
  var addends: Addends
  /// c.
  var memory: Int
  /// c', which others may read.
  var newMemory: Int
  var order: MemoryGateOrder
  var units: Int
  /// What the last operator takes over.
  var operators: Set<Int>

  /// (input + past) + bias, as far as they are there.
  struct Addends {
    var input: Int
    var past: Int?
    var bias: Int?
    var operators: Set<Int> = []
  }
}

/// Which of four parts belongs to which gate.
struct MemoryGateOrder: BitwiseCopyable, Equatable {
  var input: Int
  var forget: Int
  var candidate: Int
  var output: Int
}

extension Planner {
  mutating func lowerMemoryCell(_ index: Int, _ cell: MemoryCell) throws(EngineError) {
    let output = try output(index)
    let input = try value(of: cell.addends.input)
    var past: Value?
    if let tensor = cell.addends.past { past = try value(of: tensor) }
    var bias: Value?
    if let tensor = cell.addends.bias { bias = try value(of: tensor) }
    let memory = try value(of: cell.memory)
    let newMemory = try destination(cell.newMemory)
    let destination = try destination(output)
    let parts = [input, memory, newMemory, destination] + [past, bias].compactMap { $0 }
    emit(
      .memoryCell(
        Step.MemoryCell(
          input: address(input), past: past.map(address), bias: bias.map(address),
          memory: address(memory), newMemory: address(newMemory),
          destination: address(destination), rows: try elementCount(output) / cell.units,
          units: cell.units, order: cell.order)),
      touching: parts.map(\.storage))
  }

  /// The cell whose output an operator computes.
  func memoryCell(_ index: Int) -> MemoryCell? {
    guard graph.operators[index].kind == .binary(.multiply, .none),
      let output = graph.operators[index].outputs.first, let units = shape(output).last, units > 0,
      let product = made(output, by: .binary(.multiply, .none))
    else { return nil }
    for (gate, squashed) in orders(product.inputs) {
      guard let out = sigmoidPart(gate, units, of: 4),
        let tanh = made(squashed, by: .unary(.tanh)),
        let sum = made(tanh.inputs[0], by: .binary(.add, .none))
      else { continue }
      for (kept, added) in orders(sum.inputs) {
        guard let keep = made(kept, by: .binary(.multiply, .none)),
          let add = made(added, by: .binary(.multiply, .none))
        else { continue }
        let inside = out.operators.union([tanh.index, sum.index, keep.index, add.index])
        for (forgetGate, memory) in orders(keep.inputs) {
          guard let forget = sigmoidPart(forgetGate, units, of: 4) else { continue }
          for (inputGate, candidate) in orders(add.inputs) {
            guard let entry = sigmoidPart(inputGate, units, of: 4),
              let squash = made(candidate, by: .unary(.tanh)),
              let new = part(squash.inputs[0], units, of: 4),
              Set([out.whole, forget.whole, entry.whole, new.whole]).count == 1,
              Set([out.place, forget.place, entry.place, new.place]).count == 4
            else { continue }
            let gates = inside.union(forget.operators).union(entry.operators)
              .union([squash.index, new.index])
            let addends = addends(new.whole, units, reading: gates)
            let cell = MemoryCell(
              addends: addends, memory: memory, newMemory: tanh.inputs[0],
              order: MemoryGateOrder(
                input: entry.place, forget: forget.place, candidate: new.place, output: out.place),
              units: units, operators: gates.union(addends.operators))
            if isClosed(cell, index) { return cell }
          }
        }
      }
    }
    return nil
  }

  /// The sigmoid of one part of another tensor.
  private func sigmoidPart(
    _ tensor: Int, _ units: Int, of count: Int
  ) -> (whole: Int, place: Int, operators: Set<Int>)? {
    guard let gate = made(tensor, by: .unary(.logistic)),
      let part = part(gate.inputs[0], units, of: count)
    else { return nil }
    return (part.whole, part.place, [gate.index, part.index])
  }

  /// What sums before the gates add up, if nobody else reads them.
  private func addends(_ whole: Int, _ units: Int, reading: Set<Int>) -> MemoryCell.Addends {
    let none = MemoryCell.Addends(input: whole)
    func isBias(_ tensor: Int) -> Bool {
      graph.tensors[tensor].isConstant && graph.tensors[tensor].count == 4 * units
        && shape(tensor).last == 4 * units
    }
    func isWhole(_ tensor: Int) -> Bool {
      graph.tensors[tensor].type == .float32 && !graph.tensors[tensor].isConstant
        && graph.tensors[tensor].count == graph.tensors[whole].count
    }
    func sum(_ tensor: Int, by readers: Set<Int>) -> (index: Int, inputs: [Int])? {
      guard !isOutput[tensor], values[tensor] == nil,
        self.readers[tensor].allSatisfy(readers.contains)
      else { return nil }
      return made(tensor, by: .binary(.add, .none))
    }
    guard let last = sum(whole, by: reading) else { return none }
    if last.inputs.allSatisfy(isWhole) {
      return MemoryCell.Addends(
        input: last.inputs[0], past: last.inputs[1], operators: [last.index])
    }
    for (rest, bias) in orders(last.inputs) where isWhole(rest) && isBias(bias) {
      guard let first = sum(rest, by: [last.index]), first.inputs.allSatisfy(isWhole) else {
        return MemoryCell.Addends(input: rest, bias: bias, operators: [last.index])
      }
      return MemoryCell.Addends(
        input: first.inputs[0], past: first.inputs[1], bias: bias,
        operators: [last.index, first.index])
    }
    return none
  }

  /// Whether nobody else reads what is between, and the memory is read only once it is there.
  private func isClosed(_ cell: MemoryCell, _ last: Int) -> Bool {
    guard let output = graph.operators[last].outputs.first,
      let count = graph.tensors[output].count, count <= Self.memoryLimit,
      graph.tensors[cell.addends.input].count == 4 * count,
      graph.tensors[cell.memory].type == .float32, graph.tensors[cell.memory].count == count,
      graph.tensors[cell.newMemory].count == count,
      graph.tensors[cell.addends.input].type == .float32,
      absorbed.isDisjoint(with: cell.operators)
    else { return false }
    return cell.operators.allSatisfy { index in
      graph.operators[index].outputs.allSatisfy { tensor in
        if tensor == cell.newMemory {
          return readers[tensor].allSatisfy { $0 >= last || cell.operators.contains($0) }
        }
        return !isOutput[tensor] && values[tensor] == nil
          && readers[tensor].allSatisfy { $0 == last || cell.operators.contains($0) }
      }
    }
  }
}

extension Network {
  func perform(_ step: Step.MemoryCell) {
    let count = step.rows * step.units
    let none = unsafe UnsafeBufferPointer<Float>(start: nil, count: 0)
    unsafe elementwise.memoryCell(
      rows: step.rows, units: step.units,
      input: UnsafeBufferPointer(floats(step.input, 4 * count)),
      past: step.past.map { unsafe UnsafeBufferPointer(floats($0, 4 * count)) } ?? none,
      bias: step.bias.map { unsafe UnsafeBufferPointer(floats($0, 4 * step.units)) } ?? none,
      gates: (step.order.input, step.order.forget, step.order.candidate, step.order.output),
      memory: UnsafeBufferPointer(floats(step.memory, count)),
      newMemory: floats(step.newMemory, count), into: floats(step.destination, count))
  }
}
