/// The fusion pass for residual sums: an ADD of a product's result and a tensor that was computed
/// before the product becomes the addend of the product, if nothing else reads the result.
package struct ResidualSums: Sendable {
  package struct Sum: Equatable, Sendable {
    /// What is added to the results.
    package var addend: Int
    /// The output of the sum.
    package var output: Int
  }

  /// By the product that the sum is fused into.
  package private(set) var byProduct: [Int: Sum] = [:]
  /// The fused sums.
  package private(set) var absorbed: Set<Int> = []

  init() {}

  /// - Parameter taken: operators that are part of others already.
  package init(_ dataflow: Dataflow, skipping taken: Set<Int> = []) {
    for (index, node) in dataflow.graph.operators.enumerated()
    where node.kind == .binary(.add, .none) && !taken.contains(index) {
      guard node.inputs.count == 2, let left = node.inputs[0], let right = node.inputs[1],
        let output = node.outputs.first, left != right,
        [left, right, output].allSatisfy({
          dataflow.graph.tensors[$0].type == .float32
            && dataflow.shape($0) == dataflow.shape(output)
        }), !dataflow.isClamped(output)
      else { continue }
      for (result, addend) in [(left, right), (right, left)] {
        guard let product = dataflow.product(result, for: index), !taken.contains(product),
          byProduct[product] == nil, dataflow.isComputed(addend, before: product)
        else { continue }
        byProduct[product] = Sum(addend: addend, output: output)
        absorbed.insert(index)
        break
      }
    }
  }
}

extension Dataflow {
  /// The product with constant weights whose result has only one reader.
  fileprivate func product(_ tensor: Int, for reader: Int) -> Int? {
    guard let index = producer[tensor], readers[tensor] == [reader], !isOutput[tensor] else {
      return nil
    }
    switch graph.operators[index].kind {
    case .fullyConnected, .convolution: break
    default: return nil
    }
    let node = graph.operators[index]
    guard node.kind.activation != .tanh, view(of: index) != .stored,
      node.inputs.count > 1, let weights = node.inputs[1], graph.tensors[weights].isConstant
    else { return nil }
    return index
  }

  /// Whether a tensor is computed before an operator runs.
  fileprivate func isComputed(_ tensor: Int, before index: Int) -> Bool {
    producer[tensor].map { $0 < index } ?? true
  }

  /// Whether the only reader of a tensor is a clamp, which is fused into the tensor's operator.
  fileprivate func isClamped(_ tensor: Int) -> Bool {
    guard readers[tensor].count == 1, let reader = readers[tensor].first,
      case .unary(let function) = graph.operators[reader].kind
    else { return false }
    return function.range != nil
  }
}
