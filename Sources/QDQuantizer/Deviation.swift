import Foundation

/// The deviation of values from expected ones, accumulated over runs.
public struct Deviation: Sendable, Equatable {
  public private(set) var count = 0
  /// Largest absolute error.
  public private(set) var largest = 0.0
  private var sum = 0.0
  private var squares = 0.0
  private var power = 0.0

  public init() {}

  mutating func add(_ values: [Float], expected: [Float]) {
    for (value, wanted) in zip(values, expected) {
      // NaN in both, or the same infinity.
      if (value.isNaN && wanted.isNaN) || (value.isInfinite && value == wanted) { continue }
      let error = Double(value) - Double(wanted)
      largest = error.isNaN ? .infinity : max(largest, abs(error))
      sum += error
      squares += error * error
      power += Double(wanted) * Double(wanted)
    }
    count += values.count
  }

  /// Accumulates another deviation.
  mutating func add(_ other: Deviation) {
    count += other.count
    largest = max(largest, other.largest)
    sum += other.sum
    squares += other.squares
    power += other.power
  }

  public var meanError: Double { count == 0 ? 0 : sum / Double(count) }
  public var meanSquaredError: Double { count == 0 ? 0 : squares / Double(count) }
  /// Of the error around its mean.
  public var standardDeviation: Double {
    (max(0, meanSquaredError - meanError * meanError)).squareRoot()
  }
  /// Power of the expected values over that of the error, in dB; infinite if there is no error.
  public var signalToNoise: Double {
    if squares.isNaN { return -.infinity }
    return squares == 0 ? .infinity : 10 * log10(power / squares)
  }
}
