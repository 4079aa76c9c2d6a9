import QDDenoise
import QDEngine
import Foundation
import QDQuantizer
import QDTFLite
import Testing

/// What the quantizer makes, beside what TensorFlow Lite's converter makes of the same model.
struct QuantizeTests {
  static func path(_ name: String) -> URL {
    URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/\(name).tflite")
  }

  static func fixture(_ name: String) throws -> Graph {
    try TFLiteFile.read(Array(try Data(contentsOf: path(name))), name: name)
  }

  static func weights(_ graph: Graph, _ index: Int, _ position: Int = 1) throws -> Tensor {
    graph.tensors[try #require(graph.operators[index].inputs[position])]
  }

  @Test func `the default is TensorFlow Lite's dynamic range, bit for bit`() throws {
    let ours = try quantize(try Self.fixture("quantizer/converter_f32"))
    let theirs = try Self.fixture("quantizer/converter_default")
    #expect(ours.operators.map(\.kind) == theirs.operators.map(\.kind))
    for index in ours.operators.indices {
      let (a, b) = (try Self.weights(ours, index), try Self.weights(theirs, index))
      #expect(a.type == b.type)
      // The converter gives all operators of a kind the highest version that one of them needs.
      if a.type == .int8 {
        #expect(ours.operators[index].version == theirs.operators[index].version)
      }
      #expect(a.data == b.data)
      #expect(a.quantization == b.quantization)
    }
  }

  @Test(arguments: ["full", "light", "low-latency"])
  func `the embedded int8 models are made of the float ones`(name: String) throws {
    let graph = try Self.fixture("../../models/\(name)")
    let bytes = try TFLiteFile.write(try quantize(graph, boundingPairs: true))
    let embedded = try Data(contentsOf: Self.path("../../models/\(name).int8"))
    // Of two files that differ, every byte would be printed.
    let isSame = Array(embedded) == bytes
    #expect(isSame, "models/\(name).tflite has changed: run `make models`")
    // As people choose it, and as status shows it.
    #expect(try Model(graph).name == name)
  }

  @Test func `weights of fewer than 1024 elements stay float`() throws {
    let graph = try quantize(try Self.fixture("quantizer/converter_f32"))
    #expect(try Self.weights(graph, 0).type == .int8)
    #expect(try Self.weights(graph, 0).count == 1024)
    #expect(try Self.weights(graph, 1).type == .float32)
    #expect(try Self.weights(graph, 1).count == 992)
  }

  @Test func `quantizing twice changes nothing`() throws {
    let once = try quantize(try Self.fixture("quantizer/converter_f32"))
    #expect(try quantize(once) == once)
  }

  @Test func `float16 stores the same halves as TensorFlow Lite`() throws {
    let ours = try quantize(try Self.fixture("quantizer/converter_f32"), .float16)
    let theirs = try Self.fixture("quantizer/converter_float16")
    func halves(_ graph: Graph) -> Set<[UInt8]> {
      Set(graph.tensors.filter { $0.type == .float16 }.compactMap(\.data))
    }
    #expect(halves(ours) == halves(theirs))
    #expect(!ours.tensors.contains { $0.isConstant && $0.type == .float32 })
    #expect(try TFLiteFile.read(try TFLiteFile.write(ours), name: ours.name) == ours)
  }

  @Test(
    arguments: Optimization.allCases,
    ["quantizer/converter_f32", "denoisers/streaming_f32", "operators/conv_3x3_f32"])
  func `a quantized network computes nearly the same`(
    optimization: Optimization, name: String
  ) throws {
    let graph = try Self.fixture(name)
    let expected = try Self.outputs(graph)
    let outputs = try Self.outputs(try quantize(graph, optimization))
    let scale = expected.map(abs).max()!
    let error = zip(outputs, expected).map { abs($0 - $1) }.max()!
    #expect(error < scale * (optimization == .float16 ? 0.002 : 0.03))
    #expect(error > 0 || graph.tensors.allSatisfy { $0.count! < 1024 })
  }

  private static func outputs(_ graph: Graph) throws -> [Float] {
    var network = try Network(graph)
    for index in graph.inputs {
      let input = try network.input(named: graph.tensors[index].name)
      for i in 0..<input.count { input[i] = sin(Float(i) * 0.7) }
    }
    network.run()
    return try graph.outputs.flatMap { Array(try network.output(named: graph.tensors[$0].name)) }
  }

  private static func largestPair(_ weights: Tensor, row: Int) throws -> Int {
    let integers = try #require(weights.data).map { abs(Int(Int8(bitPattern: $0))) }
    return stride(from: 0, to: integers.count, by: row).flatMap { first in
      stride(from: first, to: first + row - 1, by: 2).map { integers[$0] + integers[$0 + 1] }
    }.max() ?? 0
  }

  @Test(arguments: ["full", "light", "low-latency"])
  func `pairs of weights are bounded where that is wanted`(name: String) throws {
    let graph = try Self.fixture("../../models/\(name)")
    let usual = try quantize(graph)
    let bounded = try quantize(graph, boundingPairs: true)
    for (index, node) in graph.operators.enumerated() where node.inputs.count > 1 {
      guard let tensor = node.inputs[1], usual.tensors[tensor].type == .int8 else { continue }
      let weights = try Self.weights(bounded, index)
      let row = weights.shape.dropFirst().reduce(1, *)
      #expect(try Self.largestPair(weights, row: row) <= 128)
      #expect(try Self.largestPair(try Self.weights(usual, index), row: row) > 128)
    }
  }

  @Test func `depthwise weights, which are not multiplied in pairs, stay as they are`() throws {
    var graph = Graph(
      name: "depthwise",
      tensors: [
        Tensor(name: "x", shape: [1, 8, 8, 128], type: .float32),
        Tensor(
          name: "w", shape: [1, 3, 3, 128], values: (0..<1152).map { sin(Float($0) * 0.7) }),
        Tensor(name: "y", shape: [1, 8, 8, 128], type: .float32),
      ])
    let kind = OperatorKind.depthwiseConvolution(Window(padding: .same), multiplier: 1, .none)
    graph.operators = [Operator(kind, inputs: [0, 1], outputs: [2])]
    (graph.inputs, graph.outputs) = ([0], [2])
    let usual = try quantize(graph)
    #expect(usual != graph)
    #expect(try quantize(graph, boundingPairs: true) == usual)
  }

  @Test func `pairs stay bounded where both of their weights are half a step off`() throws {
    var graph = ExaminationTests.network(outlier: 0.2)
    let values = (0..<32).flatMap { channel in
      (0..<20).flatMap { pair in
        let (first, size) = (Float(20 + 3 * pair) + 0.5, 0.01 + 0.003 * Float(channel))
        return [first * size, (first - 128) * size]
      }
    }
    graph.tensors[1] = Tensor(name: "w1", shape: [32, 40], values: values)
    let weights = try Self.weights(try quantize(graph, boundingPairs: true), 0)
    #expect(try Self.largestPair(weights, row: 40) == 128)
  }

  /// The engine may begin each row of a kernel with a new pair.
  @Test func `pairs are bounded in every row of a kernel, odd ones too`() throws {
    let shape = [8, 3, 3, 15]
    let values = (0..<shape.reduce(1, *)).map { sin(Float($0) * 0.7) * ($0 % 7 == 0 ? 2 : 1) }
    var graph = Graph(
      name: "odd rows",
      tensors: [
        Tensor(name: "x", shape: [1, 16, 16, 15], type: .float32),
        Tensor(name: "w", shape: shape, values: values),
        Tensor(name: "y", shape: [1, 16, 16, 8], type: .float32),
      ])
    graph.operators = [
      Operator(.convolution(Window(padding: .same), .none), inputs: [0, 1], outputs: [2])
    ]
    (graph.inputs, graph.outputs) = ([0], [2])
    let weights = try Self.weights(try quantize(graph, boundingPairs: true), 0)
    #expect(try Self.largestPair(weights, row: 135) <= 128)
    #expect(try Self.largestPair(weights, row: 45) <= 128)
  }

  @Test func `weights that are not finite are named`() throws {
    var graph = try Self.fixture("quantizer/converter_f32")
    let index = try #require(graph.operators[0].inputs[1])
    graph.tensors[index].data?.replaceSubrange(0..<4, with: [0, 0, 0xC0, 0x7F])
    #expect(
      throws: QuantizerError.notFinite(graph: graph.name, tensor: graph.tensors[index].name)
    ) { try quantize(graph) }
  }

  @Test func `weights that another operator reads too are left alone`() throws {
    var graph = try Self.fixture("quantizer/converter_f32")
    let weights = try #require(graph.operators[0].inputs[1])
    graph.tensors.append(Tensor(name: "copy", shape: [32, 32], type: .float32))
    graph.operators.append(
      Operator(.unary(.relu), inputs: [weights], outputs: [graph.tensors.count - 1]))
    #expect(try quantize(graph).tensors[weights].type == .float32)
  }
}
