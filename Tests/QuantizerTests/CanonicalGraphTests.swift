import QDEngine
import Foundation
import QDQuantizer
import QDTFLite
import Testing

/// What becomes of a graph before it is quantized.
struct CanonicalGraphTests {
  /// FULLY_CONNECTED, then the operators, each with the constant values at its second input.
  private static func layer(then operations: [(OperatorKind, [Float]?)]) -> Graph {
    var graph = Graph(
      name: "layer",
      tensors: [
        Tensor(name: "x", shape: [2, 8], type: .float32),
        Tensor(name: "w", shape: [4, 8], values: (0..<32).map { sin(Float($0)) }),
        Tensor(name: "b", shape: [4], values: [1, -2, 0.5, 0]),
        Tensor(name: "y", shape: [2, 4], type: .float32),
      ])
    graph.operators = [
      Operator(.fullyConnected(.none, keepsDimensions: true), inputs: [0, 1, 2], outputs: [3])
    ]
    var last = 3
    for (index, (kind, values)) in operations.enumerated() {
      var inputs: [Int?] = [last]
      if let values {
        graph.tensors.append(Tensor(name: "c\(index)", shape: [values.count], values: values))
        inputs.append(graph.tensors.count - 1)
      }
      graph.tensors.append(Tensor(name: "y\(index)", shape: [2, 4], type: .float32))
      last = graph.tensors.count - 1
      graph.operators.append(Operator(kind, inputs: inputs, outputs: [last]))
    }
    (graph.inputs, graph.outputs) = ([0], [last])
    return graph
  }

  private static func signalToNoise(_ a: Graph, _ b: Graph) throws -> Double {
    try Comparison(a, b, samples: a.randomSamples(10, seed: 2, states: [])).worst
  }

  @Test func `BatchNorm and RELU become part of the layer before them`() throws {
    let graph = Self.layer(then: [
      (.binary(.subtract, .none), [0.1, 0.2, 0.3, 0.4]),
      (.binary(.multiply, .none), [2, -1, 0.5, 3]), (.binary(.divide, .none), [4]),
      (.binary(.add, .none), [0.5, 0, -0.5, 1]), (.unary(.relu), nil),
    ])
    let result = try CanonicalGraph(graph).graph
    #expect(result.operators.map(\.kind) == [.fullyConnected(.relu, keepsDimensions: true)])
    #expect(result.tensors[result.outputs[0]].name == "y4")
    #expect(try Self.signalToNoise(graph, result) > 120)
  }

  @Test func `what others read, or what is not per channel, stays`() throws {
    var graph = Self.layer(then: [(.binary(.multiply, .none), [2, -1, 0.5, 3])])
    graph.outputs.append(3)
    #expect(try CanonicalGraph(graph).graph.operators.count == 2)
    var other = Self.layer(then: [(.binary(.multiply, .none), [2, -1, 0.5, 3, 1, 1, 1, 1])])
    other.tensors[4].shape = [2, 4]
    #expect(try CanonicalGraph(other).graph.operators.count == 2)
  }

  @Test func `equal constants become one`() throws {
    var graph = IntegerQuantizationTests.network
    graph.tensors[3] = Tensor(
      name: "w2", shape: [32, 32], values: Array(repeating: 0.5, count: 1024))
    graph.tensors.append(
      Tensor(name: "w3", shape: [32, 32], values: Array(repeating: 0.5, count: 1024)))
    graph.tensors.append(Tensor(name: "third", shape: [1, 32], type: .float32))
    graph.operators.append(
      Operator(.fullyConnected(.none, keepsDimensions: true), inputs: [4, 5, nil], outputs: [6]))
    graph.outputs = [6]
    let result = try CanonicalGraph(graph).graph
    #expect(result.tensors.count { $0.isConstant } == 2)
    #expect(result.operators[1].inputs[1] == result.operators[2].inputs[1])
  }

  /// A network with a QUANTIZE and a DEQUANTIZE behind its input, its first layer and its output.
  private static func faked() -> Graph {
    var graph = IntegerQuantizationTests.network
    var operators: [Operator] = []
    func fake(_ tensor: Int, _ scale: Float, _ zeroPoint: Int64) -> Int {
      let source = graph.tensors[tensor]
      graph.tensors.append(
        Tensor(
          name: "\(source.name)/q", shape: source.shape, type: .int8,
          quantization: Quantization(scales: [scale], zeroPoints: [zeroPoint], axis: 0)))
      graph.tensors.append(Tensor(name: "\(source.name)/f", shape: source.shape, type: .float32))
      let count = graph.tensors.count
      operators.append(Operator(.quantize, inputs: [tensor], outputs: [count - 2]))
      operators.append(Operator(.dequantize, inputs: [count - 2], outputs: [count - 1], version: 2))
      return count - 1
    }
    var (first, second) = (graph.operators[0], graph.operators[1])
    first.inputs[0] = fake(0, 1.0 / 128, 0)
    operators.append(first)
    second.inputs[0] = fake(2, 0.05, 3)
    operators.append(second)
    let last = fake(4, 0.02, -7)
    graph.operators = operators
    graph.outputs = [last]
    return graph
  }

  @Test func `fake quantization needs no data, and is taken over to the digit`() throws {
    let graph = Self.faked()
    let canonical = try CanonicalGraph(graph)
    #expect(canonical.hasQuantization)
    #expect(canonical.graph.operators.map(\.kind.name) == ["FULLY_CONNECTED", "FULLY_CONNECTED"])
    let result = try quantize(canonical, ranges: [:])
    #expect(
      result.operators.map(\.kind.name)
        == ["QUANTIZE", "FULLY_CONNECTED", "FULLY_CONNECTED", "DEQUANTIZE"])
    let forms = result.operators.prefix(3).map { result.tensors[$0.outputs[0]].quantization }
    #expect(forms.map { $0?.scales } == [[1.0 / 128], [0.05], [0.02]])
    #expect(forms.map { $0?.zeroPoints } == [[0], [3], [-7]])
    // Weights are rounded in addition, activations are the same steps.
    let samples = graph.randomSamples(20, seed: 3, states: [])
    #expect(try Comparison(graph, result, samples: samples).worst > 20)
    // Twice is as good as once.
    let again = try quantize(try CanonicalGraph(result), ranges: [:])
    #expect(again.operators.count == result.operators.count)
  }

  @Test func `FAKE_QUANT of a file is taken over, too`() throws {
    let graph = try QuantizeTests.fixture("quantizer/fake_quantization")
    let result = try quantize(try CanonicalGraph(graph), ranges: [:])
    #expect(
      result.operators.map(\.kind.name)
        == ["QUANTIZE", "FULLY_CONNECTED", "FULLY_CONNECTED", "DEQUANTIZE"])
    #expect(result.tensors[result.operators[0].outputs[0]].quantization?.scales == [3.5 / 255])
    let samples = graph.randomSamples(20, seed: 3, states: [])
    #expect(try Comparison(graph, result, samples: samples).worst > 25)
  }

  @Test func `weights that are int8 already keep their bytes`() throws {
    let graph = try quantize(IntegerQuantizationTests.network, .size)
    let stored = Set(graph.tensors.filter { $0.type == .int8 }.map(\.data))
    let result = try IntegerQuantizationTests.converted(graph)
    #expect(
      Set(result.tensors.filter { $0.type == .int8 && $0.isConstant }.map(\.data)) == stored)
  }
}
