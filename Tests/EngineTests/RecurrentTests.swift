import QDEngine
import QDKernels
import QDTFLite
import Testing

/// Operators that LiteRT has no XNNPACK kernel for, or that remember.
struct RecurrentTests {
  @Test(
    arguments: [
      "operators/matrices", "recurrent/lstm_f32", "recurrent/loop_lstm_f32",
      "recurrent/loop_gru_f32", "recurrent/loop_gru_first_f32",
      "recurrent/loop_simple_f32", "recurrent/loop_bidirectional_f32",
      "recurrent/loop_stateful_f32",
    ], InstructionSet.available)
  func `matrix products, resizing, cells, loops and variables agree with LiteRT`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture(name)
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for (number, run) in fixture.runs.enumerated() {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      for (bytes, expected) in zip(outputs, run.outputs) {
        let tensor = expected.tensor
        let error = largestError(tensor.numbers(bytes), tensor.numbers(expected.bytes))
        #expect(error <= 4e-6, "run \(number), \(tensor.name)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a cell in dynamic range is as near to its float form as LiteRT's`(
    instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture("recurrent/lstm_int8")
    var graph = fixture.graph
    for index in graph.tensors.indices where graph.tensors[index].type == .int8 {
      let tensor = graph.tensors[index]
      let scale = try #require(tensor.quantization?.scales.first)
      graph.tensors[index] = Tensor(
        name: tensor.name, shape: tensor.shape,
        values: tensor.numbers(try #require(tensor.data)).map { $0 * scale })
    }
    var exact = try Network(graph, instructionSet: instructionSet)
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    #expect(network.stepNames.contains("qd8 gemm"))
    var (ours, theirs) = (Float(0), Float(0))
    for run in fixture.runs {
      let output = run.outputs[0]
      let truth = output.tensor.numbers(try exact.run(bytes: run.inputs, reading: ["y"])[0])
      let values = output.tensor.numbers(try network.run(bytes: run.inputs, reading: ["y"])[0])
      for (index, expected) in output.tensor.numbers(output.bytes).enumerated() {
        ours += (values[index] - truth[index]) * (values[index] - truth[index])
        theirs += (expected - truth[index]) * (expected - truth[index])
      }
    }
    #expect(ours <= 1.05 * theirs, "\(ours) and \(theirs)")
  }

  @Test(arguments: GoldenTests.fusing)
  func `weights of 4 bits equal LiteRT bit for bit`(instructionSet: InstructionSet) throws {
    let fixture = try IntegerFixture("operators/fc_int4")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for run in fixture.runs {
      #expect(try network.run(bytes: run.inputs, reading: ["y"]) == run.outputs.map(\.bytes))
    }
  }

  /// Large enough for its weights to stay two to a byte, but for those of a convolution of 12 pixels.
  /// Only the fully connected layer is XNNPACK's in LiteRT.
  @Test(arguments: InstructionSet.available)
  func `two weights in a byte change no bit of a network`(instructionSet: InstructionSet) throws {
    let fixture = try IntegerFixture("networks/net_int4")
    var graph = fixture.graph
    let packed = graph.tensors.indices.filter { graph.tensors[$0].isPackedInFile }
    #expect(packed.count == 3)
    for tensor in packed { graph.tensors[tensor].isPackedInFile = false }
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    var plain = try Network(graph, instructionSet: instructionSet)
    for run in fixture.runs {
      let names = run.outputs.map(\.tensor.name)
      let outputs = try network.run(bytes: run.inputs, reading: names)
      #expect(try plain.run(bytes: run.inputs, reading: names) == outputs)
      if GoldenTests.fusing.contains(instructionSet) {
        #expect(outputs[0] == run.outputs[0].bytes)
      }
    }
  }

  @Test(arguments: GoldenTests.fusing)
  func `products with constant int8 matrices equal LiteRT bit for bit`(
    instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture("operators/matrices_int8")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    #expect(network.stepNames.contains("qd8 gemm"))
    #expect(!network.stepNames.contains("batch product"))
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      #expect(outputs == run.outputs.map(\.bytes))
    }
  }

  @Test(arguments: GoldenTests.fusing)
  func `a loop in dynamic range agrees with LiteRT`(instructionSet: InstructionSet) throws {
    let fixture = try IntegerFixture("recurrent/loop_lstm_dynamic")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    #expect(network.stepNames.contains("qd8 gemm"))
    for run in fixture.runs {
      let (tensor, expected) = run.outputs[0]
      let values = try network.run(bytes: run.inputs, reading: [tensor.name])[0]
      #expect(largestError(tensor.numbers(values), tensor.numbers(expected)) <= 4e-6)
    }
  }

  @Test func `a loop is its rounds, each with one cell, and has its weights once`() throws {
    let graph = try IntegerFixture("recurrent/loop_lstm_f32").graph
    let network = try Network(graph)
    #expect(network.stepNames.count { $0 == "LSTM cell" } == 4)
    let layers = graph.operators.filter {
      $0.kind == .fullyConnected(.none, keepsDimensions: false)
    }
    #expect(Set(layers.map { $0.inputs[1] }).count < layers.count / 2)
    // Nothing is put together: every row is computed where it belongs.
    #expect(!network.stepNames.contains("copy"))
  }

  @Test func `variables are states that nobody reaches, and stay variables in a file`() throws {
    let fixture = try IntegerFixture("recurrent/loop_stateful_f32")
    let variables = fixture.graph.variables
    #expect(variables.count == 2)
    let copy = try TFLiteFile.read(try TFLiteFile.write(fixture.graph), name: "copy")
    #expect(copy.variables.map(\.input).sorted() == variables.map(\.input).sorted())
    var network = try Network(fixture.graph)
    var other = try Network(copy)
    for variable in variables {
      #expect(throws: EngineError.self) { try network.input(named: variable.input) }
      #expect(throws: EngineError.self) { try network.output(named: variable.output) }
    }
    for run in fixture.runs {
      let names = run.outputs.map(\.tensor.name)
      #expect(
        try network.run(bytes: run.inputs, reading: names)
          == other.run(bytes: run.inputs, reading: names))
    }
  }

  @Test(arguments: ["recurrent/lstm_f32", "recurrent/loop_stateful_f32"])
  func `a cell forgets when the network is reset`(name: String) throws {
    let fixture = try IntegerFixture(name)
    var network = try Network(fixture.graph)
    let input = fixture.runs[0].inputs
    let names = fixture.runs[0].outputs.map(\.tensor.name)
    let first = try network.run(bytes: input, reading: names)
    #expect(try network.run(bytes: input, reading: names) != first)
    network.reset()
    #expect(try network.run(bytes: input, reading: names) == first)
  }
}
