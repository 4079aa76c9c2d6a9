/// Keeps the fill of a buffer between two clocks at its target by a conversion ratio near 1.
///
/// A proportional-integral controller with a natural frequency of 0.2 rad/s and a damping of 0.7
/// acts on the fill, smoothed over half a second. The ratio changes by less than 50 millionths per
/// hop, which is inaudible. Thread: audio.
public struct DriftControl: Sendable {
  /// The maximum change of the ratio in one hop.
  public static let largestStep = 40e-6
  /// The maximum deviation of the ratio from 1.
  public static let largestDeviation = 2e-3

  /// Samples.
  public let target: Double
  /// Output samples per input sample.
  public private(set) var ratio = 1.0
  /// The smoothed fill, in samples.
  public private(set) var fill: Double?

  private let sampleRate: Double
  private var integral = 0.0

  private static let naturalFrequency = 0.2
  private static let damping = 0.7
  private static let smoothingSeconds = 0.5

  public init(target: Double, sampleRate: Int) {
    self.target = target
    self.sampleRate = Double(sampleRate)
  }

  /// Takes the measured fill in samples and returns the ratio for the current hop of `hop` samples.
  /// Call it once per hop.
  @_noAllocation @_noLocks
  public mutating func update(fill measured: Double, hop: Int) -> Double {
    let hopSeconds = Double(hop) / sampleRate
    let before = fill ?? measured
    let smoothed = before + (measured - before) * hopSeconds / DriftControl.smoothingSeconds
    fill = smoothed
    let error = (target - smoothed) / sampleRate
    let frequency = DriftControl.naturalFrequency
    integral = limit(
      integral + frequency * frequency * error * hopSeconds, DriftControl.largestDeviation)
    let proportional = 2 * DriftControl.damping * frequency * error
    let wanted = limit(integral + proportional, DriftControl.largestDeviation)
    ratio += limit(wanted - (ratio - 1), DriftControl.largestStep)
    return ratio
  }

  /// The estimated drift in millionths: positive if the output's clock is faster.
  public var driftPartsPerMillion: Double { integral * 1e6 }

  /// Clears the fill after a dropout, and keeps the estimated drift.
  public mutating func restart() {
    fill = nil
    ratio = 1 + integral
  }

  private func limit(_ value: Double, _ bound: Double) -> Double { min(max(value, -bound), bound) }
}
