import QDEngine
import Foundation
import QDQuantizer
import QDTFLite
import Testing

/// Conversions to integers that are calibrated with data.
struct IntegerQuantizationTests {
  /// Three convolutions and what is between them, by name of the float fixture.
  static let networks = [
    "networks/net_fc_f32", "networks/net_mixed_f32", "networks/net_mobile_f32",
    "denoisers/streaming_f32",
  ]

  /// 40 to 32 to 32, with weights of full rank.
  static var network: Graph {
    var graph = ExaminationTests.network(outlier: 0.2)
    let values = graph.randomSamples(60, seed: 21, states: []).flatMap { $0["x"]! }.map { $0 * 0.2 }
    graph.tensors[1] = Tensor(name: "w1", shape: [32, 40], values: Array(values[..<1280]))
    graph.tensors[3] = Tensor(name: "w2", shape: [32, 32], values: Array(values[1280..<2304]))
    return graph
  }

  static func states(_ graph: Graph) -> [StatePair] {
    graph.inputs.map { graph.tensors[$0].name }.filter { $0.hasSuffix("_in") }
      .map { StatePair(input: $0, output: $0.dropLast(2) + "out") }
  }

  static func converted(
    _ graph: Graph, method: Calibrator.Method = .mse,
    _ change: (inout IntegerSettings) -> Void = { _ in }
  ) throws -> Graph {
    let canonical = try CanonicalGraph(graph)
    let states = states(graph)
    let calibrator = try Calibrator(canonical.graph, states: states)
    for sample in graph.randomSamples(40, seed: 7, states: states) {
      try calibrator.observe(sample)
    }
    var settings = IntegerSettings()
    change(&settings)
    return try quantize(
      canonical,
      ranges: try calibrator.ranges(method, isSymmetric: settings.activations == .symmetric),
      states: states, settings: settings)
  }

  static func signalToNoise(_ graph: Graph, _ result: Graph) throws -> Double {
    let states = states(graph)
    let samples = graph.randomSamples(60, seed: 11, states: states)
    return try Comparison(graph, result, samples: samples, states: states).worst
  }

  @Test(arguments: networks)
  func `a calibrated network stays near the float one, and 16 bits come nearer`(
    name: String
  ) throws {
    let graph = try QuantizeTests.fixture(name)
    let bytes = try Self.signalToNoise(graph, try Self.converted(graph))
    let words = try Self.signalToNoise(
      graph, try Self.converted(graph) { $0.activations = .int16 })
    #expect(bytes > 20)
    #expect(words > bytes + 2)
    let symmetric = try Self.converted(graph) { $0.activations = .symmetric }
    #expect(try Self.signalToNoise(graph, symmetric) > 17)
    #expect(
      symmetric.tensors.allSatisfy { tensor in
        tensor.type != .int8 || tensor.quantization?.scales == [1.0 / 256]
          || tensor.quantization?.zeroPoints.allSatisfy { $0 == 0 } == true
      })
  }

  @Test(arguments: networks)
  func `conversion is deterministic, byte for byte`(name: String) throws {
    let graph = try QuantizeTests.fixture(name)
    let first = try TFLiteFile.write(try Self.converted(graph))
    #expect(try TFLiteFile.write(try Self.converted(graph)) == first)
  }

  @Test(arguments: networks)
  func `the method that is chosen is among the best on what it has not seen`(name: String) throws {
    let graph = try QuantizeTests.fixture(name)
    let (canonical, states) = (try CanonicalGraph(graph), Self.states(graph))
    let samples = graph.randomSamples(40, seed: 7, states: states)
    func quality(_ method: Calibrator.Method?) throws -> Double {
      let ranges = try calibrate(canonical, on: samples, states: states, method: method)
      return try Self.signalToNoise(
        graph, try quantize(canonical, ranges: ranges, states: states))
    }
    let chosen = try quality(nil)
    let all = try Calibrator.Method.allCases.map { try quality($0) }
    #expect(all.contains(chosen))
    #expect(chosen > all.max()! - 3, "\(chosen) of \(all)")
  }

  @Test func `few samples leave room, and 16 bits twice what was seen`() throws {
    let (graph, samples) = (Self.network, Self.network.randomSamples(3, seed: 7, states: []))
    let canonical = try CanonicalGraph(graph)
    func ranges(_ method: Calibrator.Method?, _ activations: IntegerSettings.Activations) throws
      -> [Int: ClosedRange<Float>]
    {
      var settings = IntegerSettings()
      settings.activations = activations
      return try calibrate(canonical, on: samples, method: method, settings: settings)
    }
    let (seen, smooth) = (try ranges(.minmax, .asymmetric), try ranges(.smooth, .asymmetric))
    let (narrow, wide) = (try ranges(.mse, .asymmetric), try ranges(nil, .int16))
    #expect(!seen.isEmpty)
    for (tensor, range) in seen where range.lowerBound < range.upperBound {
      #expect(smooth[tensor]!.upperBound > narrow[tensor]!.upperBound)
      #expect(narrow[tensor]!.upperBound <= range.upperBound)
      #expect(wide[tensor] == 2 * range.lowerBound...2 * range.upperBound)
    }
  }

  /// What the modes of the fixtures are.
  static let modes: [String: @Sendable (inout IntegerSettings) -> Void] = [
    "int8": { _ in }, "int8_only": { $0.integersOnly = true },
    "16x8": { $0.activations = .int16 }, "int8_int4": { $0.weightBits = 4 },
    "symmetric": { $0.activations = .symmetric }, "per_tensor": { $0.perTensor = true },
  ]

  /// LiteRT has run these very bytes: Tests/Fixtures/make_quantized_fixtures.py.
  @Test(arguments: ["mixed", "mobile", "streaming"], modes.keys.sorted())
  func `files are the ones that LiteRT has read`(name: String, mode: String) throws {
    let source = name == "streaming" ? "denoisers/streaming_f32" : "networks/net_\(name)_f32"
    let change = try #require(Self.modes[mode])
    let bytes = try TFLiteFile.write(
      try Self.converted(
        try QuantizeTests.fixture(source), change))
    let path = QuantizeTests.path("quantizer/quantized_\(name)_\(mode)")
    if ProcessInfo.processInfo.environment["QDENOISE_WRITE_FIXTURES"] != nil {
      try Data(bytes).write(to: path)
    }
    let isSame = Array(try Data(contentsOf: path)) == bytes
    #expect(isSame)
  }

  @Test(arguments: networks)
  func `scales follow the rules of the operators`(name: String) throws {
    let result = try Self.converted(try QuantizeTests.fixture(name))
    #expect(result.operators.contains { $0.kind == .quantize })
    for node in result.operators {
      func quantization(_ tensor: Int?) -> Quantization? {
        tensor.flatMap { result.tensors[$0].quantization }
      }
      let output = quantization(node.outputs.first)
      guard output != nil, result.tensors[node.outputs[0]].type == .int8 else { continue }
      switch node.kind {
      case .unary(.logistic), .softmax:
        #expect(output == Quantization(scales: [1.0 / 256], zeroPoints: [-128], axis: 0))
      case .unary(.tanh):
        #expect(output == Quantization(scales: [1.0 / 128], zeroPoints: [0], axis: 0))
      case .concatenation, .reshape, .maxPool, .averagePool, .slice, .transpose:
        for input in node.inputs.compactMap({ $0 }) where result.tensors[input].type == .int8 {
          #expect(quantization(input) == output)
        }
      case .fullyConnected, .convolution, .depthwiseConvolution:
        let data = try #require(quantization(node.inputs[0]))
        let weights = try #require(quantization(node.inputs[1]))
        #expect(weights.zeroPoints.allSatisfy { $0 == 0 })
        guard node.inputs.count > 2, let bias = node.inputs[2] else { continue }
        #expect(result.tensors[bias].type == .int32)
        #expect(quantization(bias)?.scales == weights.scales.map { $0 * data.scales[0] })
      default: break
      }
    }
  }

  @Test func `a state has one scale on both sides of a run, and its rows stay in a ring`() throws {
    let graph = try QuantizeTests.fixture("denoisers/streaming_f32")
    let states = Self.states(graph)
    let result = try Self.converted(graph)
    let network = try Network(result, states: states)
    let whole = try Network(graph, states: states)
    // Whole states would be copied and kept twice otherwise.
    #expect(network.arenaByteCount < whole.arenaByteCount)
    for state in states where state.input.hasPrefix("state_") {
      let input = try #require(result.tensors.firstIndex { $0.name == state.input })
      let output = try #require(result.tensors.firstIndex { $0.name == state.output })
      let taps = result.operators.filter { $0.inputs.contains(input) }.map { $0.outputs[0] }
      let forms = result.operators.filter {
        $0.kind == .quantize && taps.contains($0.inputs[0]!)
      }.map { result.tensors[$0.outputs[0]].quantization }
      let last = try #require(result.operators.first { $0.outputs.contains(output) })
      let row = try #require(last.inputs[1])
      let restored = try #require(result.operators.first { $0.outputs.contains(row) })
      #expect(restored.kind == .dequantize)
      #expect(forms.count == 2)
      #expect(forms.allSatisfy { $0 == result.tensors[restored.inputs[0]!].quantization })
    }
  }

  @Test func `what a recurrent cell adds to its state is added in float`() throws {
    let graph = try QuantizeTests.fixture("recurrent/gru_f32")
    let states = Self.states(graph)
    #expect(!states.isEmpty)
    let result = try Self.converted(graph)
    let floats = result.floatNodes(states: states).map(\.operatorName)
    #expect(Set(floats).isSubset(of: ["ADD", "SUB", "MUL"]) && floats.count >= 3, "\(floats)")
    #expect(
      result.operators.allSatisfy {
        $0.kind.name != "FULLY_CONNECTED" || result.tensors[$0.outputs[0]].type == .int8
      })
    let narrow = try Self.converted(graph) { $0.integersOnly = true }
    #expect(narrow.floatNodes(states: states).isEmpty)
    // Sixty runs: what was lost in each would be gone by then.
    #expect(try Self.signalToNoise(graph, result) > 10)
  }

  @Test func `integers at the edges, and a node without an integer form is named`() throws {
    let graph = try QuantizeTests.fixture("networks/net_mobile_f32")
    let result = try Self.converted(graph) { $0.integersOnly = true }
    #expect((result.inputs + result.outputs).allSatisfy { result.tensors[$0].type == .int8 })
    #expect(
      result.inputs.map { result.tensors[$0].name } == graph.inputs.map { graph.tensors[$0].name })
    #expect(
      result.outputs.map { result.tensors[$0].name } == graph.outputs.map { graph.tensors[$0].name }
    )
    #expect(!result.operators.contains { $0.kind == .quantize || $0.kind == .dequantize })

    var other = Self.network
    other.tensors.append(Tensor(name: "power", shape: [1, 32], type: .float32))
    other.operators.append(Operator(.unary(.square), inputs: [4], outputs: [5]))
    other.outputs = [5]
    let refused = QuantizerError.noIntegerForm(
      graph: "two layers", index: 2, operator: "SQUARE", output: "power",
      reason: "it has no form for integers")
    #expect(throws: refused) { try Self.converted(other) { $0.integersOnly = true } }
    #expect(refused.description.contains("operator 2 (SQUARE, 'power') cannot compute in integers"))
  }

  @Test func `an operator without an integer form stays float between conversions`() throws {
    var graph = Self.network
    graph.tensors.append(Tensor(name: "magnitude", shape: [1, 32], type: .float32))
    graph.tensors.append(Tensor(name: "root", shape: [1, 32], type: .float32))
    graph.operators.append(Operator(.unary(.square), inputs: [4], outputs: [5]))
    graph.operators.append(Operator(.unary(.squareRoot), inputs: [5], outputs: [6]))
    graph.outputs = [6]
    let result = try Self.converted(graph)
    #expect(result.floatNodes(states: []).map(\.name) == ["magnitude", "root"])
    #expect(
      result.operators.map(\.kind.name)
        == ["QUANTIZE", "FULLY_CONNECTED", "FULLY_CONNECTED", "DEQUANTIZE", "SQUARE", "SQRT"])
    #expect(try Self.signalToNoise(graph, result) > 25)
  }

  @Test func `nodes can be kept in float or in 16 bits`() throws {
    let graph = Self.network
    let float = try Self.converted(graph) { $0.keepingFloat = ["second"] }
    #expect(float.floatNodes(states: []).map(\.name) == ["second"])
    let wide = try Self.converted(graph) { $0.keepingInt16 = ["second"] }
    let layers = wide.operators.filter { $0.kind.name == "FULLY_CONNECTED" }
    #expect(layers.map { wide.tensors[$0.inputs[0]!].type } == [.int8, .int16])
    #expect(layers.map { wide.tensors[$0.outputs[0]].type } == [.int8, .int16])
    #expect(
      try Self.signalToNoise(graph, wide) > (try Self.signalToNoise(graph, Self.converted(graph))))
    #expect(
      throws: QuantizerError.notALayer(graph: "two layers", name: "x", layers: ["first", "second"])
    ) {
      try Self.converted(graph) { $0.keepingInt16 = ["x"] }
    }
  }

  @Test func `integers have bounded pairs, too, and lose little by it`() throws {
    let graph = Self.network
    let usual = try Self.converted(graph)
    let bounded = try Self.converted(graph) { $0.boundingPairs = true }
    #expect(usual != bounded)
    for tensor in bounded.tensors where tensor.type == .int8 && tensor.isConstant {
      let sizes = try #require(tensor.data).map { abs(Int(Int8(bitPattern: $0))) }
      let pairs = stride(from: 0, to: sizes.count, by: 2).map { sizes[$0] + sizes[$0 + 1] }
      #expect(pairs.allSatisfy { $0 <= 128 })
    }
    let loss = try Self.signalToNoise(graph, usual) - Self.signalToNoise(graph, bounded)
    #expect(loss < 3, "\(loss) dB")
    let dynamicLoss =
      try Self.signalToNoise(graph, try quantize(graph))
      - Self.signalToNoise(graph, try quantize(graph, boundingPairs: true))
    #expect(dynamicLoss < 5, "\(dynamicLoss) dB")
  }

  @Test func `4-bit weights take half a byte in the file and come back`() throws {
    let graph = Self.network
    let result = try quantize(graph, weightBits: 4)
    let (small, large) = (try TFLiteFile.write(result), try TFLiteFile.write(try quantize(graph)))
    #expect(large.count - small.count == (32 * 40 + 32 * 32) / 2)
    #expect(try TFLiteFile.read(small, name: graph.name) == result)
    let values = try #require(result.tensors[1].data).map { Int8(bitPattern: $0) }
    #expect(values.min() == -7 && values.max() == 7)
    let integers = try Self.converted(graph) { $0.weightBits = 4 }
    #expect(try TFLiteFile.read(try TFLiteFile.write(integers), name: graph.name) == integers)
    #expect(integers.tensors.count { $0.isPackedInFile } == 2)
    #expect(try Self.signalToNoise(graph, result) > 15)
  }

  @Test func `a bias that dwarfs its weights still fits`() throws {
    var graph = Self.network
    var weights = Array(repeating: Float(0.1), count: 32 * 40)
    for index in 0..<40 { weights[index] = 0 }
    graph.tensors[1] = Tensor(name: "w1", shape: [32, 40], values: weights)
    graph.tensors.append(
      Tensor(name: "b1", shape: [32], values: (0..<32).map { $0 == 0 ? 100 : 0.01 }))
    graph.operators[0].inputs[2] = 5
    let result = try Self.converted(graph, method: .minmax)
    #expect(try Self.signalToNoise(graph, result) > 30)
  }

  @Test func `the least error leaves an outlier out, and minmax does not`() throws {
    let graph = Self.network
    let canonical = try CanonicalGraph(graph)
    let calibrator = try Calibrator(canonical.graph)
    var samples = graph.randomSamples(25_000, seed: 5, states: [])
    samples[100]["x"]![3] = 3
    for sample in samples { try calibrator.observe(sample) }
    let (tight, wide) = (try calibrator.ranges(.mse)[0]!, try calibrator.ranges(.minmax)[0]!)
    #expect(wide.upperBound == 3)
    #expect(tight.upperBound < 1.5 && tight.upperBound >= 1)
    #expect(tight.lowerBound > -1.01 && wide.lowerBound > -1.01)
  }

  @Test func `values that are not finite are named`() throws {
    let graph = Self.network
    let calibrator = try Calibrator(graph)
    #expect(throws: QuantizerError.notFiniteValues(graph: graph.name, tensor: "x")) {
      try calibrator.observe(["x": Array(repeating: .nan, count: 40)])
    }
    // What overflows on the way.
    try calibrator.observe(["x": Array(repeating: .greatestFiniteMagnitude, count: 40)])
    #expect(throws: QuantizerError.self) { try calibrator.ranges(.mse) }
  }
}
