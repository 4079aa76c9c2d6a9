import Control
import Glibc
import Synchronization

/// A line on the terminal that says how far a long job is; silent where stderr is no terminal that
/// moves its cursor.
final class ProgressBar: Sendable {
  private let isShown = movesCursor(STDERR_FILENO)
  /// What stands there now.
  private let line = Mutex("")

  /// - Parameter share: the part that is done, 0 to 1; nil where nobody knows.
  func show(_ text: String, share: Double?) {
    guard isShown else { return }
    let width = 30
    let text = terminalText(text.printable)
    var next = text
    if let share {
      let filled = min(max(Int(share * Double(width)), 0), width)
      next =
        "[\(String(repeating: "#", count: filled))\(String(repeating: "-", count: width - filled))]"
        + " \(Int(min(share, 1) * 100)) % \(text)"
    }
    line.withLock {
      guard $0 != next else { return }
      $0 = next
      put("\r\(next)\u{1b}[K")
    }
  }

  /// Takes the line away.
  func clear() {
    guard isShown else { return }
    line.withLock {
      if !$0.isEmpty { put("\r\u{1b}[K") }
      $0 = ""
    }
  }

  private func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(STDERR_FILENO, bytes, bytes.count)
  }
}
