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

  @Test(arguments: ["image", "attention", "gru", "branch"])
  func `nodes are taken in any order`(name: String) throws {
    let file = try Self.bytes("onnx/\(name).onnx")
    let turned = Self.fields(file[...]).flatMap { field -> [UInt8] in
      guard field.number == 7 else { return Array(field.all) }
      let nodes = Self.fields(field.payload).filter { $0.number == 1 }
      let others = Self.fields(field.payload).filter { $0.number != 1 }
      return field.all.dropLast(field.payload.count) + nodes.reversed().flatMap(\.all)
        + others.flatMap(\.all)
    }
    #expect(turned.count == file.count && turned != file)
    try Self.compare(try ONNXImporter.graph(turned, name: name), name, within: 2e-6)
  }

  @Test func `a model of other domains only says which they are`() throws {
    // opset_import: ai.onnx.ml, version 1; an empty graph.
    let domain = Array("ai.onnx.ml".utf8)
    let bytes =
      [0x42, UInt8(domain.count + 4), 0x0A, UInt8(domain.count)] + domain
      + [0x10, 0x01, 0x3A, 0x00]
    let error = #expect(throws: ONNXError.self) { try ONNXImporter.graph(bytes, name: "trees") }
    #expect("\(try #require(error))".contains("of ai.onnx.ml, none of ai.onnx"))
  }

  /// The fields of a protobuf message: all bytes of each, and those without key and length.
  private static func fields(
    _ message: ArraySlice<UInt8>
  ) -> [(number: Int, all: ArraySlice<UInt8>, payload: ArraySlice<UInt8>)] {
    var result: [(number: Int, all: ArraySlice<UInt8>, payload: ArraySlice<UInt8>)] = []
    var next = message.startIndex
    func varint() -> Int {
      var value = 0
      for shift in stride(from: 0, to: 63, by: 7) {
        let byte = message[next]
        next += 1
        value |= Int(byte & 0x7F) << shift
        if byte < 0x80 { break }
      }
      return value
    }
    while next < message.endIndex {
      let start = next
      let key = varint()
      let count =
        switch key & 7 {
        case 0: 0
        case 1: 8
        case 2: varint()
        default: 4
        }
      let payload = next
      if key & 7 == 0 { _ = varint() } else { next += count }
      result.append((key >> 3, message[start..<next], message[payload..<next]))
    }
    return result
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
