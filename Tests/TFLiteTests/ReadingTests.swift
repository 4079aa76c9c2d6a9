import QDEngine
import EngineSupport
import QDTFLite
import Testing

struct ReadingTests {
  @Test func `a graph has the tensors and operators of the file`() throws {
    let graph = try TFLiteFile.read(try ModelFixture.bytes("operators/fc_m24_int8"), name: "model")
    #expect(graph.name == "model")
    #expect(graph.inputs.map { graph.tensors[$0].name } == ["x"])
    #expect(graph.outputs.map { graph.tensors[$0].name } == ["y"])
    #expect(graph.operators.count == 1)
    let node = try #require(graph.operators.first)
    #expect(node.kind == .fullyConnected(.none, keepsDimensions: true))
    #expect(node.version == 12)
    let weights = graph.tensors[try #require(node.inputs[1])]
    #expect(weights.shape == [32, 96])
    #expect(weights.type == .int8)
    #expect(weights.data?.count == 32 * 96)
    #expect(weights.quantization?.scales.count == 32)
    #expect(weights.quantization?.zeroPoints == Array(repeating: 0, count: 32))
  }

  @Test func `options are those of the file`() throws {
    let graph = try TFLiteFile.read(
      try ModelFixture.bytes("operators/conv_3x3_valid_stride2_f32"), name: "model")
    let window = Window(padding: .valid, strideHeight: 2, strideWidth: 2)
    #expect(graph.operators.first?.kind == .convolution(window, .none))
  }

  @Test func `something else than a model is named as such`() {
    #expect(throws: TFLiteError.notTFLite(name: "notes.txt")) {
      try TFLiteFile.read(Array("a text that is long enough".utf8), name: "notes.txt")
    }
    #expect(throws: TFLiteError.notTFLite(name: "empty")) {
      try TFLiteFile.read([], name: "empty")
    }
  }
}
