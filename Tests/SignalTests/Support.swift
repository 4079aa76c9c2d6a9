import Foundation

/// The vectors that models/training/golden.py wrote.
func frontEndVector(_ name: String) throws -> [Float] {
  try frontEndFile("\(name).f32").withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
}

/// The band edges that go with them.
func frontEndBandEdges() throws -> [Int] {
  struct Description: Decodable { var band_edges: [Int] }
  return try JSONDecoder().decode(Description.self, from: frontEndFile("vectors.json")).band_edges
}

private func frontEndFile(_ name: String) throws -> Data {
  let tests = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent()
  return try Data(contentsOf: tests.appendingPathComponent("Fixtures/frontend/\(name)"))
}
