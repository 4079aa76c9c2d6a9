import QDEngine
import EngineSupport
import Seeded
import QDTFLite
import Testing

struct SavedStateTests {
  @Test(arguments: ["denoisers/streaming_int8", "denoisers/streaming_f32", "recurrent/gru_f32"])
  func `a network goes on from where another one was`(name: String) throws {
    let graph = try TFLiteFile.read(try ModelFixture.bytes(name), name: name)
    let states = streamingStates(graph)
    var random = SeededGenerator(seed: 3)
    var first = try Network(graph, states: states)
    func run(_ network: inout Network, _ random: inout SeededGenerator) -> [[UInt8]] {
      for place in 0..<network.inputCount {
        let bytes = network.inputBytes(at: place)
        let values = random.floats(bytes.count / 4)
        values.withUnsafeBytes { bytes.copyMemory(from: $0) }
      }
      network.run()
      return (0..<network.outputCount).map { Array(network.outputBytes(at: $0)) }
    }
    for _ in 0..<5 { _ = run(&first, &random) }
    let saved = first.savedState()
    var again = random
    let expected = (0..<4).map { _ in run(&first, &random) }
    var second = try Network(graph, states: states)
    try second.restore(saved)
    #expect((0..<4).map { _ in run(&second, &again) } == expected)
  }

  @Test func `the state of another network is refused, and nothing changes`() throws {
    let graph = try TFLiteFile.read(
      try ModelFixture.bytes("denoisers/streaming_int8"), name: "model")
    var network = try Network(graph, states: streamingStates(graph))
    let saved = network.savedState()
    #expect(
      throws: EngineError.wrongSavedState(
        graph: "model",
        reason: "it has \(saved.count - 1) bytes, and this network's \(saved.count)")
    ) { try network.restore(Array(saved.dropLast())) }
    var far = saved
    far[0] = 200
    #expect(throws: EngineError.self) { try network.restore(far) }
    #expect(network.savedState() == saved)
  }

  @Test func `inputs and outputs are had as elements of their type, and of no other`() throws {
    let graph = try TFLiteFile.read(
      try ModelFixture.bytes("networks/net_fc_int8_io"), name: "model")
    var network = try Network(graph)
    let (input, output) = (
      graph.tensors[graph.callerInputs[0]], graph.tensors[graph.callerOutputs[0]]
    )
    let values = try network.input(named: input.name, as: Int8.self)
    #expect(values.count == input.count)
    values.update(repeating: -5)
    network.run()
    let results = try network.output(named: output.name, as: Int8.self)
    #expect(
      results.map(UInt8.init(bitPattern:)) == Array(try network.outputBytes(named: output.name)))
    #expect(
      throws: EngineError.otherType(
        graph: "model", name: input.name, kind: "input", type: .int8, wanted: .float32)
    ) { _ = try network.input(named: input.name, as: Float.self) }
  }
}
