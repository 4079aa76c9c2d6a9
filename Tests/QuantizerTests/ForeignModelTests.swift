import QDEngine
import Foundation
import QDQuantizer
import QDTFLite
import Testing

/// Conversions of small files in the forms that other people's converters write, where they lie
/// beside the project.
@Suite(.enabled(if: ForeignFiles.areThere))
struct ForeignModelTests {
  static func graph(_ name: String) throws -> Graph {
    let bytes = Array(try Data(contentsOf: ForeignFiles.folder.appending(path: "\(name).tflite")))
    return try TFLiteFile.read(bytes, name: name)
  }

  static func written(_ graph: Graph) throws -> Graph {
    try TFLiteFile.read(try TFLiteFile.write(graph), name: graph.name)
  }

  @Test(arguments: [false, true])
  func `activations of almost nothing are calibrated and run`(isInt16: Bool) throws {
    let graph = try Self.graph("convert_crash_tiny_activation")
    let result = try IntegerQuantizationTests.converted(graph) {
      if isInt16 { $0.activations = .int16 }
    }
    var network = try Network(result)
    network.run()
  }

  /// Rounding the input and the weights alone leaves 25.3 to 26.9 dB, depending on the samples.
  @Test func `a layer before a clip has the range that the clip leaves`() throws {
    let graph = try Self.graph("convert_int8_clip")
    let result = try IntegerQuantizationTests.converted(graph)
    #expect(try IntegerQuantizationTests.signalToNoise(graph, result) > 26)
  }

  @Test func `a clamp that never comes to it has no more steps than LiteRT takes`() throws {
    let result = try IntegerQuantizationTests.converted(
      try Self.graph("convert_16x8_relu6_dead")
    ) { $0.activations = .int16 }
    for node in result.operators where node.kind.activation == .relu6 {
      let scale = try #require(result.tensors[node.outputs[0]].quantization?.scales.first)
      #expect(6 / scale < 0x1p31)
    }
  }

  @Test func `a second signature is kept`() throws {
    let graph = try Self.graph("convert_drops_signature")
    let result = try Self.written(try quantize(graph))
    #expect(result.signatures.map(\.key) == ["add"])
    #expect(result.others.map { $0.signatures.map(\.key) } == [["mul"]])
    #expect(result.others[0].operators.map(\.kind.name) == ["MUL"])
  }

  @Test func `an open batch stays open`() throws {
    let result = try Self.written(try quantize(try Self.graph("convert_freezes_open_batch")))
    #expect(result.tensors[result.inputs[0]].shapeSignature == [-1, 64])
  }

  @Test func `roots of negative numbers are no difference`() throws {
    let graph = try Self.graph("verify_sqrt_nan")
    let samples = graph.randomSamples(8, seed: 1, states: [])
    #expect(try Comparison(graph, graph, samples: samples).worst > 90)
  }
}

enum ForeignFiles {
  static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../../shared/tools/foreign-models").standardizedFileURL

  static var areThere: Bool { FileManager.default.fileExists(atPath: folder.path) }
}

/// Weights in smaller types.
struct SmallTypeTests {
  @Test func `weights beyond the range of halves stay float32`() throws {
    var graph = IntegerQuantizationTests.network
    graph.tensors[1].data?.replaceSubrange(0..<4, with: [0, 0, 0x80, 0x47])
    let result = try quantize(graph, .float16)
    #expect(result.floatLayers.count == 1)
    #expect(
      result.tensors.filter { $0.type == .float16 }.allSatisfy { tensor in
        stride(from: 1, to: tensor.data!.count, by: 2).allSatisfy {
          tensor.data![$0] & 0x7C != 0x7C
        }
      })
  }
}
