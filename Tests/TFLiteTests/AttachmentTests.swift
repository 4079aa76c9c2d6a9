import QDEngine
import EngineSupport
import QDTFLite
import Testing

/// A zip of labels behind the FlatBuffer.
struct AttachmentTests {
  /// What `zip` makes of labels.txt with "cat\ndog\n", stored; places count from `place`.
  private func archive(at place: Int) -> [UInt8] {
    func bytes(_ value: Int, _ count: Int) -> [UInt8] {
      (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
    let (name, content) = (Array("labels.txt".utf8), Array("cat\ndog\n".utf8))
    // Version, flags, method, time, date, checksum, sizes, lengths.
    let common =
      bytes(20, 2) + bytes(0, 4) + bytes(0, 4) + bytes(0x1234_5678, 4)
      + bytes(content.count, 4) + bytes(content.count, 4) + bytes(name.count, 2) + bytes(0, 2)
    let local = [0x50, 0x4B, 3, 4] + common + name + content
    let entry =
      [0x50, 0x4B, 1, 2] + bytes(20, 2) + common + bytes(0, 2) + bytes(0, 2) + bytes(0, 2)
      + bytes(0, 4) + bytes(place, 4) + name
    let end =
      [0x50, 0x4B, 5, 6] + bytes(0, 4) + bytes(1, 2) + bytes(1, 2) + bytes(entry.count, 4)
      + bytes(place + local.count, 4) + bytes(0, 2)
    return local + entry + end
  }

  @Test(arguments: [true, false])
  func `it is read, kept, and has its places from the new file`(countsFromFile: Bool) throws {
    let model = try ModelFixture.bytes("operators/fc_m1_f32") + Array(repeating: 0, count: 5)
    let file = model + archive(at: countsFromFile ? model.count : 0)
    var graph = try TFLiteFile.read(file, name: "model")
    #expect(graph.attachment == archive(at: 0))
    graph.metadata["more"] = Array(repeating: 7, count: 100)
    let written = try TFLiteFile.write(graph)
    let start = written.count - graph.attachment.count
    #expect(Array(written[start...]) == archive(at: start))
    #expect(try TFLiteFile.read(written, name: "model") == graph)
  }

  @Test func `one that is damaged is left out`() throws {
    let model = try ModelFixture.bytes("operators/fc_m1_f32")
    let whole = archive(at: model.count)
    for place in whole.indices {
      for value in [UInt8(0), 0x80, 0xFF] {
        var damaged = whole
        damaged[place] = value
        let graph = try TFLiteFile.read(model + damaged, name: "model")
        _ = try TFLiteFile.write(graph)
      }
      _ = try TFLiteFile.read(model + whole[..<place], name: "model")
    }
    #expect(try TFLiteFile.read(model + whole.dropLast(), name: "model").attachment.isEmpty)
    #expect(try TFLiteFile.read(model, name: "model").attachment.isEmpty)
  }
}
