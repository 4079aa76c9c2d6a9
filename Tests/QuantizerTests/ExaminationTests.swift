import QDEngine
import Foundation
import QDQuantizer
import Testing

/// What the debugger, the comparison and the choice of layers say.
struct ExaminationTests {
  /// A float network of two layers, 40 to 32 to 32, the second with one weight that spoils its
  /// channel's steps where the channel is asked for a small sum.
  static func network(outlier: Float) -> Graph {
    func weights(_ seed: Float) -> [Float] {
      (0..<32 * 40).map { sin(Float($0) * seed) * 0.2 }
    }
    var second = Array(weights(0.71).prefix(32 * 32))
    for channel in 0..<32 { second[channel * 32] = outlier }
    var graph = Graph(
      name: "two layers",
      tensors: [
        Tensor(name: "x", shape: [1, 40], type: .float32),
        Tensor(name: "w1", shape: [32, 40], values: weights(0.37)),
        Tensor(name: "first", shape: [1, 32], type: .float32),
        Tensor(name: "w2", shape: [32, 32], values: second),
        Tensor(name: "second", shape: [1, 32], type: .float32),
      ])
    let kind = OperatorKind.fullyConnected(.none, keepsDimensions: true)
    graph.operators = [
      Operator(kind, inputs: [0, 1, nil], outputs: [2]),
      Operator(kind, inputs: [2, 3, nil], outputs: [4]),
    ]
    (graph.inputs, graph.outputs) = ([0], [4])
    return graph
  }

  private static func debugged(_ graph: Graph, _ quantized: Graph) throws -> QuantizationDebugger {
    let debugger = try QuantizationDebugger(original: graph, quantized: quantized)
    for sample in graph.randomSamples(50, seed: 3, states: []) { try debugger.run(sample) }
    return debugger
  }

  @Test func `the debugger names the layer that loses`() throws {
    let graph = Self.network(outlier: 0.2)
    var quantized = try quantize(graph)
    // Half of the second layer's scales are wrong, as if its calibration had failed.
    for channel in 0..<16 { quantized.tensors[3].quantization?.scales[channel] *= 1.5 }
    let debugger = try Self.debugged(graph, quantized)
    #expect(debugger.layers.map(\.tensorName) == ["first", "second"])
    #expect(debugger.layers[0].deviation.signalToNoise > 35)
    #expect(debugger.layers[1].deviation.signalToNoise < 15)
    #expect(debugger.suspects(below: 30).map(\.tensorName) == ["second"])
    #expect(debugger.whole.signalToNoise < 15)
  }

  @Test func `an error does not count against the layers behind it`() throws {
    let graph = Self.network(outlier: 0.2)
    var quantized = try quantize(graph)
    quantized.tensors[1].quantization?.scales = Array(repeating: 0.01, count: 32)
    let debugger = try Self.debugged(graph, quantized)
    #expect(debugger.layers[0].deviation.signalToNoise < 10)
    #expect(debugger.layers[1].deviation.signalToNoise > 35)
  }

  @Test func `a layer that reads a state is given what the float network remembers`() throws {
    var graph = Self.network(outlier: 0.02)
    graph.tensors.append(Tensor(name: "past", shape: [1, 32], type: .float32))
    graph.tensors.append(Tensor(name: "next", shape: [1, 32], type: .float32))
    graph.operators[1].inputs[0] = 5
    graph.operators.append(Operator(.binary(.add, .none), inputs: [2, 4], outputs: [6]))
    (graph.inputs, graph.outputs) = ([0, 5], [4, 6])
    let states = [StatePair(input: "past", output: "next")]
    let debugger = try QuantizationDebugger(
      original: graph, quantized: try quantize(graph), states: states)
    let samples = graph.randomSamples(20, seed: 3, states: states)
    for sample in samples { try debugger.run(sample) }
    #expect(debugger.layers.map(\.tensorName) == ["first", "second"])
    for layer in debugger.layers {
      #expect((30...100).contains(layer.deviation.signalToNoise), "\(layer)")
      #expect(layer.deviation.count == 20 * 32)
    }
    // The first run remembers nothing, so that both give zeros.
    #expect(debugger.whole.count == 20 * 32)
    #expect((30...100).contains(debugger.whole.signalToNoise))
  }

  @Test func `a quantized original is refused`() throws {
    let quantized = try quantize(Self.network(outlier: 0.2))
    #expect(throws: QuantizerError.notFloat(graph: "two layers", layer: "first")) {
      try QuantizationDebugger(original: quantized, quantized: quantized)
    }
  }

  @Test func `a layer on the denylist stays float and the others do not`() throws {
    let graph = Self.network(outlier: 0.2)
    let quantized = try quantize(graph, keepingFloat: ["second"])
    #expect(quantized.tensors[1].type == .int8)
    #expect(quantized.tensors[3] == graph.tensors[3])
    #expect(quantized.floatLayers.map(\.name) == ["second"])
    let debugger = try Self.debugged(graph, quantized)
    #expect(debugger.layers.map(\.tensorName) == ["first"])
  }

  @Test func `a name that is no layer's is an error that lists the layers`() throws {
    let graph = Self.network(outlier: 0.2)
    #expect(
      throws: QuantizerError.notALayer(
        graph: "two layers", name: "third", layers: ["first", "second"])
    ) { try quantize(graph, keepingFloat: ["third"]) }
  }

  @Test func `a scale per channel beats one for all`() throws {
    var graph = Self.network(outlier: 0.2)
    // The first channel is a hundred times as loud.
    let loud = Tensor(
      name: "w2", shape: [32, 32],
      values: (0..<1024).map { sin(Float($0) * 0.71) * ($0 < 32 ? 2 : 0.02) })
    graph.tensors[3] = loud
    let perTensor = try quantize(graph, perTensor: true)
    #expect(perTensor.tensors[3].quantization?.scales.count == 1)
    func quiet(_ quantized: Graph) throws -> Double {
      var sum = 0.0
      let scales = try #require(quantized.tensors[3].quantization?.scales)
      for (index, byte) in try #require(quantized.tensors[3].data).enumerated() where index >= 32 {
        let scale = scales.count == 1 ? scales[0] : scales[index / 32]
        let wanted = Double(sin(Float(index) * 0.71) * 0.02)
        sum += pow(Double(Float(Int8(bitPattern: byte)) * scale) - wanted, 2)
      }
      return sum
    }
    #expect(try quiet(perTensor) > 1000 * quiet(try quantize(graph)))
  }

  @Test func `weights stored small compute in float`() throws {
    let graph = Self.network(outlier: 0.2)
    let small = try quantize(graph, .size)
    #expect(small.constantBytes[.float32, default: 0] == 0)
    #expect(small.constantBytes[.int8] == 32 * 40 + 32 * 32)
    #expect(small.operators.map(\.kind.name).prefix(2) == ["DEQUANTIZE", "DEQUANTIZE"])
    let samples = graph.randomSamples(20, seed: 5, states: [])
    let stored = try Comparison(graph, small, samples: samples)
    let dynamic = try Comparison(graph, try quantize(graph), samples: samples)
    // Weights are rounded in both, activations only in the second.
    #expect(stored.worst > dynamic.worst)
    #expect(stored.worst < 80)
  }

  @Test func `a graph compared with itself is equal, and other graphs are refused`() throws {
    let graph = Self.network(outlier: 0.2)
    let samples = graph.randomSamples(5, seed: 1, states: [])
    #expect(try Comparison(graph, graph, samples: samples).worst == .infinity)
    var renamed = graph
    renamed.tensors[4].name = "other"
    #expect(throws: QuantizerError.noLayer(graph: "two layers", tensor: "second")) {
      try Comparison(graph, renamed, samples: samples)
    }
    #expect(
      throws: QuantizerError.wrongSample(input: "x", count: 1, expected: 40)
    ) { try Comparison(graph, graph, samples: [["x": [1]]]) }
  }
}
