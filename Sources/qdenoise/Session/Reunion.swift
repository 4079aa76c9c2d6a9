/// Recognizes the streams from before a restart of the server, whose old indices are invalid, by
/// their applications' processes. Times are microseconds of the monotonic clock. Thread: control.
struct Reunion {
  /// How long after a restart of the server a stream can be recognized as an earlier one.
  private static let duration: UInt64 = 30_000_000
  /// The maximum time between the end of a stream and of the server that ended it.
  private static let farewell: UInt64 = 5_000_000

  private var departed: [(identity: StrayListeners.Identity, at: UInt64)] = []
  private var claims: [StrayListeners.Identity] = []
  private var end: UInt64 = 0

  /// There is a new server; these streams recorded from us on the last one.
  mutating func begin(_ listeners: [StrayListeners.Identity], at now: UInt64) {
    claims =
      listeners + departed.filter { now - $0.at < Self.farewell }.map(\.identity)
    end = now + Self.duration
    departed = []
  }

  /// A listener has ended.
  mutating func note(end identity: StrayListeners.Identity, at now: UInt64) {
    departed.append((identity, now))
  }

  /// Drops streams that ended long before, because the server did not end them.
  mutating func forget(at now: UInt64) {
    departed.removeAll { now - $0.at >= Self.farewell }
  }

  /// A stream already records from us.
  mutating func note(home identity: StrayListeners.Identity?) {
    claims.removeAll { $0 == identity }
  }

  /// Whether it is one of the earlier streams; each is recognized once.
  mutating func takes(_ identity: StrayListeners.Identity?, at now: UInt64) -> Bool {
    guard now < end, let place = claims.firstIndex(where: { $0 == identity }) else { return false }
    claims.remove(at: place)
    return true
  }
}
