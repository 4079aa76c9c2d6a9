internal import Kernels

extension Planner {
  /// Appends the steps of one operator.
  mutating func lower(_ index: Int) throws(EngineError) {
    let node = graph.operators[index]
    if let register = registerRows[index] {
      let value = try value(of: register.row)
      if value != register.destination {
        try emitCopy(value, register.destination, bytes: byteCount(register.row))
      }
      return
    }
    if let cell = cells[index] { return try lower(cell, index) }
    if let mix = mixes[index] { return try lowerMix(index, mix) }
    if case .custom(let name, let options) = node.kind {
      try checkTypes(index)
      view = .floats
      defer { view = .native }
      try lowerCustom(index, name, options)
      return try quantizeOutputs(of: index)
    }
    guard let row = node.kind.knownProperties else { throw unsupported(index) }
    if try fold(index) { return }
    try checkTypes(index)
    view = view(of: index)
    defer { view = .native }
    try row.lower(&self, index, node.kind)
    try quantizeOutputs(of: index)
  }

  /// Computes DEQUANTIZE, CAST and the RESHAPE family on constants now.
  private mutating func fold(_ index: Int) throws(EngineError) -> Bool {
    let node = graph.operators[index]
    switch node.kind {
    case .dequantize, .cast, .reshape, .squeeze, .expandDimensions: break
    default: return false
    }
    let input = try self.input(index, 0)
    guard graph.tensors[input].isConstant || folded[input] != nil else { return false }
    let output = try self.output(index)
    if node.kind != .dequantize, graph.tensors[output].type != .float32 { return false }
    if infersShapes { try requireShape(output, try reshaped(index, shape(input)), index) }
    let values = try floats(input)
    guard graph.tensors[output].type == .float32, graph.tensors[output].count == values.count else {
      throw invalid(index, "its output does not have the shape of its input, or is not float32")
    }
    folded[output] = values
    return true
  }

  /// Everything that is computed is float32 or quantized, and of a rank that `Nest` can walk.
  private func checkTypes(_ index: Int) throws(EngineError) {
    let node = graph.operators[index]
    for tensor in node.inputs.compactMap({ $0 }) + node.outputs {
      let value = graph.tensors[tensor]
      guard
        value.isConstant || value.type == .float32 || isQuantized(tensor)
          || (isPlain(tensor) && node.kind.types == .any)
      else {
        throw unsupported(index, "it does not compute '\(value.name)' of type \(value.type)")
      }
      if !value.isConstant, isQuantized(tensor) { _ = try integerForm(tensor) }
      guard value.shape.count <= Nest.maximumRank else {
        throw unsupported(index, "'\(value.name)' has \(value.shape.count) dimensions")
      }
      guard value.shape.allSatisfy({ $0 > 0 }) || (value.isConstant && isPlain(tensor)) else {
        throw unsupported(index, "'\(value.name)' has the shape \(value.shape)")
      }
    }
    guard node.kind.integers == .moves, let output = node.outputs.first else { return }
    let type = graph.tensors[output].type
    let moved = node.inputs.indices.filter { node.kind.moves($0) }.compactMap { node.inputs[$0] }
    for tensor in moved + node.outputs {
      guard graph.tensors[tensor].type == type else {
        throw unsupported(
          index, "'\(graph.tensors[tensor].name)' is \(graph.tensors[tensor].type), not \(type)")
      }
    }
  }

  // MARK: Operands

  func input(_ index: Int, _ position: Int) throws(EngineError) -> Int {
    guard let tensor = optionalInput(index, position) else {
      throw invalid(index, "input \(position) is missing")
    }
    return tensor
  }

  func optionalInput(_ index: Int, _ position: Int) -> Int? {
    let inputs = graph.operators[index].inputs
    return position < inputs.count ? inputs[position] : nil
  }

  func output(_ index: Int) throws(EngineError) -> Int {
    let outputs = graph.operators[index].outputs
    guard outputs.count == 1 else { throw invalid(index, "it has \(outputs.count) outputs") }
    return outputs[0]
  }

  func shape(_ tensor: Int) -> [Int] { graph.tensors[tensor].shape }

  /// `axis` as an index from the front; negative ones count from the back.
  func normalized(_ axis: Int, rank: Int, _ index: Int) throws(EngineError) -> Int {
    let result = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(result) else { throw invalid(index, "there is no axis \(axis)") }
    return result
  }

  // MARK: Copies

  mutating func emitCopy(_ source: Value, _ destination: Value, bytes: Int) throws(EngineError) {
    emit(
      .copy(
        Step.Copy(
          source: address(source), destination: address(destination),
          nest: Nest(extents: [], a: [], b: [], y: []), rows: Nest.Dimension(), block: bytes)),
      touching: [source.storage, destination.storage])
  }

  /// Copies elements of `size` bytes; strides are in bytes.
  mutating func emitCopy(
    _ source: Address, _ destination: Address, extents: [Int], from: [Int], to: [Int],
    elementSize: Int = 4
  ) {
    var nest = Nest(extents: extents, a: from, b: from.map { _ in 0 }, y: to)
    var block = elementSize
    if elementSize == 4, let transpose = nest.transposition(source, destination) {
      return emit(
        .transpose(transpose), touching: [Int(source.storage), Int(destination.storage)])
    }
    let inner = nest.removeInnermost()
    if inner.a == elementSize, inner.y == elementSize {
      block *= inner.extent
    } else {
      nest = Nest(extents: extents, a: from, b: from.map { _ in 0 }, y: to)
    }
    let rows = nest.removeInnermost()
    emit(
      .copy(
        Step.Copy(
          source: source, destination: destination, nest: nest, rows: rows, block: block)),
      touching: [Int(source.storage), Int(destination.storage)])
  }
}
