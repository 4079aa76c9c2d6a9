/// The fusion pass for TRANSPOSE, FULLY_CONNECTED, TRANSPOSE of the last two dimensions in float,
/// which is the product of the weights [outputs, rows] and the untransposed matrix.
package struct TransposedMatmuls: Sendable {
  package struct Matmul: Sendable {
    package var weights: Int
    /// [..., rows, columns].
    package var source: Int
  }

  /// By their last operator.
  package private(set) var byLast: [Int: Matmul] = [:]
  package private(set) var absorbed: Set<Int> = []

  init() {}

  package init(_ dataflow: Dataflow, skipping taken: Set<Int> = []) {
    for last in dataflow.graph.operators.indices {
      guard let match = dataflow.transposedMatmul(last),
        match.operators.isDisjoint(with: taken), match.operators.isDisjoint(with: absorbed)
      else { continue }
      byLast[last] = match.matmul
      absorbed.formUnion(match.operators)
    }
  }
}

extension Dataflow {
  fileprivate func transposedMatmul(
    _ last: Int
  ) -> (matmul: TransposedMatmuls.Matmul, operators: Set<Int>)? {
    guard let layer = swapped(last), isOnlyRead(layer, by: last),
      let product = producer[layer], graph.operators[product].inputs.count >= 2,
      case .fullyConnected(.none, _) = graph.operators[product].kind, !isHybrid(product),
      let weights = optionalInput(product, 1), let turned = optionalInput(product, 0),
      isOnlyRead(turned, by: product), let first = producer[turned], let source = swapped(first),
      isBiasZero(product), graph.tensors[source].type == .float32,
      graph.tensors[layer].type == .float32, shape(weights).count == 2,
      shape(weights)[1] == shape(turned).last,
      shape(layer) == Array(shape(turned).dropLast()) + [shape(weights)[0]],
      shape(turned).count <= Nest.maximumRank
    else { return nil }
    return (TransposedMatmuls.Matmul(weights: weights, source: source), [first, product])
  }

  /// The input of a TRANSPOSE of only the last two dimensions.
  private func swapped(_ index: Int) -> Int? {
    guard graph.operators[index].kind == .transpose, let input = optionalInput(index, 0),
      let permutation = optionalInput(index, 1), let order = try? integers(permutation),
      let output = graph.operators[index].outputs.first, order.count >= 2,
      order.count == shape(input).count, shape(output).count == order.count
    else { return nil }
    var expected = Array(order.indices)
    expected.swapAt(order.count - 1, order.count - 2)
    return order == expected && shape(output) == order.map { shape(input)[$0] } ? input : nil
  }

  private func isBiasZero(_ index: Int) -> Bool {
    guard let bias = optionalInput(index, 2) else { return true }
    guard graph.tensors[bias].isConstant, let values = try? floats(bias) else { return false }
    return values.allSatisfy { $0 == 0 }
  }
}
