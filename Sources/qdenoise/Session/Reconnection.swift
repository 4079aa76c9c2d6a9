import Control
import UserMessages

/// When a back end that is away is tried again, and what was told of it. Times are microseconds of the
/// monotonic clock. Thread: control.
struct Reconnection {
  /// How long is waited before a server that went away is tried again; grows up to the longest while
  /// it stays away.
  static let shortestPause: UInt64 = 40_000
  static let longestPause: UInt64 = 2_000_000
  /// The longest that a daemon waits which is not the first on its server.
  static let longestWait: UInt64 = 30_000_000

  /// When to try; nil while there is a connection.
  private(set) var due: UInt64? = 0
  /// Why there is none.
  private(set) var failure: UserMessage?
  private var pause = Self.shortestPause
  /// The connection has everything that it is to have.
  private var isGreeted = false

  /// There is a connection.
  mutating func open() { due = nil }

  /// There is none. A failure is told once.
  mutating func fail(_ error: BackendError, at now: UInt64) {
    if failure != error.message { Journal.write(.warning, error.description) }
    failure = error.message
    isGreeted = false
    switch error {
    case .failed:
      due = now + pause
      // A server that restarts is back within a second or two, and its applications with it.
      pause = min(pause + pause / 8, Self.longestPause)
    case .taken:
      pause = min(max(2 * pause, Self.longestPause), Self.longestWait)
      due = now + pause
    }
  }

  /// The connection does what it is for. Says whether that is news; before that a failure is not told
  /// anew.
  mutating func greet() -> Bool {
    failure = nil
    pause = Self.shortestPause
    defer { isGreeted = true }
    return !isGreeted
  }
}
