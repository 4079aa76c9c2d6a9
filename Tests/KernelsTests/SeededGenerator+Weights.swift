import Seeded

extension SeededGenerator {
  mutating func weights(_ count: Int) -> [Int8] {
    (0..<count).map { _ in Int8.random(in: -127...127, using: &self) }
  }

  /// Rows of `inputs` weights whose pairs (2i, 2i + 1) have sizes of at most 128 together, many of
  /// them just that.
  mutating func boundedWeights(outputs: Int, inputs: Int) -> [Int8] {
    let largest: [[Int8]] = [
      [127, 1], [1, 127], [-127, -1], [-128, 0], [0, -128], [64, 64], [-64, -64], [-28, 100],
    ]
    return (0..<outputs).flatMap { _ in
      let pairs = (0..<(inputs + 1) / 2).flatMap { _ in
        Bool.random(using: &self)
          ? largest.randomElement(using: &self)!
          : [.random(in: -64...64, using: &self), .random(in: -64...64, using: &self)]
      }
      return pairs.prefix(inputs)
    }
  }
}

/// The bits of floats, so that a comparison tells -0 from 0 and compares NaN.
func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
