import QDEngine
import Foundation
import QDONNX
import QDQuantizer
import Testing

/// Imported networks beside what onnxruntime computes; Tests/Fixtures/make_onnx_fixtures.py.
struct ONNXTests {
  private static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures")

  private static func bytes(_ file: String) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appending(path: file)))
  }

  @Test(arguments: ["dense", "image", "sound", "decoder", "attention", "gru", "lstm"])
  func `a network of PyTorch gives what onnxruntime gives`(name: String) throws {
    try Self.compare(
      try ONNXImporter.graph(try Self.bytes("onnx/\(name).onnx"), name: name), name, within: 2e-6)
  }

  /// A sum in another order may round to the next step, of which there are 255.
  @Test(arguments: ["aware", "quantized"])
  func `fake quantization is that of the file, in floats and in integers`(name: String) throws {
    let file = try Self.bytes("onnx/\(name).onnx")
    let graph = try ONNXImporter.graph(file, name: name)
    try Self.compare(graph, name, within: 1.01 / 127)
    let canonical = try CanonicalGraph(graph)
    #expect(canonical.hasQuantization)
    // No data is needed.
    let integers = try quantize(canonical, ranges: [:])
    try Self.compare(integers, name, within: 4.01 / 127)
    func weights(_ graph: Graph) -> Set<[UInt8]> {
      Set(graph.tensors.filter { $0.type == .int8 }.compactMap(\.data))
    }
    #expect(weights(graph).count >= 3)
    #expect(weights(graph).isSubset(of: weights(integers)))
    #expect(
      integers.operators.contains { node in
        if case .convolution = node.kind {
          integers.tensors[node.outputs[0]].type == .int8
        } else {
          false
        }
      })
  }

  private static func compare(_ graph: Graph, _ name: String, within tolerance: Float) throws {
    var network = try Network(graph)
    var golden = try Self.bytes("onnx/\(name).golden")[...]
    func next() -> Float {
      defer { golden = golden.dropFirst(4) }
      return Float(
        bitPattern: golden.prefix(4).reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }
    for _ in 0..<2 {
      for index in graph.inputs {
        let input = try network.input(named: graph.tensors[index].name)
        for place in 0..<input.count { input[place] = next() }
      }
      network.run()
      for index in graph.outputs {
        let output = try network.output(named: graph.tensors[index].name)
        let expected = (0..<output.count).map { _ in next() }
        let largest = expected.reduce(Float(0)) { max($0, abs($1)) }
        let error = zip(output, expected).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
        #expect(error <= tolerance * largest, "\(graph.tensors[index].name)")
      }
    }
    #expect(golden.isEmpty)
  }

  @Test func `states keep their names, and open extents can be given`() throws {
    let graph = try ONNXImporter.graph(try Self.bytes("onnx/gru.onnx"), name: "gru")
    #expect(graph.inputs.map { graph.tensors[$0].name } == ["input_0", "input_1"])
    #expect(graph.inputs.map { graph.tensors[$0].shape } == [[1, 1, 12], [1, 1, 16]])
    let other = try ONNXImporter.graph(
      try Self.bytes("onnx/dense.onnx"), name: "dense", shapes: ["input_0": [5, 20]])
    #expect(other.tensors[other.outputs[0]].shape == [5, 8])
    #expect(throws: ONNXError.self) {
      try ONNXImporter.graph(
        try Self.bytes("onnx/dense.onnx"), name: "dense", shapes: ["x": [5, 20]])
    }
  }

  /// The bytes of a model with one node.
  private static func model(_ kind: String, domain: String = "") -> [UInt8] {
    func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
      [number << 3 | 2, UInt8(content.count)] + content
    }
    func text(_ number: UInt8, _ text: String) -> [UInt8] { field(number, Array(text.utf8)) }
    let dimension = field(1, [1 << 3, 4])
    let type = field(1, [1 << 3, 1] + field(2, dimension))
    let node =
      text(1, "x") + text(2, "y") + text(3, "the node") + text(4, kind)
      + (domain.isEmpty ? [] : text(7, domain))
    let graph =
      field(1, node) + field(11, text(1, "x") + field(2, type)) + field(12, text(1, "y"))
    return field(7, graph) + field(8, [2 << 3, 17])
  }

  @Test func `what cannot be imported is named`() throws {
    let relu = try ONNXImporter.graph(Self.model("Relu"), name: "m.onnx")
    #expect(relu.operators.map(\.kind) == [.unary(.relu)])
    let refused = ONNXError.unsupported(
      name: "m.onnx", node: "the node", operator: "NonZero", reason: "there is no operator for it")
    #expect(throws: refused) { try ONNXImporter.graph(Self.model("NonZero"), name: "m.onnx") }
    #expect(refused.description.hasPrefix("m.onnx: node 'the node' (NonZero) cannot be imported"))
    #expect(throws: ONNXError.self) {
      try ONNXImporter.graph(Self.model("Relu", domain: "com.example"), name: "m.onnx")
    }
    #expect(throws: ONNXError.notONNX(name: "empty")) {
      try ONNXImporter.graph([], name: "empty")
    }
  }

  /// From a seed, so that a failure can be had again.
  @Test(arguments: ["dense", "image", "sound", "gru", "attention", "decoder", "aware", "quantized"])
  func `damaged files are errors or graphs, never a crash`(name: String) throws {
    let whole = try Self.bytes("onnx/\(name).onnx")
    for length in stride(from: 0, to: whole.count, by: 37) {
      _ = try? ONNXImporter.graph(Array(whole[..<length]), name: "short")
    }
    var state: UInt64 = 88_172_645_463_325_252
    func random(_ limit: Int) -> Int {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Int(state % UInt64(limit))
    }
    for _ in 0..<600 {
      var bytes = whole
      for _ in 0..<1 + random(8) { bytes[random(bytes.count)] = UInt8(random(256)) }
      _ = try? ONNXImporter.graph(bytes, name: "damaged")
    }
  }
}
