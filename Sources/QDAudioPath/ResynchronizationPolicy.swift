/// Decides when latency that has piled up in the output is thrown away.
///
/// An excess of more than 100 ms goes at once. One of more than 10 ms goes when the mean of some
/// tenths of a second has exceeded it for half a second: jitter passes by itself, and every cut is
/// heard. Times are microseconds, of the monotonic clock where they are points in time.
/// Thread: audio.
package struct ResynchronizationPolicy {
  package static let tolerance = 10_000
  package static let limit = 100_000
  package static let persistence: UInt64 = 500_000
  /// Time constant of the mean.
  private static let smoothing = 200_000.0

  /// What is to be done.
  package enum Action: Equatable, Sendable {
    case nothing
    /// So much is to be left out.
    case skip(microseconds: Int)
    /// All that waits is to be thrown away.
    case empty
  }

  /// The mean of the excess; nil before the first measurement.
  package private(set) var excess: Double?
  private var exceededSince: UInt64?
  private var last: UInt64 = 0

  package init() {}

  /// Records by how much the output's fill exceeds what it should be.
  package mutating func record(excess measured: Int, at now: UInt64) -> Action {
    guard measured <= Self.limit else {
      self = Self()
      return .empty
    }
    let before = excess ?? 0
    let weight = excess == nil ? 0 : min(1, Double(now - last) / Self.smoothing)
    let mean = before + (Double(measured) - before) * weight
    excess = mean
    last = now
    guard mean > Double(Self.tolerance) else {
      exceededSince = nil
      return .nothing
    }
    let since = exceededSince ?? now
    exceededSince = since
    guard now - since >= Self.persistence else { return .nothing }
    self = Self()
    return .skip(microseconds: Int(mean))
  }
}
