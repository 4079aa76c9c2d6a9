/// The limit of the daemon's time for each caller on the bus: a caller that floods it is refused,
/// which costs almost nothing, so that others are answered.
///
/// Times are microseconds of a monotonic clock. Thread: control.
package struct CallBudget {
  /// The period after which a caller's use is reset.
  package static let period: UInt64 = 1_000_000
  /// The maximum time for the answers to one caller in a period.
  package static let longest: UInt64 = 100_000
  /// The maximum number of calls that are answered in a period. A window with meters makes some
  /// tens.
  package static let most = 200

  private struct Use {
    var calls = 0
    var microseconds: UInt64 = 0
  }

  private var start: UInt64 = 0
  private var uses: [String: Use] = [:]
  private var current: String?

  package init() {}

  /// Whether a caller's next call is answered; `charge` then records its time.
  package mutating func admits(_ caller: String, at now: UInt64) -> Bool {
    if now >= start + Self.period {
      start = now
      uses.removeAll(keepingCapacity: true)
    }
    let use = uses[caller, default: Use()]
    guard use.calls < Self.most, use.microseconds < Self.longest else { return false }
    uses[caller, default: use].calls += 1
    current = caller
    return true
  }

  /// Records the time of the last admitted call, and returns it; 0 if there was none since the last
  /// record.
  @discardableResult
  package mutating func charge(_ microseconds: UInt64) -> UInt64 {
    guard let caller = current else { return 0 }
    current = nil
    uses[caller]?.microseconds += microseconds
    return microseconds
  }
}
