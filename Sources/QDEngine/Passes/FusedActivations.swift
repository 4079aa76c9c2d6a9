/// The fusion pass for activations that only clamp: they become limits of the preceding operator,
/// if nothing else reads the intermediate tensor.
package struct FusedActivations: Sendable {
  package struct Fused: Equatable, Sendable {
    /// The output of the last activation.
    package var tensor: Int
    package var range: ClosedRange<Float>
  }

  /// By the operator that they are fused into.
  package private(set) var byOperator: [Int: Fused] = [:]
  package private(set) var absorbed: Set<Int> = []

  init() {}

  /// - Parameter taken: operators that are parts of others.
  package init(_ dataflow: Dataflow, skipping taken: Set<Int> = []) {
    for (index, node) in dataflow.graph.operators.enumerated()
    where node.kind.fusion.takesClamps && !taken.contains(index) {
      // A clamp after a tanh stays.
      guard let output = node.outputs.first, node.kind.activation != .tanh,
        dataflow.graph.tensors[output].type == .float32, dataflow.view(of: index) != .stored
      else { continue }
      var fused = Fused(tensor: output, range: node.kind.activation.range)
      while let (clamp, next) = dataflow.clamp(of: fused.tensor) {
        fused = Fused(tensor: next.tensor, range: fused.range.clamped(by: next.range))
        absorbed.insert(clamp)
      }
      if fused.tensor != output { byOperator[index] = fused }
    }
  }
}

extension Dataflow {
  /// The clamp that is the only reader of a tensor, and its output.
  fileprivate func clamp(of tensor: Int) -> (index: Int, FusedActivations.Fused)? {
    guard !isOutput[tensor], readers[tensor].count == 1, let reader = readers[tensor].first,
      case .unary(let function) = graph.operators[reader].kind, let range = function.range,
      let result = graph.operators[reader].outputs.first, shape(result) == shape(tensor),
      graph.tensors[result].type == graph.tensors[tensor].type
    else { return nil }
    return (reader, FusedActivations.Fused(tensor: result, range: range))
  }
}

extension ClosedRange<Float> {
  /// The intersection with another clamp.
  fileprivate func clamped(by next: ClosedRange<Float>) -> ClosedRange<Float> {
    let lower = Swift.min(Swift.max(lowerBound, next.lowerBound), next.upperBound)
    let upper = Swift.max(Swift.min(upperBound, next.upperBound), next.lowerBound)
    return lower...upper
  }
}
