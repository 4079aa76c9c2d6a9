import Engine
import Foundation
import Quantizer
import TFLite
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
    let ours = try quantize(try Self.fixture("converter_f32"))
    let theirs = try Self.fixture("converter_default")
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
    let bytes = try TFLiteFile.write(try quantize(graph))
    let embedded = try Data(contentsOf: Self.path("../../models/\(name).int8"))
    // Of two files that differ, every byte would be printed.
    let isSame = Array(embedded) == bytes
    #expect(isSame, "models/\(name).tflite has changed: run `make models`")
  }

  @Test func `weights of fewer than 1024 elements stay float`() throws {
    let graph = try quantize(try Self.fixture("converter_f32"))
    #expect(try Self.weights(graph, 0).type == .int8)
    #expect(try Self.weights(graph, 0).count == 1024)
    #expect(try Self.weights(graph, 1).type == .float32)
    #expect(try Self.weights(graph, 1).count == 992)
  }

  @Test func `quantizing twice changes nothing`() throws {
    let once = try quantize(try Self.fixture("converter_f32"))
    #expect(try quantize(once) == once)
  }

  @Test func `float16 stores the same halves as TensorFlow Lite`() throws {
    let ours = try quantize(try Self.fixture("converter_f32"), .float16)
    let theirs = try Self.fixture("converter_float16")
    func halves(_ graph: Graph) -> Set<[UInt8]> {
      Set(graph.tensors.filter { $0.type == .float16 }.compactMap(\.data))
    }
    #expect(halves(ours) == halves(theirs))
    #expect(!ours.tensors.contains { $0.isConstant && $0.type == .float32 })
    #expect(try TFLiteFile.read(try TFLiteFile.write(ours), name: ours.name) == ours)
  }

  @Test(arguments: Optimization.allCases, ["converter_f32", "streaming_f32", "conv_3x3_f32"])
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

  @Test func `weights that are not finite are named`() throws {
    var graph = try Self.fixture("converter_f32")
    let index = try #require(graph.operators[0].inputs[1])
    graph.tensors[index].data?.replaceSubrange(0..<4, with: [0, 0, 0xC0, 0x7F])
    #expect(
      throws: QuantizerError.notFinite(graph: graph.name, tensor: graph.tensors[index].name)
    ) { try quantize(graph) }
  }

  @Test func `weights that another operator reads too are left alone`() throws {
    var graph = try Self.fixture("converter_f32")
    let weights = try #require(graph.operators[0].inputs[1])
    graph.tensors.append(Tensor(name: "copy", shape: [32, 32], type: .float32))
    graph.operators.append(
      Operator(.unary(.relu), inputs: [weights], outputs: [graph.tensors.count - 1]))
    #expect(try quantize(graph).tensors[weights].type == .float32)
  }
}
