/// The fusion pass for activations that only clamp: they become limits of the operator before them,
/// if nothing else reads what is between.
package struct FusedActivations: Sendable {
  package struct Fused: Equatable, Sendable {
    /// What the last of the activations makes.
    package var tensor: Int
    package var range: ClosedRange<Float>
  }

  /// By the operator that takes them over.
  package private(set) var byOperator: [Int: Fused] = [:]
  package private(set) var absorbed: Set<Int> = []

  init() {}

  /// - Parameter taken: operators that do not run by themselves.
  package init(_ dataflow: Dataflow, skipping taken: Set<Int> = []) {
    for (index, node) in dataflow.graph.operators.enumerated()
    where node.kind.fusion.takesClamps && !taken.contains(index) {
      // Nothing clamps after a tanh.
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
  /// The clamp that alone reads a tensor, and what it makes.
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
  /// What another clamp leaves of the values of this one.
  fileprivate func clamped(by next: ClosedRange<Float>) -> ClosedRange<Float> {
    let lower = Swift.min(Swift.max(lowerBound, next.lowerBound), next.upperBound)
    let upper = Swift.max(Swift.min(upperBound, next.upperBound), next.lowerBound)
    return lower...upper
  }
}
