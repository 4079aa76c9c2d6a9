import QDControl
import QDMessages

/// The retries of a lost back end, and what was reported about it. Times are microseconds of the
/// monotonic clock. Thread: control.
struct Reconnection {
  /// The pause before a lost server is tried again; grows to the longest pause while it stays away.
  static let shortestPause: UInt64 = 40_000
  static let longestPause: UInt64 = 2_000_000
  /// The longest wait of a daemon that is not the first on its server.
  static let longestWait: UInt64 = 30_000_000

  /// When to retry; nil while there is a connection.
  private(set) var due: UInt64? = 0
  /// Why there is no connection.
  private(set) var failure: UserMessage?
  private var pause = Self.shortestPause
  /// Whether the connection is complete.
  private var isGreeted = false

  /// There is a connection.
  mutating func open() { due = nil }

  /// There is no connection. A failure is reported once.
  mutating func fail(_ error: BackendError, at now: UInt64) {
    if failure != error.message { Journal.write(.warning, error.description) }
    failure = error.message
    isGreeted = false
    switch error {
    case .failed:
      due = now + pause
      // A restarting server is back within a second or two, and its applications with it.
      pause = min(pause + pause / 8, Self.longestPause)
    case .taken:
      pause = min(max(2 * pause, Self.longestPause), Self.longestWait)
      due = now + pause
    }
  }

  /// The connection is complete. Returns whether that is news; until then a failure is not reported
  /// again.
  mutating func greet() -> Bool {
    failure = nil
    pause = Self.shortestPause
    defer { isGreeted = true }
    return !isGreeted
  }
}
