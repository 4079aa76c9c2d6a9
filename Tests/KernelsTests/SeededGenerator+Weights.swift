import Seeded

extension SeededGenerator {
  mutating func weights(_ count: Int) -> [Int8] {
    (0..<count).map { _ in Int8.random(in: -127...127, using: &self) }
  }
}

/// The bits of floats, so that a comparison tells -0 from 0 and compares NaN.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
