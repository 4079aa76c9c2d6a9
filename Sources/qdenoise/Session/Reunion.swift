/// Recognizes the streams of before a restart of the server, whose indices mean nothing any more, by
/// their applications' processes. Times are microseconds of the monotonic clock. Thread: control.
struct Reunion {
  /// How long after a restart of the server a stream is taken for one of before.
  private static let duration: UInt64 = 30_000_000
  /// How long after its end a stream may have been ended by the server's end.
  private static let farewell: UInt64 = 5_000_000

  private var departed: [(identity: StrayListeners.Identity, at: UInt64)] = []
  private var claims: [StrayListeners.Identity] = []
  private var end: UInt64 = 0

  /// The server is another one; these were at home on the last.
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

  /// What ended long ago was not ended by the server.
  mutating func forget(at now: UInt64) {
    departed.removeAll { now - $0.at >= Self.farewell }
  }

  /// A stream is at home by itself.
  mutating func note(home identity: StrayListeners.Identity?) {
    claims.removeAll { $0 == identity }
  }

  /// Whether it is a stream of before, which it is once.
  mutating func takes(_ identity: StrayListeners.Identity?, at now: UInt64) -> Bool {
    guard now < end, let place = claims.firstIndex(where: { $0 == identity }) else { return false }
    claims.remove(at: place)
    return true
  }
}
