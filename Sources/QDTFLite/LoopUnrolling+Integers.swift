internal import QDEngine

extension LoopUnrolling {
  /// The maximum number of integers computed at once: counters and shapes have few.
  private static let mostIntegers = 16

  func integers(_ tensor: Int) -> [Int]? { graph.tensors[tensor].fewIntegers }

  /// The result of an operator on integer constants, as a constant.
  mutating func fold(_ node: Operator, _ inputs: [Int?], _ source: Graph) -> Int? {
    guard node.outputs.count == 1 else { return nil }
    let output = source.tensors[node.outputs[0]]
    guard [.int32, .int64, .bool].contains(output.type) else { return nil }
    if node.kind.name == "SHAPE", let input = inputs.first, let input {
      return constant(graph.tensors[input].shape, like: output)
    }
    var operands: [[Int]] = []
    for input in inputs {
      guard let input, let values = integers(input) else { return nil }
      operands.append(values)
    }
    guard let values = result(node.kind, operands) ?? computed(node, inputs, output),
      values.count <= Self.mostIntegers
    else { return nil }
    return constant(values, like: output)
  }

  private mutating func constant(_ values: [Int], like output: Tensor) -> Int? {
    // A computed tensor may have another shape than in the file, but as many dimensions.
    let shape = output.shape.count == 1 ? [values.count] : output.shape
    guard shape.reduce(1, { $0.multipliedReportingOverflow(by: $1).partialValue }) == values.count
    else { return nil }
    let size = output.type.size
    let data = values.flatMap { value in
      (0..<size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    return append(Tensor(name: output.name, shape: shape, type: output.type, data: data))
  }

  /// The engine's result of an operator on integers.
  private func computed(
    _ node: Operator, _ inputs: [Int?], _ output: Tensor
  ) -> [Int]? {
    var copy = node
    copy.inputs = inputs
    var graph = graph
    graph.tensors.append(output)
    copy.outputs = [graph.tensors.count - 1]
    guard let shape = try? graph.shapes(of: copy).first else { return nil }
    graph.tensors[graph.tensors.count - 1].shape = shape
    guard let data = graph.constants(of: copy)?.first else { return nil }
    graph.tensors[graph.tensors.count - 1].data = data
    return graph.tensors[graph.tensors.count - 1].fewIntegers
  }

  private func result(_ kind: OperatorKind, _ operands: [[Int]]) -> [Int]? {
    func pairs(_ function: (Int, Int) -> Int) -> [Int]? {
      guard operands.count == 2 else { return nil }
      let (a, b) = (operands[0], operands[1])
      guard a.count == b.count || a.count == 1 || b.count == 1, !a.isEmpty, !b.isEmpty else {
        return nil
      }
      return (0..<max(a.count, b.count)).map { function(a[$0 % a.count], b[$0 % b.count]) }
    }
    switch kind {
    case .binary(.add, .none): return pairs(&+)
    case .binary(.subtract, .none): return pairs(&-)
    case .binary(.multiply, .none): return pairs(&*)
    case .binary(.minimum, .none): return pairs(min)
    case .binary(.maximum, .none): return pairs(max)
    case .reshape, .squeeze, .expandDimensions: return operands.first
    case .concatenation, .pack: return operands.flatMap { $0 }
    case .builtin:
      switch kind.name {
      case "LESS": return pairs { $0 < $1 ? 1 : 0 }
      case "LESS_EQUAL": return pairs { $0 <= $1 ? 1 : 0 }
      case "GREATER": return pairs { $0 > $1 ? 1 : 0 }
      case "GREATER_EQUAL": return pairs { $0 >= $1 ? 1 : 0 }
      case "EQUAL": return pairs { $0 == $1 ? 1 : 0 }
      case "NOT_EQUAL": return pairs { $0 != $1 ? 1 : 0 }
      case "LOGICAL_AND": return pairs { $0 & $1 }
      case "LOGICAL_OR": return pairs { $0 | $1 }
      case "LOGICAL_NOT": return operands.first?.map { 1 &- $0 }
      default: return nil
      }
    default: return nil
    }
  }
}

extension OperatorKind {
  var isUnsupported: Bool {
    if case .unsupported = self { true } else { false }
  }
}
