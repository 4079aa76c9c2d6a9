extension Lowering {
  mutating func lowerReshape(_ index: Int) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    if infersShapes { try requireShape(output, try reshaped(index, shape(input)), index) }
    guard graph.tensors[input].count == graph.tensors[output].count else {
      throw invalid(
        index, "\(shape(input)) and \(shape(output)) differ in their number of elements")
    }
    let source = try value(of: input, for: index)
    guard let destination = values[output] else {
      values[output] = source
      return
    }
    if source != destination {
      try emitCopy(source, destination, bytes: byteCount(output, for: index))
    }
  }

  /// The shape of the result of RESHAPE, SQUEEZE and EXPAND_DIMS.
  func reshaped(_ index: Int, _ shape: [Int]) throws(EngineError) -> [Int] {
    switch graph.operators[index].kind {
    case .squeeze(let dimensions):
      let dropped = Set(dimensions.map { $0 < 0 ? $0 + shape.count : $0 })
      return shape.indices.filter {
        dropped.isEmpty ? shape[$0] != 1 : !dropped.contains($0)
      }.map { shape[$0] }
    case .expandDimensions:
      guard let axis = try integers(try input(index, 1)).first else {
        throw invalid(index, "it has no axis")
      }
      var result = shape
      result.insert(1, at: try normalized(axis, rank: shape.count + 1, index))
      return result
    case .reshape:
      let old = self.shape(try output(index))
      var wanted = old
      if let tensor = optionalInput(index, 1), graph.tensors[tensor].isConstant {
        wanted = try integers(tensor)
      }
      let count = shape.reduce(1, *)
      let known = wanted.filter { $0 != -1 }.reduce(1, *)
      if let open = wanted.firstIndex(of: -1), known > 0, count.isMultiple(of: known) {
        wanted[open] = count / known
      }
      guard wanted.reduce(1, *) == count else {
        throw unsupported(index, "it makes \(wanted) of \(shape), whatever the inputs are")
      }
      return wanted
    default: return shape
    }
  }

  mutating func lowerTranspose(_ index: Int) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let order = try integers(try self.input(index, 1))
    let extents = shape(input)
    guard order.sorted() == Array(extents.indices) else {
      throw invalid(index, "\(order) is no permutation of \(extents.count) dimensions")
    }
    let result = order.map { extents[$0] }
    try requireShape(output, result, index)
    let source = try value(of: input, for: index)
    let destination = try destination(output, for: index)
    let size = elementSize(input, for: index)
    let strides = denseStrides(extents, elementSize: size)
    emitCopy(
      address(source), address(destination), extents: result, from: order.map { strides[$0] },
      to: denseStrides(result, elementSize: size), elementSize: size)
  }

  mutating func lowerPad(_ index: Int) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let padding = try integers(try self.input(index, 1))
    let extents = shape(input)
    let limit = Storage.limit
    guard padding.count == 2 * extents.count, padding.allSatisfy({ (0...limit).contains($0) })
    else { throw invalid(index, "the padding \(padding) does not fit \(extents)") }
    let result = extents.indices.map { padding[2 * $0] + extents[$0] + padding[2 * $0 + 1] }
    try requireShape(output, result, index)
    let source = try value(of: input, for: index)
    let destination = try destination(output, for: index)
    emit(
      .fill(
        address(destination), count: try byteCount(output, for: index),
        byte: try zeroByte(output, for: index)),
      touching: [destination.storage])
    let size = elementSize(input, for: index)
    let strides = denseStrides(result, elementSize: size)
    let first = extents.indices.reduce(0) { $0 + padding[2 * $1] * strides[$1] }
    emitCopy(
      address(source),
      address(Value(storage: destination.storage, offset: destination.offset + first)),
      extents: extents, from: denseStrides(extents, elementSize: size), to: strides,
      elementSize: size)
  }

  mutating func lowerConcatenation(
    _ index: Int, _ axis: Int, _ activation: Activation
  ) throws(EngineError) {
    let output = try output(index)
    guard activation == .none else { throw unsupported(index, "it has an activation") }
    let inputs = graph.operators[index].inputs.compactMap { $0 }
    guard let first = inputs.first else { throw invalid(index, "it has no parts") }
    var result = shape(first)
    let axis = try normalized(axis, rank: result.count, index)
    result[axis] = 0
    for input in inputs {
      guard shape(input).count == result.count else {
        throw wrongShape(index, "\(shape(input)) and \(shape(first)) do not go together")
      }
      result[axis] += shape(input)[axis]
      var part = shape(input)
      part[axis] = shape(first)[axis]
      guard part == shape(first) else {
        throw wrongShape(index, "\(shape(input)) and \(shape(first)) do not go together")
      }
    }
    try requireShape(output, result, index)
    if plan.elided.tensors.contains(output) { return }
    if let count = plan.segmented.parts[output] {
      let part = shape(first)
      return try emitParts(
        index, inputs.map { ($0, [1] + part) }, axis: 0, to: output, [count] + part)
    }
    try emitParts(index, inputs.map { ($0, shape($0)) }, axis: axis, to: output, result)
  }

  mutating func lowerPack(_ index: Int, _ axis: Int, _ count: Int) throws(EngineError) {
    let output = try output(index)
    let inputs = graph.operators[index].inputs.compactMap { $0 }
    guard inputs.count == count, let first = inputs.first else {
      throw invalid(index, "it packs \(inputs.count) instead of \(count)")
    }
    var part = shape(first)
    let axis = try normalized(axis, rank: part.count + 1, index)
    for input in inputs { try requireShape(input, part, index) }
    part.insert(1, at: axis)
    var result = part
    result[axis] = count
    try requireShape(output, result, index)
    try emitParts(index, inputs.map { ($0, part) }, axis: axis, to: output, result)
  }

  /// Concatenates parts along an axis; parts that were computed in place stay.
  private mutating func emitParts(
    _ index: Int, _ parts: [(tensor: Int, shape: [Int])], axis: Int, to output: Int,
    _ result: [Int]
  ) throws(EngineError) {
    let whole = try destination(output, for: index)
    let size = elementSize(output, for: index)
    let strides = denseStrides(result, elementSize: size)
    var position = 0
    for part in parts {
      let place = Value(storage: whole.storage, offset: whole.offset + position * strides[axis])
      position += part.shape[axis]
      let source = try value(of: part.tensor, inFormOf: output, for: index)
      if source == place { continue }
      emitCopy(
        address(source), address(place), extents: part.shape,
        from: denseStrides(part.shape, elementSize: size), to: strides, elementSize: size)
    }
  }
}
