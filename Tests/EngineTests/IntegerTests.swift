import CAllocationCount
import QDEngine
import EngineSupport
import Foundation
import QDKernels
import Seeded
import QDTFLite
import Testing

/// Full-integer networks against LiteRT, on every instruction set of this machine.
struct IntegerTests {
  static let products = [
    "fc_m1", "fc_m5", "fc_per_tensor", "fc_m24", "conv_1x1", "conv_3x3", "conv_3x3_stride2",
    "conv_3x3_dilated", "conv_1x3_batch", "conv_first", "depthwise_3x3", "depthwise_5x5_stride2",
    "depthwise_dilated", "depthwise_multiplier",
  ]

  /// Files of our own converter.
  static let converted = ["mixed", "mobile", "streaming"].flatMap { name in
    ["int8", "int8_only", "16x8", "int8_int4", "symmetric", "per_tensor"].map {
      "quantizer/quantized_\(name)_\($0)"
    }
  }.filter { !deep.map(\.name).contains($0) }

  /// Those that LiteRT runs on kernels that round otherwise, in a deep network: what may be between
  /// the two, as a share of the largest value.
  static let deep: [(name: String, share: Float)] = [
    ("quantizer/quantized_streaming_16x8", 0.0008),
    ("quantizer/quantized_streaming_int8_int4", 0.06),
  ]

  @Test(arguments: deep.indices, InstructionSet.available)
  func `deep networks with few bits stay near LiteRT`(
    index: Int, instructionSet: InstructionSet
  ) throws {
    let (name, share) = Self.deep[index]
    let fixture = try IntegerFixture(name)
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      for (bytes, expected) in zip(outputs, run.outputs) {
        let tensor = expected.tensor
        #expect(
          largestError(tensor.numbers(bytes), tensor.numbers(expected.bytes)) <= share, "\(name)")
      }
    }
  }

  @Test(arguments: products, InstructionSet.available)
  func `int8 products equal LiteRT bit for bit`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture("integers/integer_\(name)")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    #expect(network.stepNames.contains { $0.hasPrefix("qs8 ") })
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      #expect(outputs == run.outputs.map(\.bytes))
    }
  }

  @Test(arguments: InstructionSet.available)
  func `activations of float16 are as near to LiteRT as halves are`(
    instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture("operators/halves")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      for (bytes, expected) in zip(outputs, run.outputs) {
        let tensor = expected.tensor
        let error = largestError(tensor.numbers(bytes), tensor.numbers(expected.bytes))
        // LiteRT adds a convolution of halves up in halves.
        #expect(error <= (tensor.name == "convolved" ? 5e-3 : 1e-3), "\(tensor.name)")
      }
    }
    // A caller reads them as they are in the file.
    #expect(throws: EngineError.self) { _ = try network.output(named: "written") }
    #expect(try network.outputBytes(named: "written").count == 2 * 3 * 48)
  }

  @Test(arguments: InstructionSet.available)
  func `images of int16 in other sizes equal LiteRT bit for bit`(
    instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture("integers/wide_images")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      for (bytes, expected) in zip(outputs, run.outputs) {
        #expect(bytes == expected.bytes, "\(expected.tensor.name) of \(expected.tensor.shape)")
      }
    }
  }

  /// Where LiteRT's tables are up to 1,883 steps from it.
  @Test(arguments: [(2, 0.01), (10, 0.001), (100, 0.001), (1000, 0.01)])
  func `a softmax of int16 is the exact value, rounded`(columns: Int, scale: Double) throws {
    var graph = Graph(
      name: "softmax",
      tensors: [
        Tensor(
          name: "x", shape: [8, columns], type: .int16,
          quantization: Quantization(scales: [Float(scale)], zeroPoints: [0], axis: 0)),
        Tensor(
          name: "y", shape: [8, columns], type: .int16,
          quantization: Quantization(scales: [0x1p-15], zeroPoints: [0], axis: 0)),
      ])
    graph.operators = [Operator(.softmax(beta: 1), inputs: [0], outputs: [1])]
    (graph.inputs, graph.outputs) = ([0], [1])
    var network = try Network(graph)
    var random = SeededGenerator(seed: 11)
    let x = (0..<8 * columns).map { _ in Int16.random(in: -3000...3000, using: &random) }
    _ = try network.input(named: "x", as: Int16.self).update(fromContentsOf: x)
    network.run()
    let y = Array(try network.output(named: "y", as: Int16.self))
    var wrong = 0
    for row in 0..<8 {
      let powers = x[row * columns..<(row + 1) * columns].map {
        exp(Double($0) * Double(Float(scale)))
      }
      let sum = powers.reduce(0, +)
      for (column, power) in powers.enumerated() {
        let exact = min((power / sum * 32768).rounded(), 32767)
        let error = abs(Double(y[row * columns + column]) - exact)
        #expect(error <= 1)
        wrong += error == 0 ? 0 : 1
      }
    }
    // The exact value may lie between two integers.
    #expect(wrong <= 8 * columns / 500)
  }

  @Test(arguments: InstructionSet.available)
  func `squares, matrix products, means and larger images of bytes equal LiteRT bit for bit`(
    instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture("integers/integer_sums")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    #expect(network.stepNames.count { $0 == "quantize sums" } == 2)
    #expect(network.stepNames.count { $0 == "qs8 binary" } == 3)
    #expect(network.stepNames.count { $0 == "dequantize" } == 4)
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      for (bytes, expected) in zip(outputs, run.outputs) {
        #expect(bytes == expected.bytes, "\(expected.tensor.name)")
      }
    }
  }

  @Test(
    arguments: [
      "fc_m1", "fc_m5", "fc_per_tensor", "fc_m24", "conv_1x1", "conv_3x3", "conv_3x3_stride2",
      "conv_3x3_dilated", "conv_1x3_batch", "conv_first", "depthwise_3x3",
      "depthwise_5x5_stride2", "depthwise_dilated", "depthwise_multiplier",
    ], InstructionSet.available)
  func `products of int16 equal LiteRT bit for bit`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture("integers/wide_\(name)")
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    #expect(network.stepNames.contains { $0.hasPrefix("qs16 ") })
    #expect(!network.stepNames.contains("dequantize"))
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      #expect(outputs == run.outputs.map(\.bytes))
    }
  }

  @Test(
    arguments: [
      "integers/integer_elementwise", "integers/integer_shapes", "networks/net_mobile_int8",
      "networks/net_mobile_int8_io",
      "networks/net_mobile_uint8_io", "networks/net_mobile_16x8", "networks/net_mixed_int8",
      "networks/net_mixed_int8_io",
      "networks/net_mixed_uint8_io", "networks/net_mixed_16x8", "networks/net_fc_int8",
      "networks/net_fc_int8_io", "networks/net_fc_uint8_io",
      "networks/net_fc_16x8",
    ] + converted, InstructionSet.available)
  func `integer networks are within one step of LiteRT`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture(name)
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      for (bytes, expected) in zip(outputs, run.outputs) {
        let step = try #require(fixture.step(expected.tensor))
        let pairs = zip(
          expected.tensor.numbers(bytes), expected.tensor.numbers(expected.bytes))
        #expect(
          pairs.allSatisfy { abs($0 - $1) <= 1.01 * step }, "\(expected.tensor.name)")
      }
    }
  }

  @Test(
    arguments: ["mobile", "mixed", "fc"].flatMap { name in
      ["f32", "f16", "dynamic"].map { "networks/net_\(name)_\($0)" }
    }, InstructionSet.available)
  func `float and dynamic range networks of the converter agree with LiteRT`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let fixture = try IntegerFixture(name)
    var network = try Network(fixture.graph, instructionSet: instructionSet)
    let hasF16 = network.stepNames.contains("f16 gemm")
    #expect(hasF16 == (name.hasSuffix("f16") && instructionSet.hasF16GEMM))
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: run.outputs.map(\.tensor.name))
      for (bytes, expected) in zip(outputs, run.outputs) {
        let tensor = expected.tensor
        let error = largestError(tensor.numbers(bytes), tensor.numbers(expected.bytes))
        #expect(error <= (hasF16 ? 2e-3 : 1e-6))
      }
    }
  }

  @Test func `fake quantization in a file rounds as LiteRT does`() throws {
    let fixture = try IntegerFixture("quantizer/fake_quantization")
    #expect(fixture.graph.operators.count { $0.kind == .quantize } == 3)
    var network = try Network(fixture.graph)
    for run in fixture.runs {
      let outputs = try network.run(bytes: run.inputs, reading: ["y"])
      let expected = run.outputs[0]
      let tensor = expected.tensor
      #expect(largestError(tensor.numbers(outputs[0]), tensor.numbers(expected.bytes)) <= 1e-6)
    }
  }

  @Test func `an int8 network stays in int8 from end to end`() throws {
    let network = try Network(try IntegerFixture("networks/net_mobile_int8_io").graph)
    // The mean of the last pool is the only thing that goes through floats.
    #expect(network.stepNames.count { $0 == "dequantize" } == 1)
    #expect(network.stepNames.count { $0 == "quantize" } == 1)
    #expect(!network.stepNames.contains { $0.contains("f32 gemm") })
  }

  @Test(arguments: [
    "networks/net_mobile_int8_io", "networks/net_mixed_16x8", "integers/wide_conv_first",
    "integers/integer_elementwise",
  ])
  func `an integer run allocates nothing`(name: String) throws {
    var network = try Network(try IntegerFixture(name).graph)
    network.run()
    let before = allocation_count()
    for _ in 0..<50 { network.run() }
    #expect(allocation_count() == before)
  }

  @Test func `a network of integers can have float edges and states, and allocates nothing`() throws
  {
    let file = try IntegerFixture("quantizer/quantized_streaming_int8_only").graph
    let graph = file.withFloatEdges()
    let names = file.inputs.map { file.tensors[$0].name }
    #expect(file.inputs.allSatisfy { file.tensors[$0].type == .int8 })
    #expect(graph.inputs.map { graph.tensors[$0].name } == names)
    let states = names.filter { $0.hasSuffix("_in") }
      .map { StatePair(input: $0, output: $0.dropLast(2) + "out") }
    #expect(!states.isEmpty)
    var network = try Network(graph, states: states)
    let fed = try #require(names.first { !$0.hasSuffix("_in") })
    let input = try network.input(named: fed)
    for index in 0..<input.count { input[index] = sin(Float(index)) }
    network.run()
    let before = allocation_count()
    for _ in 0..<50 { network.run() }
    #expect(allocation_count() == before)
    for index in graph.outputs
    where !states.contains(where: { $0.output == graph.tensors[index].name }) {
      let output = try network.output(named: graph.tensors[index].name)
      #expect(output.contains { $0 != 0 })
    }
  }

  @Test func `floats cannot be read from an integer input or output`() throws {
    let graph = try IntegerFixture("integers/integer_fc_m1").graph
    let network = try Network(graph)
    #expect(
      throws: EngineError.notFloat(
        graph: "integers/integer_fc_m1", name: "x", kind: "input", type: .int8)
    ) { _ = try network.input(named: "x") }
    #expect(throws: EngineError.self) { _ = try network.output(named: "y") }
  }
}

/// The one table of operators.
struct OperatorPropertiesTests {
  @Test func `docs-engine.md has the table as it is`() throws {
    let page = ModelFixture.folder.appending(path: "../../docs/engine.md")
    let text = try String(contentsOf: page, encoding: .utf8)
    #expect(
      text.contains("\n\(OperatorProperties.markdown)"),
      "put this into docs/engine.md:\n\(OperatorProperties.markdown)")
  }

  @Test func `rows are in order, and no code stands twice`() {
    let names = OperatorProperties.all.map(\.name)
    #expect(names == names.sorted())
    #expect(Set(OperatorProperties.all.map(\.code)).count == names.count)
  }

  @Test func `every operator that a graph can name has its row`() {
    let window = Window(padding: .same)
    let kinds: [OperatorKind] =
      BinaryFunction.allCases.map { .binary($0, .none) } + UnaryFunction.allCases.map { .unary($0) }
      + [
        .fullyConnected(.none, keepsDimensions: false), .convolution(window, .none),
        .depthwiseConvolution(window, multiplier: 1, .none),
        .transposeConvolution(window, .none), .leakyReLU(alpha: 0), .prelu, .softmax(beta: 1),
        .concatenation(axis: 0, .none), .slice, .stridedSlice(StridedSliceMasks()),
        .split(count: 1), .pack(axis: 0, count: 1), .unpack(axis: 0, count: 1), .reshape,
        .squeeze(dimensions: []), .expandDimensions, .transpose, .pad,
        .mean(keepsDimensions: false), .averagePool(window, height: 1, width: 1, .none),
        .maxPool(window, height: 1, width: 1, .none),
        .batchMatMul(adjointX: false, adjointY: false), .quantize, .dequantize, .cast,
        .resize(Resizing(isLinear: true)), .resize(Resizing(isLinear: false)),
        .lstm(LSTM(isTimeMajor: false)),
      ]
    #expect(Set(kinds.map(\.name)).isSubset(of: OperatorProperties.all.map(\.name)))
    for row in OperatorProperties.all {
      let kind = row.read(OptionFields())
      #expect(kind?.name == row.name && kind.map(row.write) != nil)
    }
  }
}
