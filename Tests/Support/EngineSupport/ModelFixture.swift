public import QDEngine
public import Foundation

/// The models of Tests/Fixtures.
public enum ModelFixture {
  public static let folder = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().appending(path: "Fixtures")

  public static func bytes(_ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appending(path: "\(name).tflite")))
  }

  /// Of all of them, with their folders.
  public static var names: [String] {
    get throws {
      try FileManager.default.subpathsOfDirectory(atPath: folder.path)
        .filter { $0.hasSuffix(".tflite") }.map { String($0.dropLast(7)) }.sorted()
    }
  }
}

/// The state pairs that are named state_<n>_in and state_<n>_out, and level_in and level_out.
public func streamingStates(_ graph: Graph) -> [StatePair] {
  graph.inputs.map { graph.tensors[$0].name }.filter { $0.hasSuffix("_in") }
    .map { StatePair(input: $0, output: $0.dropLast(2) + "out") }
}
