import QDEngine
import EngineSupport
import Foundation
import QDTFLite
import Testing

/// A model of Tests/Fixtures and what LiteRT with XNNPACK computes from it.
struct Fixture {
  var graph: Graph
  var states: [StatePair]
  /// For each run, the values of every input and output that is no state, in the model's order.
  var runs: [Run]

  struct Run {
    var inputs: [(name: String, values: [Float])] = []
    var outputs: [(name: String, values: [Float])] = []
  }

  init(_ name: String, states: [StatePair] = []) throws {
    let graph = try Self.graph(try Self.file("Fixtures/\(name).tflite"), name)
    try self.init(graph, Self.file("Fixtures/\(name).golden")[...], states)
  }

  /// One of the project's own models, over 24 hops of features.
  init(model name: String) throws {
    let model = try Self.file("../models/\(name).tflite")
    let golden = try Self.file("Fixtures/models/\(name).golden")
    let expected = golden.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    try #require(
      crc32(model) == expected,
      """
      models/\(name).tflite has changed: run `make models` and, with Python's ai-edge-litert, \
      `make -C models goldens`
      """)
    let graph = try Self.graph(model, name)
    try self.init(graph, golden.dropFirst(4), streamingStates(graph))
  }

  private static func file(_ path: String) throws -> [UInt8] {
    Array(
      try Data(contentsOf: ModelFixture.folder.deletingLastPathComponent().appending(path: path)))
  }

  private static func graph(_ model: [UInt8], _ name: String) throws -> Graph {
    try TFLiteFile.read(model, name: name)
  }

  private init(_ graph: Graph, _ content: ArraySlice<UInt8>, _ states: [StatePair]) throws {
    self.graph = graph
    self.states = states
    var golden = content
    func word() -> UInt32 {
      defer { golden = golden.dropFirst(4) }
      return golden.prefix(4).reversed().reduce(0) { $0 << 8 | UInt32($1) }
    }
    let inputs = graph.inputs.map { graph.tensors[$0] }
      .filter { tensor in !states.contains { $0.input == tensor.name } }
    let outputs = graph.outputs.map { graph.tensors[$0] }
      .filter { tensor in !states.contains { $0.output == tensor.name } }
    func values(_ tensor: Tensor) -> (String, [Float]) {
      (tensor.name, (0..<tensor.count!).map { _ in Float(bitPattern: word()) })
    }
    let count = word()
    runs = []
    for _ in 0..<count {
      let given = inputs.map(values)
      runs.append(Run(inputs: given, outputs: outputs.map(values)))
    }
  }
}

/// The checksum of zip and PNG.
func crc32(_ bytes: [UInt8]) -> UInt32 {
  ~bytes.reduce(~0) { sum, byte in
    (0..<8).reduce(sum ^ UInt32(byte)) { value, _ in value >> 1 ^ (value & 1) * 0xEDB8_8320 }
  }
}

extension Network {
  /// Writes the inputs, runs, and reads the outputs.
  mutating func run(
    _ inputs: [(name: String, values: [Float])], reading outputs: [String]
  ) throws -> [[Float]] {
    for input in inputs {
      let buffer = try self.input(named: input.name)
      precondition(buffer.count == input.values.count)
      _ = buffer.update(from: input.values)
    }
    run()
    return try outputs.map { Array(try output(named: $0)) }
  }
}

/// The largest difference of two tensors, relative to the largest expected value or 1.
func largestError(_ values: [Float], _ expected: [Float]) -> Float {
  precondition(values.count == expected.count)
  let scale = expected.reduce(1) { max($0, abs($1)) }
  // Written so that a NaN anywhere is an infinite error.
  return zip(values, expected).reduce(0) {
    let error = abs($1.0 - $1.1) / scale
    return error <= $0 ? $0 : (error.isNaN ? .infinity : error)
  }
}
