import QDEngine
import EngineSupport
import Foundation
import QDTFLite
import Testing

struct WritingTests {
  @Test func `what is written reads as the same graph`() throws {
    let names = try ModelFixture.names
    #expect(names.count > 30)
    for name in names {
      let graph = try TFLiteFile.read(try ModelFixture.bytes(name), name: name)
      // Variables become inputs and outputs after all others; types that graphs lack become others.
      guard graph.variables.isEmpty, graph.tensors.allSatisfy({ $0.restoredFrom == nil }) else {
        continue
      }
      #expect(try TFLiteFile.read(try TFLiteFile.write(graph), name: name) == graph)
    }
  }

  @Test func `a file is not larger than TensorFlow's of the same graph`() throws {
    for name in try ModelFixture.names
    where name.hasPrefix("networks/") || name.hasPrefix("quantizer/converter_") {
      let theirs = try ModelFixture.bytes(name)
      let ours = try TFLiteFile.write(try TFLiteFile.read(theirs, name: name))
      #expect(ours.count <= theirs.count, "\(name)")
    }
  }

  @Test func `metadata and signatures travel with the graph`() throws {
    var graph = try TFLiteFile.read(try ModelFixture.bytes("operators/fc_m1_f32"), name: "model")
    graph.metadata = ["qdenoise": Array("{\"version\":1}".utf8), "other": [1, 2, 3]]
    graph.signatures = [
      Graph.Signature(
        key: "serving_default", inputs: ["x": graph.inputs[0]], outputs: ["y": graph.outputs[0]])
    ]
    #expect(try TFLiteFile.read(try TFLiteFile.write(graph), name: "model") == graph)
  }

  @Test func `an operator without a form in the file is named`() throws {
    var graph = try TFLiteFile.read(try ModelFixture.bytes("operators/fc_m1_f32"), name: "model")
    graph.operators[0].kind = .unsupported(name: "CUMSUM")
    #expect(
      throws: TFLiteError.cannotWrite(name: "model", index: 0, operator: "CUMSUM")
    ) { try TFLiteFile.write(graph) }
  }

  @Test func `constants lie at multiples of 16 bytes`() throws {
    let graph = try TFLiteFile.read(
      try ModelFixture.bytes("denoisers/streaming_int8"), name: "model")
    let bytes = try TFLiteFile.write(graph)
    for tensor in graph.tensors {
      guard let data = tensor.data, data.count >= 64 else { continue }
      let starts = stride(from: 0, to: bytes.count - data.count, by: 16)
      #expect(
        starts.contains { bytes[$0..<$0 + 64].elementsEqual(data.prefix(64)) }, "\(tensor.name)")
    }
  }
}
