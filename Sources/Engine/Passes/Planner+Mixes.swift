internal import Kernels

/// A float layer across the rows of matrices: TRANSPOSE, FULLY_CONNECTED, TRANSPOSE, which is the
/// product of its weights [outputs, rows] with the matrix as it lies.
struct Mix {
  var weights: Int
  /// [..., rows, columns].
  var source: Int
}

extension Planner {
  /// Finds the layers, by their last operator, and absorbs the two before it.
  mutating func findMixes() {
    for last in graph.operators.indices {
      guard let layer = swapped(last), isOnlyRead(layer, by: last),
        let product = producer[layer], graph.operators[product].inputs.count >= 2,
        case .fullyConnected(.none, _) = graph.operators[product].kind, !isHybrid(product),
        let weights = optionalInput(product, 1), let turned = optionalInput(product, 0),
        isOnlyRead(turned, by: product), let first = producer[turned], let source = swapped(first),
        !absorbed.contains(first), !absorbed.contains(product), isBiasZero(product),
        graph.tensors[source].type == .float32, graph.tensors[layer].type == .float32,
        shape(weights).count == 2, shape(weights)[1] == shape(turned).last,
        shape(layer) == Array(shape(turned).dropLast()) + [shape(weights)[0]],
        shape(turned).count <= Nest.maximumRank
      else { continue }
      mixes[last] = Mix(weights: weights, source: source)
      absorbed.formUnion([first, product])
    }
  }

  mutating func lowerMix(_ index: Int, _ mix: Mix) throws(EngineError) {
    let weights = try value(of: mix.weights)
    let source = try value(of: mix.source)
    let destination = try destination(try output(index))
    let (outputs, rows) = (shape(mix.weights)[0], shape(mix.weights)[1])
    let batches = Array(shape(mix.source).dropLast(2))
    let columns = shape(mix.source).last ?? 1
    let kernel = FloatMatrixProduct(instructionSet)
    let count = kernel.packedCount(outputs: columns, inputs: rows)
    let packed = try newStorage(.scratch, byteCount: try checkedProduct([4, count]))
    emit(
      .batchProduct(
        Step.BatchProduct(
          a: address(weights), b: address(source), packed: address(packed),
          destination: address(destination), rows: outputs, inputs: rows, outputs: columns,
          isTransposed: true,
          batches: Nest(
            extents: batches, a: batches.map { _ in 0 }, b: denseStrides(batches),
            y: denseStrides(batches)))),
      touching: [weights.storage, source.storage, packed, destination.storage])
  }

  /// What a TRANSPOSE of just the last two dimensions reads.
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

  func isOnlyRead(_ tensor: Int, by reader: Int) -> Bool {
    readers[tensor] == [reader] && !isOutput[tensor] && values[tensor] == nil
  }

  private func isBiasZero(_ index: Int) -> Bool {
    guard let bias = optionalInput(index, 2) else { return true }
    guard let values = try? floats(bias) else { return false }
    return values.allSatisfy { $0 == 0 }
  }
}
