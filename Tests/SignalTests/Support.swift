import Foundation
import Testing

/// Reproducible random numbers (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  /// White noise of uniform distribution.
  mutating func noise(_ count: Int, amplitude: Float) -> [Float] {
    (0..<count).map { _ in Float.random(in: -amplitude...amplitude, using: &self) }
  }
}

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

func largestDifference(_ a: some Sequence<Float>, _ b: some Sequence<Float>) -> Float {
  zip(a, b).reduce(0) { max($0, abs($1.0 - $1.1)) }
}
