import QDEngine
import EngineSupport
import QDKernels
import QDTFLite
import Testing

/// Networks with memory: shift registers as rings, other states as buffers that swap.
struct StreamingTests {
  @Test(arguments: InstructionSet.available)
  func `a dynamic range network with states equals LiteRT over 60 hops`(
    instructionSet: InstructionSet
  ) throws {
    try compare("denoisers/streaming_int8", instructionSet, tolerance: 2e-6)
  }

  @Test(arguments: InstructionSet.available)
  func `a float network with states agrees with LiteRT over 60 hops`(
    instructionSet: InstructionSet
  ) throws {
    try compare("denoisers/streaming_f32", instructionSet, tolerance: 1e-5)
  }

  @Test(
    arguments: [
      "recurrent/gru_f32", "recurrent/gru_sliced_f32", "recurrent/gru_reset_first_f32",
      "recurrent/lstm_cells_f32",
    ],
    InstructionSet.available)
  func `cells agree with LiteRT over 20 hops`(
    name: String, instructionSet: InstructionSet
  ) throws {
    try compare(name, instructionSet, tolerance: 2e-6)
  }

  @Test(
    arguments: [
      "recurrent/gru_int8", "recurrent/gru_sliced_int8", "recurrent/gru_reset_first_int8",
      "recurrent/lstm_cells_int8",
    ],
    GoldenTests.fusing)
  func `cells in dynamic range agree with LiteRT over 20 hops`(
    name: String, instructionSet: InstructionSet
  ) throws {
    try compare(name, instructionSet, tolerance: 2e-6)
  }

  private func compare(
    _ name: String, _ instructionSet: InstructionSet, tolerance: Float
  ) throws {
    var fixture = try Fixture(name)
    fixture = try Fixture(name, states: streamingStates(fixture.graph))
    var network = try Network(
      fixture.graph, states: fixture.states, instructionSet: instructionSet)
    for (hop, run) in fixture.runs.enumerated() {
      let outputs = try network.run(run.inputs, reading: run.outputs.map(\.name))
      for (values, expected) in zip(outputs, run.outputs) {
        #expect(
          largestError(values, expected.values) <= tolerance, "\(expected.name), hop \(hop)")
      }
    }
  }

  @Test(arguments: [
    "denoisers/streaming_int8", "denoisers/streaming_f32", "recurrent/gru_f32",
    "recurrent/gru_sliced_int8", "recurrent/gru_reset_first_f32",
    "recurrent/gru_reset_first_int8", "recurrent/lstm_cells_f32", "recurrent/lstm_cells_int8",
  ])
  func `states inside equal states carried by hand, bit for bit`(name: String) throws {
    let fixture = try Fixture(name)
    let states = streamingStates(fixture.graph)
    let golden = try Fixture(name, states: states)
    var inside = try Network(fixture.graph, states: states)
    var byHand = try Network(fixture.graph)
    var carried = try states.map { ($0.input, Array(try byHand.input(named: $0.input))) }
    for (hop, run) in (golden.runs + golden.runs).enumerated() {
      let names = run.outputs.map(\.name)
      let expected = try byHand.run(run.inputs + carried, reading: names + states.map(\.output))
      for index in states.indices { carried[index].1 = expected[names.count + index] }
      let outputs = try inside.run(run.inputs, reading: names)
      #expect(outputs == Array(expected.prefix(names.count)), "hop \(hop)")
    }
  }

  @Test func `reset forgets the past`() throws {
    let graph = try Fixture("denoisers/streaming_int8").graph
    let fixture = try Fixture("denoisers/streaming_int8", states: streamingStates(graph))
    var network = try Network(fixture.graph, states: fixture.states)
    let names = fixture.runs[0].outputs.map(\.name)
    let first = try fixture.runs.prefix(10).map { try network.run($0.inputs, reading: names) }
    network.reset()
    let second = try fixture.runs.prefix(10).map { try network.run($0.inputs, reading: names) }
    #expect(first == second)
    #expect(first[0] != first[9])
  }

  @Test func `a state is no longer reachable by name`() throws {
    let graph = try Fixture("denoisers/streaming_int8").graph
    let network = try Network(graph, states: streamingStates(graph))
    #expect(throws: EngineError.self) { try network.input(named: "state_0_in") }
    #expect(throws: EngineError.self) { try network.output(named: "state_0_out") }
  }
}
