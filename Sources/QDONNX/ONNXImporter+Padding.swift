internal import QDEngine

extension ONNXImporter {
  mutating func convertPad() throws(ONNXError) {
    var x = try activation(0)
    let rank = x.shape.count
    let pads = has(1) ? try integers(1) : integers("pads") ?? []
    let value = has(2) ? try constant(2).floats.first ?? 0 : float("value", 0)
    var axes = Array(0..<rank)
    if has(3) {
      axes = []
      for axis in try integers(3) { axes.append(try self.axis(axis, rank: rank)) }
    }
    guard pads.count == 2 * axes.count, pads.allSatisfy({ abs($0) < 1 << 24 }) else {
      throw unsupported("its pads are \(pads)")
    }
    var (before, after) = (x.shape.map { _ in 0 }, x.shape.map { _ in 0 })
    for (place, axis) in axes.enumerated() {
      (before[axis], after[axis]) = (pads[place], pads[place + axes.count])
    }
    // Negative padding is a slice.
    let kept = x.shape.indices.map { axis in
      (min(-before[axis], x.shape[axis]), x.shape[axis] + min(after[axis], 0))
    }
    x = try taking(
      x, x.shape.indices.map { Array(max(0, kept[$0].0)..<max(0, kept[$0].0, kept[$0].1)) })
    (before, after) = (before.map { max(0, $0) }, after.map { max(0, $0) })
    switch string("mode", "constant") {
    case "constant":
      if value == 0, let state = try lookBack(x, before, after) { return set(state) }
      set(value == 0 ? zeros(x, before, after) : try filled(x, before, after, with: value))
    case "reflect": set(try mirrored(x, before, after) { $1 >= $0 ? 2 * $0 - 2 - $1 : abs($1) })
    case "edge": set(try mirrored(x, before, after) { min(max($1, 0), $0 - 1) })
    case "wrap": set(try mirrored(x, before, after) { (($1 % $0) + $0) % $0 })
    default: throw unsupported("its mode is \(string("mode", ""))")
    }
  }

  private mutating func zeros(_ x: Activation, _ before: [Int], _ after: [Int]) -> Activation {
    if before.allSatisfy({ $0 == 0 }), after.allSatisfy({ $0 == 0 }) { return x }
    var shape = x.shape
    var amounts = Array(repeating: 0, count: 2 * (x.isChannelsLast ? 4 : shape.count))
    for axis in x.shape.indices {
      shape[axis] += before[axis] + after[axis]
      let stored = storedAxis(axis, of: x)
      amounts[2 * stored] = before[axis]
      amounts[2 * stored + 1] = after[axis]
    }
    let table = counts(amounts, shape: [amounts.count / 2, 2])
    return emit(.pad, [x.tensor, table], shape: shape, isChannelsLast: x.isChannelsLast)
  }

  mutating func filled(
    _ x: Activation, _ before: [Int], _ after: [Int], with value: Float
  ) throws(ONNXError) -> Activation {
    var result = x
    for axis in x.shape.indices {
      var parts: [Activation] = []
      func constant(_ extent: Int) throws(ONNXError) -> Activation {
        var shape = result.shape
        shape[axis] = extent
        return Activation(
          tensor: floats(try spread(.floats([value], []), over: shape).floats, shape), shape: shape)
      }
      if before[axis] > 0 { parts.append(try constant(before[axis])) }
      parts.append(result)
      if after[axis] > 0 { parts.append(try constant(after[axis])) }
      result = try joined(parts, axis: axis)
    }
    return result
  }

  /// Pads with elements of the input.
  /// - Parameter source: the index of the source element, by the extent and an index outside of it.
  private mutating func mirrored(
    _ x: Activation, _ before: [Int], _ after: [Int], _ source: (Int, Int) -> Int
  ) throws(ONNXError) -> Activation {
    var indices: [[Int]] = []
    for (axis, extent) in x.shape.enumerated() {
      let places = (-before[axis]..<extent + after[axis]).map { source(extent, $0) }
      guard places.allSatisfy((0..<extent).contains) else {
        throw unsupported("it pads \(x.shape) by more than there is")
      }
      indices.append(places)
    }
    return try taking(x, indices)
  }

  // MARK: Streaming

  /// The hops before a hop, in place of zero padding in a streaming network.
  private mutating func lookBack(
    _ x: Activation, _ before: [Int], _ after: [Int]
  ) throws(ONNXError) -> Activation? {
    guard options.isStreaming, after.allSatisfy({ $0 == 0 }),
      let axis = before.indices.first(where: { before[$0] > 0 }), x.shape[axis] == 1,
      before.filter({ $0 > 0 }).count == 1
    else { return nil }
    guard x.shape.count == 4, axis == 2, x.shape[0] == 1 else {
      throw unsupported("it looks back along axis \(axis) of \(x.shape)")
    }
    // One row of the state per hop, which makes it a ring buffer.
    let newest = try channelsLast(x)
    let row = Self.lastShape(x.shape)
    let count = before[axis]
    let state = remember([count] + row[1...])
    var rows: [Activation] = []
    for index in 0..<count {
      var taken = part(state.read, axis: 0, index..<index + 1)
      taken.shape = x.shape
      taken.isChannelsLast = true
      rows.append(taken)
    }
    rows.append(newest)
    var next = Activation(tensor: newest.tensor, shape: row)
    if count > 1 {
      let kept = part(state.read, axis: 0, 1..<count)
      next = try joined([kept, next], axis: 0)
    } else {
      next = reshaped(next, row)
    }
    keep(next, as: state.name)
    let whole = try joined(rows, axis: axis)
    windows[whole.tensor] = rows
    return whole
  }

  /// A new state, zero at first.
  mutating func remember(_ shape: [Int]) -> (read: Activation, name: String) {
    let name = "state_\(states.count)"
    states.append(StatePair(input: name + "_in", output: name + "_out"))
    return (enter(name + "_in", shape), name)
  }

  /// Sets the next value of a state.
  mutating func keep(_ next: Activation, as name: String) {
    graph.tensors[next.tensor].name = name + "_out"
    graph.outputs.append(next.tensor)
  }
}
