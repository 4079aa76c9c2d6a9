import CAllocationCount
import QDEngine
import EngineSupport
import QDKernels
import Seeded
import QDTFLite
import Testing

/// Steps that several threads share.
struct ThreadTests {
  @Test(arguments: try ModelFixture.names, InstructionSet.available)
  func `results have the same bits with any number of threads`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let graph = try TFLiteFile.read(try ModelFixture.bytes(name), name: name)
    var expected: [[UInt8]]?
    for threads in 1...4 {
      var network = try Network(
        graph, instructionSet: instructionSet, threads: threads, leastSharedWork: 0)
      var random = SeededGenerator(seed: 7)
      var results: [[UInt8]] = []
      for _ in 0..<3 {
        for place in 0..<network.inputCount {
          let tensor = graph.tensors[graph.callerInputs[place]]
          fill(network.inputBytes(at: place), tensor.type, &random)
        }
        network.run()
        results += (0..<network.outputCount).map { Array(network.outputBytes(at: $0)) }
      }
      if threads == 1 { expected = results }
      #expect(results == expected, "\(threads) threads")
    }
  }

  private func fill(
    _ bytes: UnsafeMutableRawBufferPointer, _ type: ElementType, _ random: inout SeededGenerator
  ) {
    if type == .float32 {
      for index in bytes.bindMemory(to: Float.self).indices {
        bytes.storeBytes(
          of: Float.random(in: -1...1, using: &random), toByteOffset: 4 * index, as: Float.self)
      }
    } else {
      for index in bytes.indices { bytes[index] = .random(in: 0...63, using: &random) }
    }
  }

  /// [rows, inputs] times as many weights.
  private func product(rows: Int, inputs: Int, outputs: Int) -> Graph {
    var random = SeededGenerator(seed: 3)
    var graph = Graph(
      name: "product",
      tensors: [
        Tensor(name: "x", shape: [rows, inputs], type: .float32),
        Tensor(
          name: "w", shape: [outputs, inputs], type: .float32,
          data: (0..<inputs * outputs).flatMap { _ in
            Float.random(in: -1...1, using: &random).bytes
          }),
        Tensor(name: "y", shape: [rows, outputs], type: .float32),
      ])
    graph.operators = [
      Operator(.fullyConnected(.none, keepsDimensions: false), inputs: [0, 1], outputs: [2])
    ]
    (graph.inputs, graph.outputs) = ([0], [2])
    return graph
  }

  @Test(arguments: [(1, 2000, 3001), (700, 64, 130), (48, 512, 1000)])
  func `large layers are shared, along their rows or their outputs`(
    rows: Int, inputs: Int, outputs: Int
  ) throws {
    let graph = product(rows: rows, inputs: inputs, outputs: outputs)
    var random = SeededGenerator(seed: 5)
    let x = (0..<rows * inputs).map { _ in Float.random(in: -1...1, using: &random) }
    for instructionSet in InstructionSet.available {
      var alone = try Network(graph, instructionSet: instructionSet)
      var shared = try Network(graph, instructionSet: instructionSet, threads: 3)
      #expect((alone.threads, shared.threads) == (1, 3))
      let expected = try alone.run([("x", x)], reading: ["y"])
      #expect(try shared.run([("x", x)], reading: ["y"]) == expected)
      let before = allocation_count()
      for _ in 0..<20 { shared.run() }
      #expect(allocation_count() == before)
      #expect(Array(try shared.output(named: "y")) == expected[0])
    }
  }

  @Test func `small networks make no threads`() throws {
    let graph = try Fixture("recurrent/gru_int8").graph
    #expect(try Network(graph, threads: 8).threads == 1)
  }
}

extension Float {
  /// Little-endian.
  fileprivate var bytes: [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: bitPattern >> (8 * $0)) }
  }
}
