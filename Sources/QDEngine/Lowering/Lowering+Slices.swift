extension Lowering {
  mutating func lowerSlice(_ index: Int) throws(EngineError) {
    let box = try box(of: index)
    try requireShape(try output(index), box.result, index)
    if box.steps.contains(where: { $0 < 0 }) {
      let x = try callInput(index, 0)
      var y = try callOutput(index)
      let shape = x.shape
      y.shape = box.extents
      return try emitRearrangement(index, x, y) { position in
        linear(zip(zip(box.begin, box.steps), position).map { $0.0 + $0.1 * $1 }, shape)
      }
    }
    try emitBox(index, box, from: try input(index, 0), to: try output(index))
  }

  mutating func lowerSplit(_ index: Int, _ count: Int) throws(EngineError) {
    let axes = try integers(try input(index, 0))
    let input = try input(index, 1)
    let outputs = graph.operators[index].outputs
    var extents = shape(input)
    guard axes.count == 1, count > 0, outputs.count == count else {
      throw invalid(index, "it has \(outputs.count) outputs instead of \(count)")
    }
    let axis = try normalized(axes[0], rank: extents.count, index)
    guard extents[axis].isMultiple(of: count) else {
      throw wrongShape(index, "\(extents[axis]) elements do not split into \(count) parts")
    }
    extents[axis] /= count
    for (part, output) in outputs.enumerated() {
      try requireShape(output, extents, index)
      var box = Box(begin: extents.map { _ in 0 }, steps: extents.map { _ in 1 }, extents: extents)
      box.begin[axis] = part * extents[axis]
      try emitBox(index, box, from: input, to: output)
    }
  }

  mutating func lowerUnpack(_ index: Int, _ axis: Int, _ count: Int) throws(EngineError) {
    let input = try input(index, 0)
    let outputs = graph.operators[index].outputs
    var extents = shape(input)
    let axis = try normalized(axis, rank: extents.count, index)
    guard extents[axis] == count, outputs.count == count else {
      throw invalid(index, "it unpacks \(extents[axis]) into \(outputs.count) outputs")
    }
    extents[axis] = 1
    var result = extents
    result.remove(at: axis)
    for (part, output) in outputs.enumerated() {
      try requireShape(output, result, index)
      var box = Box(begin: extents.map { _ in 0 }, steps: extents.map { _ in 1 }, extents: extents)
      box.begin[axis] = part
      try emitBox(index, box, from: input, to: output)
    }
  }

  /// A view if the box is contiguous and the output has no fixed place, else a copy.
  private mutating func emitBox(
    _ index: Int, _ box: Box, from input: Int, to output: Int
  ) throws(EngineError) {
    var source = try value(of: input, for: index)
    let strides = denseStrides(shape(input))
    let size = elementSize(input, for: index)
    source.offset += size * zip(box.begin, strides).reduce(0) { $0 + $1.0 * $1.1 }
    let from = zip(box.steps, strides).map { $0 * $1 }
    let to = denseStrides(box.extents)
    var nest = Nest(extents: box.extents, a: from, b: from.map { _ in 0 }, y: to)
    let inner = nest.removeInnermost()
    if nest.rank == 0, inner.extent == 1 || (inner.a == 1 && inner.y == 1),
      values[output] == nil, !dataflow.isOutput[output]
    {
      values[output] = source
      return
    }
    let destination = try destination(output, for: index)
    emitCopy(
      address(source), address(destination), extents: box.extents, from: from.map { size * $0 },
      to: to.map { size * $0 }, elementSize: size)
  }
}
