internal import QDEngine

extension ONNXImporter {
  /// Converts a sum of products over named dimensions, of one or two inputs.
  mutating func convertEinsum() throws(ONNXError) {
    var equation = string("equation", "").filter { $0 != " " }
    if equation.contains("...") {
      // Both inputs have the same number of unnamed dimensions.
      let term = equation.split(separator: ",")[0].prefix { $0 != "-" }
      let missing = try value(0).shape.count - term.filter { $0 != "." }.count
      let names = String("ZYXWVUTS".filter { !equation.contains($0) }.prefix(max(0, missing)))
      equation = equation.split(separator: "...", omittingEmptySubsequences: false)
        .joined(separator: names)
    }
    let arrow = equation.firstRange(of: "->")
    let inputs = equation[..<(arrow?.lowerBound ?? equation.endIndex)]
    let terms = inputs.split(separator: ",", omittingEmptySubsequences: false).map { Array($0) }
    guard terms.count == node.inputs.count, (1...2).contains(terms.count),
      !equation.contains("."),
      terms.allSatisfy({ Set($0).count == $0.count })
    else { throw unsupported("its equation is '\(equation)'") }
    var result: [Character]
    if let arrow {
      result = Array(equation[arrow.upperBound...])
    } else {
      let all = terms.flatMap { $0 }
      result = Set(all).filter { name in all.filter { $0 == name }.count == 1 }.sorted()
    }
    guard Set(result).count == result.count, Set(result).isSubset(of: Set(terms.joined())) else {
      throw unsupported("its equation is '\(equation)'")
    }
    var operands: [Named] = []
    for (position, term) in terms.enumerated() {
      let data = plain(try activation(position))
      guard data.shape.count == term.count else {
        throw unsupported("'\(String(term))' are not the dimensions of \(data.shape)")
      }
      // Dimensions that neither the other input nor the result has are summed first.
      let others = Set(
        result + terms.enumerated().filter { $0.offset != position }.flatMap(\.element))
      let axes = Set(term.indices.filter { !others.contains(term[$0]) })
      let summed =
        axes.isEmpty ? data : sum(data, axes, keepsDimensions: false)
      operands.append(Named(data: summed, names: term.filter(others.contains)))
    }
    let all =
      operands.count == 1 ? operands[0] : try product(operands[0], operands[1], result, equation)
    let order = result.compactMap { all.names.firstIndex(of: $0) }
    set(order == Array(order.indices) ? all.data : transposed(all.data, order))
  }

  /// A value whose dimensions have names.
  private struct Named {
    var data: Activation
    var names: [Character]

    func extent(_ name: Character) -> Int { data.shape[names.firstIndex(of: name)!] }
  }

  private mutating func product(
    _ a: Named, _ b: Named, _ result: [Character], _ equation: String
  ) throws(ONNXError) -> Named {
    let shared = a.names.filter(b.names.contains)
    guard shared.allSatisfy({ a.extent($0) == b.extent($0) }) else {
      throw unsupported("'\(equation)' does not fit \(a.data.shape) and \(b.data.shape)")
    }
    let batch = shared.filter(result.contains)
    let inner = shared.filter { !result.contains($0) }
    let left = a.names.filter { !shared.contains($0) }
    let right = b.names.filter { !shared.contains($0) }
    func count(_ names: [Character], _ value: Named) -> Int {
      names.reduce(1) { $0 * value.extent($1) }
    }
    let names = batch + left + right
    let shape =
      batch.map(a.extent) + left.map(a.extent) + right.map(b.extent)
    func moved(_ value: Named, _ order: [Character], _ shape: [Int]) -> Activation {
      let places = order.compactMap { value.names.firstIndex(of: $0) }
      let data =
        places == Array(places.indices) ? value.data : transposed(value.data, places)
      return data.shape == shape ? data : reshaped(data, shape)
    }
    let (batches, sums) = (count(batch, a), count(inner, a))
    let (rows, columns) = (count(left, a), count(right, b))
    let x = moved(a, batch + left + inner, [batches, rows, sums])
    // Constant matrices become weights of layers.
    if let values = constantValues(b.data) {
      let order = (batch + right + inner).compactMap { b.names.firstIndex(of: $0) }
      let matrices = permuted(values, b.data.shape, order)
      var parts: [Activation] = []
      for index in 0..<batches where batches <= 256 {
        let row = batches == 1 ? x : part(x, axis: 0, index..<index + 1)
        let size = columns * sums
        parts.append(
          dense(
            row, Array(matrices[index * size..<(index + 1) * size]), bias: nil, inputs: sums,
            outputs: columns, shape: [1, rows, columns]))
      }
      if !parts.isEmpty {
        // For rows of one element, concatenation along either axis is the same.
        let whole = try joined(parts, axis: rows == 1 ? 2 : 0)
        return Named(data: whole.shape == shape ? whole : reshaped(whole, shape), names: names)
      }
    }
    let y = moved(b, batch + inner + right, [batches, sums, columns])
    let product = emit(
      .batchMatMul(adjointX: false, adjointY: false), [x.tensor, y.tensor],
      shape: [batches, rows, columns])
    return Named(data: product.shape == shape ? product : reshaped(product, shape), names: names)
  }

  /// The elements of a float constant of the graph.
  private func constantValues(_ x: Activation) -> [Float]? {
    guard let data = graph.tensors[x.tensor].data else { return nil }
    return stride(from: 0, to: data.count, by: 4).map { start in
      Float(
        bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[start + $1]) << UInt32(8 * $1) })
    }
  }
}
