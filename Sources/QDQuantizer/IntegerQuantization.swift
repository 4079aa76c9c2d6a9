public import QDEngine

/// A graph that computes in integers, like the output of TensorFlow Lite's converter with a
/// representative data set: float32 inputs and outputs stay, with QUANTIZE and DEQUANTIZE next to
/// them; a node without an integer form stays float.
///
/// - Parameters:
///   - ranges: of activations, by tensor of the canonical graph: `Calibrator.ranges`. Ranges that
///     the graph defines itself may be missing.
///   - states: their inputs and outputs get the same scale. The rows of shift registers move as
///     floats, so that they can be kept in a ring buffer. A recurrent cell adds to its state in
///     float, because rounding errors would accumulate.
public func quantize(
  _ graph: CanonicalGraph, ranges: [Int: ClosedRange<Float>], states: [StatePair] = [],
  settings: IntegerSettings = IntegerSettings()
) throws(QuantizerError) -> Graph {
  let source = graph.graph
  let outputs = source.operators.compactMap(\.outputs.first).map { source.tensors[$0].name }
  for name in settings.keepingFloat.union(settings.keepingInt16).sorted()
  where !outputs.contains(name) {
    throw .notALayer(graph: source.name, name: name, layers: source.layers)
  }
  var precisions = try source.operators.indices.map { index throws(QuantizerError) in
    try graph.precision(index, settings)
  }
  if !settings.integersOnly {
    for index in source.stateMoves(states) { precisions[index] = .float }
    for index in source.stateUpdates(states) where precisions[index] == .int8 {
      precisions[index] = .float
    }
  }
  var groups = ScaleGroups(graph, ranges: ranges, states: states, precisions: precisions)
  // Operators of tensors without a range become float, which may break groups apart.
  while true {
    let unknown = source.operators.indices.filter { index in
      precisions[index] != .float && !graph.isKnown(index, groups)
    }
    if unknown.isEmpty { break }
    if settings.integersOnly { throw graph.noIntegerForm(unknown[0], "its range is not known") }
    for index in unknown { precisions[index] = .float }
    groups = ScaleGroups(graph, ranges: ranges, states: states, precisions: precisions)
  }
  keepLonelyMovesFloat(source, &precisions, settings)
  groups = ScaleGroups(graph, ranges: ranges, states: states, precisions: precisions)
  var rewriter = IntegerRewriter(graph, settings, precisions, groups)
  let result = try rewriter.rewritten()
  do { try result.validate() } catch { throw .invalidGraph(error.description) }
  return result
}

/// Keeps operators float that only move floats to floats between two conversions.
private func keepLonelyMovesFloat(
  _ graph: Graph, _ precisions: inout [NodePrecision], _ settings: IntegerSettings
) {
  if settings.integersOnly { return }
  var changed = true
  while changed {
    changed = false
    for (index, node) in graph.operators.enumerated() where precisions[index] != .float {
      guard node.kind.knownProperties?.integerRules?.scales == .same else { continue }
      let (inputs, outputs) = graph.activations(node)
      let isFed = inputs.contains { input in
        graph.operators.indices.contains {
          precisions[$0] != .float && graph.operators[$0].outputs.contains(input)
        }
      }
      let isRead = outputs.contains { output in
        graph.readers(of: output).contains { precisions[$0] != .float }
      }
      if !isFed && !isRead {
        precisions[index] = .float
        changed = true
      }
    }
  }
}

extension CanonicalGraph {
  /// The precision that a node may compute in, by its kind and the settings.
  fileprivate func precision(
    _ index: Int, _ settings: IntegerSettings
  ) throws(QuantizerError) -> NodePrecision {
    let node = graph.operators[index]
    if node.kind == .quantize || node.kind == .dequantize { return .float }
    let names = Set(node.outputs.map { graph.tensors[$0].name })
    if !settings.keepingFloat.isDisjoint(with: names) { return .float }
    if let problem = obstacle(node) {
      if settings.integersOnly { throw noIntegerForm(index, problem) }
      return .float
    }
    let isInt16 =
      settings.activations == .int16 || !settings.keepingInt16.isDisjoint(with: names)
    guard isInt16 else { return .int8 }
    guard node.kind.knownProperties?.integerRules?.int16Version != nil else {
      if settings.integersOnly { throw noIntegerForm(index, "it has no form for int16") }
      return .float
    }
    return .int16
  }

  /// Why a node cannot compute in integers; `nil` if it can.
  private func obstacle(_ node: Operator) -> String? {
    guard let rules = node.kind.knownProperties?.integerRules else {
      return "it has no form for integers"
    }
    let (inputs, outputs) = graph.activations(node)
    guard !inputs.isEmpty, outputs.allSatisfy({ graph.tensors[$0].type == .float32 }) else {
      return "it does not compute with floats"
    }
    if node.kind.activation == .tanh { return "TANH is its activation" }
    if rules.scales == .same, node.kind.activation != .none,
      case .concatenation = node.kind
    {
      return "it has an activation"
    }
    guard let layer = LayerInputs(node.kind) else { return nil }
    guard let weights = node.input(layer.weights), graph.tensors[weights].isConstant,
      graph.tensors[weights].type == .float32
    else { return "its weights are not float32 constants" }
    if let bias = node.input(layer.bias), !graph.tensors[bias].isConstant {
      return "its bias is not constant"
    }
    return nil
  }

  fileprivate func isKnown(_ index: Int, _ groups: ScaleGroups) -> Bool {
    let (inputs, outputs) = graph.activations(graph.operators[index])
    return (inputs + outputs).allSatisfy {
      graph.tensors[$0].isConstant || groups.origin($0) != nil
    }
  }

  fileprivate func noIntegerForm(_ index: Int, _ reason: String) -> QuantizerError {
    let node = graph.operators[index]
    return .noIntegerForm(
      graph: graph.name, index: index, operator: node.kind.name,
      output: node.outputs.first.map { graph.tensors[$0].name } ?? "", reason: reason)
  }
}
