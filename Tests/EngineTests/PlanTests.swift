import QDEngine
import EngineSupport
import QDKernels
import QDTFLite
import Testing

/// What the planner saves, seen in the steps that are left.
struct PlanTests {
  private func count(_ graph: Graph, _ states: [StatePair] = []) throws -> [String: Int] {
    let network = try Network(graph, states: states)
    return network.stepNames.reduce(into: [:]) { $0[$1, default: 0] += 1 }
  }

  @Test func `a shift register is a ring: no row is copied, none is put together`() throws {
    let graph = try Fixture("denoisers/streaming_int8").graph
    let steps = try count(graph, streamingStates(graph))
    #expect(steps["copy"] == nil)
    // The features of the float convolution.
    #expect(steps["pad image"] == 1)
    #expect(steps["quantize rows"] == 9)
    #expect(steps["qd8 gemm"] == 9)
    // Carried by hand, rows are shifted and outputs written.
    #expect(try count(graph)["copy", default: 0] > 0)
  }

  @Test func `clamps are part of the product before them`() throws {
    let graph = try Fixture("denoisers/streaming_int8").graph
    // Three RELU of their own and one LOGISTIC: only that is left.
    #expect(graph.operators.count { $0.kind == .unary(.relu) } == 3)
    #expect(try count(graph, streamingStates(graph))["unary"] == 1)
  }

  @Test func `a tensor that feeds several products is quantized once`() throws {
    var graph = try Fixture("operators/fc_m24_int8").graph
    for index in 0..<3 {
      var tensor = graph.tensors[graph.outputs[0]]
      tensor.name = "again\(index)"
      graph.tensors.append(tensor)
      var node = graph.operators[0]
      node.outputs = [graph.tensors.count - 1]
      graph.operators.append(node)
      graph.outputs.append(graph.tensors.count - 1)
    }
    #expect(try count(graph) == ["quantize rows": 1, "qd8 gemm": 4])
  }

  @Test(arguments: InstructionSet.available)
  func `a layer across rows is one product where they lie, with the bits of three operators`(
    instructionSet: InstructionSet
  ) throws {
    let (rows, columns, outputs) = (5, 19, 7)
    var graph = Graph(name: "mix")
    func tensor(_ name: String, _ shape: [Int]) -> Int {
      graph.tensors.append(Tensor(name: name, shape: shape, type: .float32))
      return graph.tensors.count - 1
    }
    let x = tensor("x", [2, rows, columns])
    let turned = tensor("turned", [2, columns, rows])
    let layer = tensor("layer", [2, columns, outputs])
    let y = tensor("y", [2, outputs, columns])
    graph.tensors.append(Tensor(name: "order", shape: [3], integers: [0, 2, 1]))
    let order = graph.tensors.count - 1
    let values = (0..<outputs * rows).map { Float($0 * 37 % 23) / 7 - 1.3 }
    graph.tensors.append(Tensor(name: "weights", shape: [outputs, rows], values: values))
    graph.inputs = [x]
    graph.outputs = [y]
    graph.operators = [
      Operator(.transpose, inputs: [x, order], outputs: [turned]),
      Operator(
        .fullyConnected(.none, keepsDimensions: true), inputs: [turned, order + 1],
        outputs: [layer]),
      Operator(.transpose, inputs: [layer, order], outputs: [y]),
    ]
    var open = graph
    open.outputs.append(layer)
    var fused = try Network(graph, instructionSet: instructionSet)
    var plain = try Network(open, instructionSet: instructionSet)
    #expect(fused.stepNames == ["batch product"])
    #expect(plain.stepNames.count == 3)
    let input = (0..<2 * rows * columns).map { Float($0 * 29 % 41) / 9 - 2 }
    #expect(
      try fused.run([("x", input)], reading: ["y"]) == plain.run([("x", input)], reading: ["y"]))
  }

  @Test(arguments: InstructionSet.available)
  func `what is made of a byte and a function of it is one table, with the bits of two operators`(
    instructionSet: InstructionSet
  ) throws {
    for function in [BinaryFunction.multiply, .subtract] {
      var graph = Graph(name: "swish")
      func tensor(_ name: String, _ quantization: (Float, Int64)?) -> Int {
        graph.tensors.append(
          Tensor(
            name: name, shape: [256], type: quantization == nil ? .float32 : .int8,
            quantization: quantization.map {
              Quantization(scales: [$0.0], zeroPoints: [$0.1], axis: 0)
            }))
        return graph.tensors.count - 1
      }
      let x = tensor("x", nil)
      let byte = tensor("byte", (0.05, -9))
      let image = tensor("image", (1 / 256, -128))
      let result = tensor("result", (0.04, -60))
      let y = tensor("y", nil)
      graph.inputs = [x]
      graph.outputs = [y]
      graph.operators = [
        Operator(.quantize, inputs: [x], outputs: [byte]),
        Operator(.unary(.logistic), inputs: [byte], outputs: [image]),
        Operator(.binary(function, .none), inputs: [image, byte], outputs: [result]),
        Operator(.dequantize, inputs: [result], outputs: [y]),
      ]
      var open = graph
      open.outputs.append(image)
      var fused = try Network(graph, instructionSet: instructionSet)
      var plain = try Network(open, instructionSet: instructionSet)
      #expect(fused.stepNames == ["quantize", "look up", "dequantize"])
      #expect(plain.stepNames.contains("qs8 binary"))
      let input = (0..<256).map { Float($0 - 119) * 0.05 }
      let values = try fused.run([("x", input)], reading: ["y"])
      #expect(values == (try plain.run([("x", input)], reading: ["y"])))
      #expect(Set(values[0]).count > 50)
    }
  }

  @Test(arguments: ["recurrent/gru_int8", "recurrent/gru_sliced_int8"])
  func `a gated cell is two products and one step`(name: String) throws {
    let graph = try Fixture(name).graph
    // Two cells of two operands each; the lower cell's new state is quantized twice, for the two
    // cells, but as an input of the next run it is another tensor. The last product is float.
    let expected = [
      "quantize rows": 4, "qd8 gemm": 4, "GRU cell": 2, "binary": 1,
      "f32 gemm": 1,
    ]
    #expect(try count(graph, streamingStates(graph)) == expected)
  }

  @Test func `a memory cell is two products, or one, and one step`() throws {
    // Three cells; the last product is float. The operands of the last cell are never put together.
    let expected = [
      "quantize rows": 5, "qd8 gemm": 5, "LSTM cell": 3, "binary": 1, "f32 gemm": 1,
    ]
    let graph = try Fixture("recurrent/lstm_cells_int8").graph
    #expect(try count(graph, streamingStates(graph)) == expected)
  }

  @Test func `a unit whose reset gate comes first is three products and two steps`() throws {
    let expected = ["quantize rows": 3, "qd8 gemm": 3, "GRU gates": 2, "unary": 1]
    let graph = try Fixture("recurrent/gru_reset_first_int8").graph
    #expect(try count(graph, streamingStates(graph)) == expected)
  }

  @Test func `a cell writes over its state where nobody reads the old one later`() throws {
    let graph = try Fixture("recurrent/gru_f32").graph
    func arena(_ graph: Graph) throws -> Int {
      try Network(graph, states: streamingStates(graph)).arenaByteCount
    }
    // Who reads the old state of the upper cell late.
    let late = try #require(graph.operators.last { $0.kind == .binary(.subtract, .none) })
    var early = graph
    early.operators.removeAll { $0 == late }
    early.outputs.removeAll { $0 == late.outputs[0] }
    let state = (4 * 5 * 17 + 63) / 64 * 64
    #expect(try arena(early) + state <= arena(graph))
  }

  @Test(arguments: [
    "recurrent/gru_f32", "recurrent/gru_int8", "recurrent/gru_reset_first_f32",
    "recurrent/gru_reset_first_int8", "recurrent/lstm_cells_f32",
    "recurrent/lstm_cells_int8",
  ])
  func `a cell whose inside is read is no step, and gives the same bits`(name: String) throws {
    let fixture = try Fixture(name)
    let states = streamingStates(fixture.graph)
    let golden = try Fixture(name, states: states)
    var open = fixture.graph
    for node in open.operators {
      switch node.kind {
      case .unary(.tanh), .unary(.logistic): open.outputs += node.outputs
      default: continue
      }
    }
    open.outputs = Set(open.outputs).sorted()
    for instructionSet in InstructionSet.available {
      var fused = try Network(fixture.graph, states: states, instructionSet: instructionSet)
      var plain = try Network(open, states: states, instructionSet: instructionSet)
      #expect(
        Set(plain.stepNames).isDisjoint(with: ["GRU cell", "LSTM cell", "GRU gates"]))
      for run in golden.runs {
        let names = run.outputs.map(\.name)
        #expect(
          try fused.run(run.inputs, reading: names) == plain.run(run.inputs, reading: names))
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a convolution of three channels puts no patches together, and equals one of four`(
    instructionSet: InstructionSet
  ) throws {
    // The fourth channel is 0, as are its weights: the products of groups that need no padding.
    func network(channels: Int) throws -> Network {
      var weights: [UInt8] = []
      for index in 0..<5 * 9 * channels {
        let (pixel, channel) = index.quotientAndRemainder(dividingBy: channels)
        let weight = (pixel * 3 + channel) * 91 % 255 - 127
        weights.append(channel == 3 ? 0 : UInt8(truncatingIfNeeded: weight))
      }
      var graph = Graph(name: "first")
      graph.tensors = [
        Tensor(name: "x", shape: [1, 9, 11, channels], type: .float32),
        Tensor(
          name: "weights", shape: [5, 3, 3, channels], type: .int8,
          quantization: Quantization(scales: [0.02], zeroPoints: [0], axis: 0), data: weights),
        Tensor(name: "y", shape: [1, 9, 11, 5], type: .float32),
      ]
      graph.inputs = [0]
      graph.outputs = [2]
      graph.operators = [
        Operator(.convolution(Window(padding: .same), .none), inputs: [0, 1], outputs: [2])
      ]
      return try Network(graph, instructionSet: instructionSet)
    }
    var three = try network(channels: 3)
    var four = try network(channels: 4)
    #expect(three.stepNames == ["quantize image", "qd8 gemm"])
    var (image, wider): ([Float], [Float]) = ([], [])
    for index in 0..<3 * 99 {
      let value = Float(index * 53 % 97) / 9 - 4
      image.append(value)
      wider.append(value)
      if index % 3 == 2 { wider.append(0) }
    }
    let outputs = try three.run([("x", image)], reading: ["y"])
    let same = try four.run([("x", wider)], reading: ["y"])
    #expect(same == outputs)
    #expect(outputs[0].contains { $0 != 0 })
  }

  @Test func `reshapes and whole slices are views, and parts are computed in place`() throws {
    var graph = Graph(name: "views")
    func tensor(_ name: String, _ shape: [Int]) -> Int {
      graph.tensors.append(Tensor(name: name, shape: shape, type: .float32))
      return graph.tensors.count - 1
    }
    func constant(_ values: [Int32]) -> Int {
      graph.tensors.append(Tensor(name: "", shape: [values.count], integers: values))
      return graph.tensors.count - 1
    }
    let x = tensor("x", [4, 6])
    let top = tensor("top", [2, 6])
    let bottom = tensor("bottom", [2, 6])
    let flat = tensor("flat", [12])
    let square = tensor("square", [12])
    let back = tensor("back", [2, 6])
    let half = tensor("half", [2, 6])
    let y = tensor("y", [4, 6])
    graph.inputs = [x]
    graph.outputs = [y]
    let size = constant([2, 6])
    graph.operators = [
      Operator(.slice, inputs: [x, constant([0, 0]), size], outputs: [top]),
      Operator(.slice, inputs: [x, constant([2, 0]), size], outputs: [bottom]),
      Operator(.reshape, inputs: [top], outputs: [flat]),
      Operator(.unary(.square), inputs: [flat], outputs: [square]),
      Operator(.reshape, inputs: [square], outputs: [back]),
      Operator(.unary(.negate), inputs: [bottom], outputs: [half]),
      Operator(.concatenation(axis: 0, .none), inputs: [half, back], outputs: [y]),
    ]
    #expect(try count(graph) == ["unary": 2])
    var network = try Network(graph)
    let outputs = try network.run([("x", (0..<24).map(Float.init))], reading: ["y"])
    let expected = (12..<24).map { -Float($0) } + (0..<12).map { Float($0 * $0) }
    #expect(outputs == [expected])
  }
}
