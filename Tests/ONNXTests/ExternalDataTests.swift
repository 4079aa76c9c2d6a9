import QDEngine
import QDONNX
import Testing

/// Weights in a file beside the model's.
struct ExternalDataTests {
  private static func field(_ number: UInt8, _ content: [UInt8]) -> [UInt8] {
    [number << 3 | 2, UInt8(content.count)] + content
  }

  private static func text(_ number: UInt8, _ text: String) -> [UInt8] {
    field(number, Array(text.utf8))
  }

  /// y = x + w, with the four elements of w at an offset of a location.
  private static func model(_ location: String, offset: String = "4") -> [UInt8] {
    func entry(_ key: String, _ value: String) -> [UInt8] {
      field(13, text(1, key) + text(2, value))
    }
    let weights =
      [1 << 3, 4, 2 << 3, 1] + text(8, "w") + entry("location", location)
      + entry("offset", offset) + entry("length", "16") + [14 << 3, 1]
    let type = field(1, [1 << 3, 1] + field(2, field(1, [1 << 3, 4])))
    let node = text(1, "x") + text(1, "w") + text(2, "y") + text(4, "Add")
    let graph =
      field(1, node) + field(5, weights) + field(11, text(1, "x") + field(2, type))
      + field(12, text(1, "y"))
    return field(7, graph) + field(8, [2 << 3, 17])
  }

  private static func graph(
    _ bytes: [UInt8], _ file: [UInt8]? = nil
  ) throws(ONNXError) -> Graph {
    var options = ONNXImporter.Options()
    if let file {
      options.external = { location throws(ONNXError) in
        guard location == "data/w.bin" else {
          throw .unusable(name: "m.onnx", reason: "\(location) was asked for")
        }
        return file
      }
    }
    return try ONNXImporter.network(bytes, name: "m.onnx", options: options).graph
  }

  private static let four = [Float(1), 2, 3, 4].flatMap { value in
    (0..<4).map { UInt8(truncatingIfNeeded: value.bitPattern >> (8 * $0)) }
  }

  @Test func `weights are read from the file beside the model`() throws {
    let graph = try Self.graph(Self.model("data/w.bin"), [0, 0, 0, 0] + Self.four)
    #expect(graph.tensors.contains { $0.data == Self.four })
  }

  @Test(arguments: ["../w.bin", "/etc/passwd", "data/../../w.bin", "", ".", "data//w.bin"])
  func `a location outside of the model's folder is refused`(location: String) {
    let error = #expect(throws: ONNXError.self) {
      try Self.graph(Self.model(location), Self.four)
    }
    #expect(error?.description.contains("outside of its folder") == true)
  }

  @Test(arguments: ["-1", "8", "9223372036854775807", "x"])
  func `a stretch that is not in the file is refused`(offset: String) {
    let error = #expect(throws: ONNXError.self) {
      try Self.graph(Self.model("data/w.bin", offset: offset), Self.four)
    }
    #expect(error?.description.contains("too few for it") == true)
  }

  @Test func `without a folder the weights have to be in the model`() {
    #expect(throws: ONNXError.self) { try Self.graph(Self.model("data/w.bin")) }
  }
}
