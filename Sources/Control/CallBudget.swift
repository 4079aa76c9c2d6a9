/// What each caller on the bus may take of the daemon's time: a caller that floods it is refused,
/// which takes next to nothing, so that the others are answered.
///
/// Times are microseconds of one clock that only goes on. Thread: control.
package struct CallBudget {
  /// After so long all is forgiven.
  package static let period: UInt64 = 1_000_000
  /// What the answers to one caller may take in a period.
  package static let longest: UInt64 = 100_000
  /// How many of its calls are answered in a period. A window that shows meters asks for some tens.
  package static let most = 200

  private struct Use {
    var calls = 0
    var microseconds: UInt64 = 0
  }

  private var start: UInt64 = 0
  private var uses: [String: Use] = [:]
  private var current: String?

  package init() {}

  /// Whether a caller's next call is answered; `charge` then says what that took.
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

  /// Notes what the call that was admitted last has taken, and gives it; 0 if there was none since
  /// the last note.
  @discardableResult
  package mutating func charge(_ microseconds: UInt64) -> UInt64 {
    guard let caller = current else { return 0 }
    current = nil
    uses[caller]?.microseconds += microseconds
    return microseconds
  }
}
