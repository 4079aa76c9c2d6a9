internal import QDEngine

/// The activations that share a scale, and that scale.
///
/// The inputs and outputs of an operator that only moves values share a scale, and so do the values
/// of a state before and after a run, which is thus rounded only once.
struct ScaleGroups {
  /// The source of a group's parameters.
  enum Origin: Equatable {
    /// A range, from calibration or from the members.
    case range(ClosedRange<Float>)
    /// The fixed output range of an operator.
    case fixed(ClosedRange<Float>)
    /// Given by the graph.
    case given(ActivationForm)
  }

  private var parents: [Int: Int] = [:]
  private var origins: [Int: Origin] = [:]

  init(
    _ graph: CanonicalGraph, ranges: [Int: ClosedRange<Float>], states: [StatePair],
    precisions: [NodePrecision]
  ) {
    let source = graph.graph
    for (tensor, range) in ranges { origins[tensor] = .range(range) }
    for (index, node) in source.operators.enumerated() where precisions[index] != .float {
      if case .fixed(let range)? = node.kind.knownProperties?.integerRules?.scales {
        for output in node.outputs { origins[output] = .fixed(range) }
      }
    }
    for (tensor, form) in graph.given { origins[tensor] = .given(form) }
    limitSaturatingInputs(source, precisions)
    for state in states { joinState(state, source) }
    for (index, node) in source.operators.enumerated() where precisions[index] != .float {
      if node.kind.knownProperties?.integerRules?.scales == .same { join(node, source) }
    }
  }

  func root(_ tensor: Int) -> Int {
    var root = tensor
    while let parent = parents[root] { root = parent }
    return root
  }

  /// `nil` if the tensor's values are unknown.
  func origin(_ tensor: Int) -> Origin? { origins[root(tensor)] }

  func isJoined(_ a: Int, _ b: Int) -> Bool { root(a) == root(b) }

  /// Logistic and tanh saturate beyond these inputs, so larger ranges would waste steps: 1 / (1 +
  /// exp(-8)) and tanh(4) are within a third of a step of 1/256 and 1/128.
  private mutating func limitSaturatingInputs(
    _ graph: Graph, _ precisions: [NodePrecision]
  ) {
    for tensor in graph.tensors.indices {
      guard case .range(let range)? = origins[tensor], !graph.outputs.contains(tensor) else {
        continue
      }
      let limits = graph.readers(of: tensor).map { reader -> Float in
        switch graph.operators[reader].kind {
        case .unary(.logistic) where precisions[reader] == .int8: 8
        case .unary(.tanh) where precisions[reader] == .int8: 4
        default: .infinity
        }
      }
      guard let limit = limits.max(), limit < .infinity else { continue }
      let lower = min(max(range.lowerBound, -limit), limit)
      origins[tensor] = .range(lower...max(lower, min(range.upperBound, limit)))
    }
  }

  /// Joins a state's input and output, and, for a shift register, the rows that enter and leave.
  private mutating func joinState(_ state: StatePair, _ graph: Graph) {
    guard let input = graph.inputs.first(where: { graph.tensors[$0].name == state.input }),
      let output = graph.outputs.first(where: { graph.tensors[$0].name == state.output })
    else { return }
    merge(input, output)
    for index in graph.stateMoves(input: input, output: output) {
      let (inputs, outputs) = graph.activations(graph.operators[index])
      for tensor in inputs + outputs where !graph.tensors[tensor].isConstant {
        merge(output, tensor)
      }
    }
  }

  private mutating func join(_ node: Operator, _ graph: Graph) {
    let (inputs, outputs) = graph.activations(node)
    guard let first = outputs.first else { return }
    for output in outputs.dropFirst() { merge(first, output) }
    let data = inputs.filter { !graph.tensors[$0].isConstant }
    for input in data {
      if isClamp(node, graph), isOnlyClamped(input, graph) {
        narrow(input, to: first)
        continue
      }
      let isOnly = data.allSatisfy { isJoined($0, input) }
      guard isOnly || mayWiden(input, for: first, graph) else { continue }
      merge(input, first)
    }
  }

  /// Whether the operator clamps its input to constants.
  private func isClamp(_ node: Operator, _ graph: Graph) -> Bool {
    switch node.kind {
    case .binary(.minimum, _), .binary(.maximum, _):
      node.inputs.contains { $0.map { graph.tensors[$0].isConstant } ?? false }
    default: false
    }
  }

  /// Whether every tensor with the same scale is next clamped to constants.
  private func isOnlyClamped(_ tensor: Int, _ graph: Graph) -> Bool {
    let members = graph.tensors.indices.filter { isJoined($0, tensor) }
    return members.allSatisfy { member in
      guard case .range? = origin(member), !graph.outputs.contains(member),
        !graph.inputs.contains(member)
      else { return false }
      let readers = graph.readers(of: member)
      return readers.count == 1 && isClamp(graph.operators[readers[0]], graph)
    }
  }

  /// Narrows a tensor's range to that of its clamped form.
  private mutating func narrow(_ tensor: Int, to clamped: Int) {
    guard case .range? = origin(clamped) else { return merge(tensor, clamped) }
    let (a, b) = (root(clamped), root(tensor))
    guard a != b else { return }
    parents[b] = a
    origins.removeValue(forKey: b)
  }

  /// Whether a part may get the scale of the whole: not if other operators read it too and it would
  /// lose more than half of its steps.
  private func mayWiden(_ part: Int, for whole: Int, _ graph: Graph) -> Bool {
    guard case .range(let own)? = origin(part), case .range(let wanted)? = origin(whole) else {
      return origin(part) == origin(whole)
    }
    if graph.readers(of: part).count == 1, !graph.outputs.contains(part) { return true }
    return 2 * (own.upperBound - own.lowerBound) >= wanted.upperBound - wanted.lowerBound
  }

  private mutating func merge(_ a: Int, _ b: Int) {
    let (a, b) = (root(a), root(b))
    guard a != b else { return }
    parents[b] = a
    origins[a] = Self.united(origins[a], origins.removeValue(forKey: b))
  }

  /// The graph's own quantization has priority, then an operator's fixed range.
  private static func united(_ a: Origin?, _ b: Origin?) -> Origin? {
    switch (a, b) {
    case (nil, let other), (let other, nil): other
    case (.given, _), (.fixed, .range), (.fixed, .fixed): a
    case (_, .given), (_, .fixed): b
    case (.range(let a)?, .range(let b)?):
      .range(min(a.lowerBound, b.lowerBound)...max(a.upperBound, b.upperBound))
    }
  }
}

extension Graph {
  /// The operators that move the rows of shift registers.
  func stateMoves(_ states: [StatePair]) -> [Int] {
    states.flatMap { state -> [Int] in
      guard let input = inputs.first(where: { tensors[$0].name == state.input }),
        let output = outputs.first(where: { tensors[$0].name == state.output })
      else { return [] }
      return stateMoves(input: input, output: output)
    }
  }

  /// Sums and products on the path from a state to its next value, without a layer or a function in
  /// between: 8-bit values would be rounded again there in every run.
  func stateUpdates(_ states: [StatePair]) -> [Int] {
    var result: [Int] = []
    for state in states {
      guard let input = inputs.first(where: { tensors[$0].name == state.input }),
        let output = outputs.first(where: { tensors[$0].name == state.output }),
        stateMoves(input: input, output: output).isEmpty
      else { continue }
      var carrying: Set<Int> = [input]
      var updates: [Int] = []
      for (index, node) in operators.enumerated() {
        guard case .binary = node.kind,
          node.inputs.contains(where: { $0.map(carrying.contains) ?? false })
        else { continue }
        carrying.formUnion(node.outputs)
        updates.append(index)
      }
      // Of these, those that the next state depends on.
      var wanted: Set<Int> = [output]
      for index in updates.reversed()
      where !wanted.isDisjoint(with: operators[index].outputs) {
        wanted.formUnion(operators[index].inputs.compactMap { $0 })
        result.append(index)
      }
    }
    return result
  }

  /// The operators that move the rows of a shift register: the SLICEs of a state and the
  /// CONCATENATION to the next one; none for any other state.
  func stateMoves(input: Int, output: Int) -> [Int] {
    guard
      let last = operators.firstIndex(where: { $0.outputs.contains(output) }),
      case .concatenation = operators[last].kind
    else { return [] }
    let slices = readers(of: input)
    for index in slices {
      switch operators[index].kind {
      case .slice, .stridedSlice: break
      default: return []
      }
    }
    let parts = Set(operators[last].inputs.compactMap { $0 })
    guard slices.contains(where: { !parts.isDisjoint(with: operators[$0].outputs) }) else {
      return []
    }
    return slices + [last]
  }
}
