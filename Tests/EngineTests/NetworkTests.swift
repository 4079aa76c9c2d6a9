import CAllocationCount
import QDEngine
import EngineSupport
import QDKernels
import QDTFLite
import Testing

struct NetworkTests {
  @Test(arguments: [
    "denoisers/streaming_int8", "denoisers/streaming_f32", "recurrent/gru_int8", "operators/shapes",
    "operators/elementwise", "operators/conv_3x3_int8",
  ])
  func `a run allocates nothing`(name: String) throws {
    let graph = try Fixture(name).graph
    var network = try Network(graph, states: streamingStates(graph))
    network.run()
    let before = allocation_count()
    for _ in 0..<100 { network.run() }
    #expect(allocation_count() == before)
  }

  @Test(arguments: [
    "denoisers/streaming_int8", "operators/fc_m24_int8", "operators/conv_1x3_int8",
    "operators/elementwise",
  ])
  func `inputs that are not finite do no harm, and the next ones are computed as ever`(
    name: String
  ) throws {
    let graph = try Fixture(name).graph
    let fixture = try Fixture(name, states: streamingStates(graph))
    for value in [Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude] {
      for instructionSet in InstructionSet.available {
        var network = try Network(
          graph, states: fixture.states, instructionSet: instructionSet)
        let first = fixture.runs[0]
        let spoiled = first.inputs.map { (name: $0.name, values: $0.values.map { _ in value }) }
        _ = try network.run(spoiled, reading: [])
        network.reset()
        let outputs = try network.run(first.inputs, reading: first.outputs.map(\.name))
        for (values, expected) in zip(outputs, first.outputs) {
          let tolerance: Float = expected.name.hasPrefix("exp_") ? 4e-6 : 1e-6
          #expect(largestError(values, expected.values) <= tolerance, "\(expected.name)")
        }
      }
    }
  }

  @Test func `a network of many operators takes little more memory than its largest tensors`()
    throws
  {
    var graph = Graph(
      name: "chain", tensors: [Tensor(name: "x", shape: [1, 4096], type: .float32)])
    graph.inputs = [0]
    for index in 1...40 {
      graph.tensors.append(Tensor(name: "t\(index)", shape: [1, 4096], type: .float32))
      graph.operators.append(
        Operator(.binary(.add, .none), inputs: [index - 1, index - 1], outputs: [index]))
    }
    graph.outputs = [40]
    var network = try Network(graph)
    #expect(network.arenaByteCount <= 4 * 4096 * 4)
    let outputs = try network.run([("x", Array(repeating: 1, count: 4096))], reading: ["t40"])
    #expect(outputs[0].allSatisfy { $0 == 0x1p40 })
  }

  @Test func `an operator that is not supported is named with its place and output`() throws {
    var graph = try Fixture("operators/fc_m1_f32").graph
    graph.name = "models/x.tflite"
    graph.operators[0].kind = .unsupported(name: "CUMSUM")
    #expect {
      _ = try Network(graph)
    } throws: { error in
      "\(error)" == "models/x.tflite: operator 0 (CUMSUM, 'y') is not supported: it is not "
        + "implemented; `denoisectl model inspect models/x.tflite` lists what is"
    }
  }

  @Test func `what is wrong with a tensor is said with what helps`() throws {
    let graph = try Fixture("operators/fc_m1_f32").graph
    func message(of change: (inout Graph) -> Void) throws -> String {
      var graph = graph
      graph.name = "x"
      change(&graph)
      return "\(try #require(throws: EngineError.self) { _ = try Network(graph) })"
    }
    let (output, weights) = (graph.outputs[0], graph.operators[0].inputs[1]!)
    let scale = Quantization(scales: [0.1], zeroPoints: [0], axis: 0)
    #expect(
      try message {
        $0.tensors[output].type = .int32
        $0.tensors[output].quantization = scale
      }
        == "x: tensor 'y' is an output of type int32, which is not supported; export the model"
        + " with this tensor as float32")
    #expect(
      try message {
        let first = $0.tensors.count
        $0.tensors.append(Tensor(name: "floats", shape: [2, 2], type: .float32))
        $0.tensors.append(Tensor(name: "sizes", shape: [2, 2], type: .int32))
        $0.tensors.append(Tensor(name: "padded", shape: [1, 100], type: .float32))
        $0.inputs.append(first)
        $0.operators.append(Operator(.cast, inputs: [first], outputs: [first + 1]))
        $0.operators.append(Operator(.pad, inputs: [output, first + 1], outputs: [first + 2]))
        $0.outputs = [first + 2]
      }
        == "x: tensor 'sizes' is computed, where only a constant is supported; export the model"
        + " with fixed shapes and its constants folded")
    let damaged = try message { $0.tensors[output].shape.append(2) }
    #expect(damaged.hasPrefix("x: the network is damaged: operator 0 (FULLY_CONNECTED)"))
    let open = try message {
      $0.tensors[output].shape.append(2)
      $0.tensors[output].shapeSignature = [1, -1]
    }
    #expect(open.hasPrefix("x: operator 0 (FULLY_CONNECTED) has open shapes ('y')"), "\(open)")
    #expect(open.hasSuffix("; export the model with fixed shapes"))
    #expect(
      try message {
        $0.tensors[weights].constant = nil
        $0.inputs.append(weights)
      }
        == "x: '\(graph.tensors[weights].name)' is an input, where only a constant is supported; export"
        + " the model with its values in it")
    #expect(
      try message {
        $0.tensors[weights].type = .int8
        $0.tensors[weights].constant = Constant(
          Array(repeating: 1, count: $0.tensors[weights].count!))
      }
        == "x: tensor '\(graph.tensors[weights].name)' is int8 without a scale, which is not"
        + " supported; use a float32, float16 or dynamic range export of the model")
  }

  @Test func `a name that is not there is answered with those that are`() throws {
    let network = try Network(try Fixture("operators/elementwise").graph)
    #expect(
      throws: EngineError.noTensor(
        graph: "operators/elementwise", name: "z", kind: "input", available: ["x", "y"])
    ) { try network.input(named: "z") }
  }

  @Test func `states that do not fit are named`() throws {
    let graph = try Fixture("denoisers/streaming_int8").graph
    let wrong = [
      StatePair(input: "features", output: "level_out"),
      StatePair(input: "nothing", output: "level_out"),
      StatePair(input: "level_in", output: "nothing"),
    ]
    for pair in wrong {
      #expect(throws: EngineError.self) { _ = try Network(graph, states: [pair]) }
    }
    let twice = Array(repeating: StatePair(input: "level_in", output: "level_out"), count: 2)
    #expect(throws: EngineError.self) { _ = try Network(graph, states: twice) }
  }
}
