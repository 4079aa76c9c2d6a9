/// How many hops may be given: never more than time has passed, but for a credit of five.
///
/// Sound that was held up and comes at once does not lengthen what the listener has before itself
/// by more than the credit, nor does sound that comes after silence was given in its place. Time in
/// which nothing was given is not saved up. Times are microseconds of the monotonic clock.
/// Thread: audio.
package struct HopBudget {
  /// Hops.
  package static let credit = 5
  /// A microphone's clock may be faster than ours by this part.
  private static let tolerance: Int64 = 500

  private var balance: Int64 = .max
  private var last: UInt64 = 0

  package init() {}

  /// Somebody listens from now on.
  package mutating func start(at now: UInt64) {
    balance = .max
    last = now
  }

  /// Hops of `hop` microseconds that may be given now to a listener of a source whose samples come
  /// `period` microseconds at a time.
  package mutating func hops(at now: UInt64, hop: UInt64, period: UInt64) -> Int {
    let elapsed = Int64(now - last)
    last = now
    let most = Int64(Self.credit) * Int64(hop) + Int64(period)
    if balance < most { balance += elapsed + elapsed / Self.tolerance }
    balance = min(balance, most)
    return Int(max(0, balance) / Int64(hop))
  }

  /// A hop of `hop` microseconds was given.
  package mutating func spend(hop: UInt64) { balance -= Int64(hop) }
}
