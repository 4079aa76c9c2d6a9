/// f16 activations: f32 inside, f16 for the caller.
extension Lowering {
  /// The graph with float32 for every float16 activation, and the inputs and outputs that were
  /// float16. Intermediate tensors are thus more exact than in the file.
  static func withoutF16(_ graph: Graph) -> (graph: Graph, f16Edges: Set<Int>) {
    func isF16(_ tensor: Tensor) -> Bool { tensor.type == .float16 && !tensor.isConstant }
    guard graph.tensors.contains(where: isF16) else { return (graph, []) }
    var result = graph
    let edges = Set((graph.inputs + graph.outputs).filter { isF16(graph.tensors[$0]) })
    for index in graph.tensors.indices where isF16(graph.tensors[index]) {
      result.tensors[index].type = .float32
    }
    return (result, edges)
  }

  mutating func f16Storage(_ tensor: Int) throws(EngineError) -> Value {
    Value(
      storage: try newStorage(
        .persistent, byteCount: try checkedProduct([2, try elementCount(tensor)])))
  }

  mutating func placeF16(_ tensor: Int) throws(EngineError) {
    let place = try f16Storage(tensor)
    external[tensor] = place
    let inside = try destination(tensor, as: .stored)
    emit(
      .f16ToF32(try conversion(tensor, from: place, to: inside)),
      touching: [place.storage, inside.storage])
  }

  mutating func emitF16(
    _ tensor: Int, from inside: Value, to place: Value
  ) throws(EngineError) {
    emit(
      .f32ToF16(try conversion(tensor, from: inside, to: place)),
      touching: [inside.storage, place.storage])
  }

  private func conversion(
    _ tensor: Int, from source: Value, to destination: Value
  ) throws(EngineError) -> Step.Conversion {
    Step.Conversion(
      source: address(source), destination: address(destination), count: try elementCount(tensor))
  }
}

extension Network {
  func performF16ToF32(_ step: Step.Conversion) {
    let source = unsafe elements(Float16.self, step.source, step.count)
    let destination = unsafe floats(step.destination, step.count)
    for index in 0..<step.count { unsafe destination[index] = Float(source[index]) }
  }

  func performF32ToF16(_ step: Step.Conversion) {
    let source = unsafe floats(step.source, step.count)
    let destination = unsafe elements(Float16.self, step.destination, step.count)
    for index in 0..<step.count { unsafe destination[index] = Float16(source[index]) }
  }
}
