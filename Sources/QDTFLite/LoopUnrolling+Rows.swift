internal import QDEngine

extension LoopUnrolling {
  /// Rows of an existing tensor, along its first dimension.
  struct Rows {
    var tensor: Int
    var first: Int
    var count: Int
  }

  /// A tensor of the graph: rows are concatenated now, if they are not yet.
  mutating func whole(_ tensor: Int) throws(Failure) -> Int {
    guard let pieces = rows[tensor] else { return tensor }
    var parts: [Int] = []
    for piece in pieces {
      let shape = graph.tensors[piece.tensor].shape
      if piece.count == shape[0] {
        parts.append(piece.tensor)
        continue
      }
      var part = graph.tensors[piece.tensor]
      part.shape[0] = piece.count
      part.data = nil
      parts.append(append(part))
      let (begin, size) = (
        vector([piece.first] + shape.dropFirst().map { _ in 0 }),
        vector([piece.count] + shape.dropFirst())
      )
      graph.operators.append(
        Operator(.slice, inputs: [piece.tensor, begin, size], outputs: [parts[parts.count - 1]]))
    }
    guard !parts.isEmpty else { throw .other }
    // A single part must be a tensor of its own if it is an output.
    if parts.count == 1 { return parts[0] }
    rows[tensor] = nil
    graph.operators.append(
      Operator(.concatenation(axis: 0, .none), inputs: parts, outputs: [tensor]))
    return tensor
  }

  /// Copies one row of a tensor into another tensor.
  mutating func emitRow(_ row: Int, of tensor: Int, to result: Int) throws(Failure) {
    var (source, row) = (tensor, row)
    if let pieces = rows[tensor] {
      guard row >= 0 else { throw .other }
      var left = row
      for piece in pieces {
        if left < piece.count {
          (source, row) = (piece.tensor, piece.first + left)
          left = -1
          break
        }
        left -= piece.count
      }
      guard left < 0 else { throw .other }
    }
    let shape = graph.tensors[source].shape
    guard !shape.isEmpty, (0..<shape[0]).contains(row) else { throw .other }
    let rest = shape.indices.dropFirst().reduce(0) { $0 | 1 << $1 }
    let isDropped = graph.tensors[result].shape.count < shape.count
    let zeros = shape.dropFirst().map { _ in 0 }
    graph.operators.append(
      Operator(
        .stridedSlice(
          StridedSliceMasks(begin: rest, end: rest, shrinkAxis: isDropped ? 1 : 0)),
        inputs: [
          source, vector([row] + zeros), vector([row + 1] + zeros), vector(shape.map { _ in 1 }),
        ], outputs: [result]))
  }

  /// The row that a GATHER selects, if its index is known.
  mutating func gathered(
    _ node: Operator, _ inputs: [Int?], of subgraph: Int, _ round: String
  ) throws(Failure) -> Int? {
    guard case .builtin(_, let options) = node.kind, node.kind.name == "GATHER",
      options.int(0) == 0, options.int(1) == 0, inputs.count == 2, let source = inputs[0],
      let index = inputs[1], let row = integers(index), row.count == 1,
      graph.tensors[index].shape.isEmpty, row[0] >= 0
    else { return nil }
    guard let output = node.outputs.first else { return nil }
    let result = place(output, of: subgraph, round)
    try emitRow(row[0], of: source, to: result)
    return result
  }

  /// The rows that an operator takes from its inputs, if it only moves rows.
  ///
  /// - Parameter isLoop: whether it is in a loop; outside of loops only existing rows are handled.
  mutating func taken(_ node: Operator, _ inputs: [Int?], _ isLoop: Bool) -> Int? {
    guard let first = inputs.first, let first else { return nil }
    guard isLoop || inputs.contains(where: { $0.map { rows[$0] != nil } ?? false }) else {
      return nil
    }
    var pieces: [Rows]?
    switch node.kind {
    case .slice: pieces = sliced(first, inputs)
    case _ where node.kind.name == "DYNAMIC_UPDATE_SLICE": pieces = updated(first, inputs)
    case .concatenation(axis: 0, .none):
      guard inputs.contains(where: { $0.map { rows[$0] != nil } ?? false }) else { return nil }
      pieces = inputs.reduce([Rows]?.some([])) { all, input in
        guard let all, let input, let own = rowsOf(input) else { return nil }
        return all + own
      }
    case .unsupported(name: "REVERSE_V2"):
      guard inputs.count == 2, let axes = inputs[1].flatMap(integers), axes == [0],
        let own = rowsOf(first)
      else { return nil }
      pieces = own.reversed().flatMap { piece in
        (0..<piece.count).reversed().map {
          Rows(tensor: piece.tensor, first: piece.first + $0, count: 1)
        }
      }
    default: return nil
    }
    guard let pieces, let source = rowsOf(first)?.first ?? pieces.first else { return nil }
    var tensor = graph.tensors[source.tensor]
    tensor.data = nil
    tensor.name = node.outputs.first.map { "rows \($0)" } ?? ""
    tensor.shape[0] = pieces.reduce(0) { $0 + $1.count }
    let result = append(tensor)
    rows[result] = joined(pieces)
    return result
  }

  private func rowsOf(_ tensor: Int) -> [Rows]? {
    if let own = rows[tensor] { return own }
    guard let count = graph.tensors[tensor].shape.first else { return nil }
    return [Rows(tensor: tensor, first: 0, count: count)]
  }

  private func sliced(_ tensor: Int, _ inputs: [Int?]) -> [Rows]? {
    let shape = graph.tensors[tensor].shape
    guard inputs.count == 3, let begin = inputs[1].flatMap(integers),
      let size = inputs[2].flatMap(integers), begin.count == shape.count, size.count == shape.count,
      !shape.isEmpty, begin.dropFirst().allSatisfy({ $0 == 0 }),
      zip(size, shape).dropFirst().allSatisfy({ $0 == -1 || $0 == $1 }),
      (0...shape[0]).contains(begin[0]),
      let count = size.first == -1 ? shape[0] - begin[0] : size.first,
      (0...shape[0] - begin[0]).contains(count)
    else { return nil }
    return rowsOf(tensor).map { part($0, begin[0], count) }
  }

  private func updated(_ tensor: Int, _ inputs: [Int?]) -> [Rows]? {
    let shape = graph.tensors[tensor].shape
    guard inputs.count == 3, let row = inputs[1], let begin = inputs[2].flatMap(integers),
      begin.count == shape.count, begin.dropFirst().allSatisfy({ $0 == 0 }),
      graph.tensors[row].shape.dropFirst() == shape.dropFirst(), let own = rowsOf(tensor),
      let new = rowsOf(row), let count = graph.tensors[row].shape.first,
      (0...shape[0]).contains(begin[0]), count <= shape[0] - begin[0]
    else { return nil }
    return part(own, 0, begin[0]) + new
      + part(own, begin[0] + count, shape[0] - begin[0] - count)
  }

  private func part(_ pieces: [Rows], _ first: Int, _ count: Int) -> [Rows] {
    var (start, result) = (0, [Rows]())
    for piece in pieces {
      let lower = max(first, start)
      let upper = min(first + count, start + piece.count)
      if lower < upper {
        result.append(
          Rows(tensor: piece.tensor, first: piece.first + lower - start, count: upper - lower))
      }
      start += piece.count
    }
    return result
  }

  /// The same with adjacent rows of a tensor merged.
  private func joined(_ pieces: [Rows]) -> [Rows] {
    pieces.reduce(into: []) { result, piece in
      if let last = result.last, last.tensor == piece.tensor, last.first + last.count == piece.first
      {
        result[result.count - 1].count += piece.count
      } else {
        result.append(piece)
      }
    }
  }
}
