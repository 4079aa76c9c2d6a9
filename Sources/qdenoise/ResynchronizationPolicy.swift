/// Decides when latency that has piled up is thrown away.
///
/// Only if the measured latency exceeds the expected one by more than 10 ms for a whole second, and
/// at most once in 10 s: jitter passes by itself, and every cut is heard. Times are microseconds of
/// the monotonic clock. Thread: control.
package struct ResynchronizationPolicy {
  package static let tolerance = 10_000
  package static let persistence: UInt64 = 1_000_000
  package static let pause: UInt64 = 10_000_000

  private var exceededSince: UInt64?
  private var last: UInt64?

  package init() {}

  /// Records a measurement and says whether to resynchronize now.
  package mutating func record(measured: Int, expected: Int, at now: UInt64) -> Bool {
    guard measured - expected > Self.tolerance else {
      exceededSince = nil
      return false
    }
    let since = exceededSince ?? now
    exceededSince = since
    guard now - since >= Self.persistence else { return false }
    if let last, now - last < Self.pause { return false }
    last = now
    exceededSince = nil
    return true
  }
}
