/// A graph made ready to run: memory laid out, weights packed.
///
/// All of its memory is allocated by `init`. Float32 at its inputs and outputs, whatever the
/// precision inside. Thread: any one at a time.
@safe public struct Network: ~Copyable, @unchecked Sendable {
  private let name: String
  private let memory: UnsafeMutableRawPointer
  private let byteCount: Int
  private let inputs: [String: Place]
  private let outputs: [String: Place]

  /// Where a float32 tensor lies in `memory`.
  private struct Place {
    var offset: Int
    var count: Int
  }

  /// Compiles a graph.
  /// - Parameter states: outputs that become inputs of the next run; they start as zeros, live
  ///   inside the network and can no longer be reached by name.
  public init(_ graph: Graph, states: [StatePair] = []) throws(EngineError) {
    try graph.validate()
    if let (index, node) = graph.operators.enumerated().first(where: { _ in true }) {
      throw .unsupported(
        graph: graph.name, index: index, operator: "\(node.kind)",
        output: node.outputs.first.map { graph.tensors[$0].name } ?? "", reason: "no kernel")
    }
    var offset = 0
    var places: [Int: Place] = [:]
    for index in graph.inputs + graph.outputs where places[index] == nil {
      let count = graph.tensors[index].count ?? 0
      places[index] = Place(offset: offset, count: count)
      offset += (4 * count + 63) & ~63
    }
    var inputs: [String: Place] = [:]
    for index in graph.inputs { inputs[graph.tensors[index].name] = places[index] }
    var outputs: [String: Place] = [:]
    for index in graph.outputs { outputs[graph.tensors[index].name] = places[index] }
    name = graph.name
    self.inputs = inputs
    self.outputs = outputs
    byteCount = offset
    unsafe memory = .allocate(byteCount: max(64, offset), alignment: 64)
    reset()
  }

  deinit { unsafe memory.deallocate() }

  /// Where the caller writes an input before `run`; stable for the network's life.
  @unsafe public func input(named name: String) throws(EngineError)
    -> UnsafeMutableBufferPointer<Float>
  {
    guard let place = inputs[name] else {
      throw .noTensor(
        graph: self.name, name: name, kind: "input", available: inputs.keys.sorted())
    }
    return unsafe UnsafeMutableBufferPointer(
      start: (memory + place.offset).assumingMemoryBound(to: Float.self), count: place.count)
  }

  /// Where the caller reads an output after `run`; stable for the network's life.
  @unsafe public func output(named name: String) throws(EngineError)
    -> UnsafeBufferPointer<Float>
  {
    guard let place = outputs[name] else {
      throw .noTensor(
        graph: self.name, name: name, kind: "output", available: outputs.keys.sorted())
    }
    return unsafe UnsafeBufferPointer(
      start: (memory + place.offset).assumingMemoryBound(to: Float.self), count: place.count)
  }

  /// Computes the outputs and the next states. Allocates nothing.
  public mutating func run() {}

  /// Forgets the past: states are zero again.
  public mutating func reset() {
    unsafe memory.initializeMemory(as: UInt8.self, repeating: 0, count: byteCount)
  }
}
