import QDControl
import Glibc
import Synchronization

/// A line on the terminal with the progress and the remaining time of a long job; silent if stderr
/// is no terminal that can move its cursor.
package final class ProgressBar: Sendable {
  private let isShown = movesCursor(STDERR_FILENO)
  private let start = ContinuousClock.now
  /// The current text.
  private let line = Mutex("")

  /// - Parameter share: the finished part, 0 to 1; nil if unknown.
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
      if let left = ProgressBar.left(start.duration(to: .now), share: share) {
        next += ", \(left) left"
      }
    }
    line.withLock {
      guard $0 != next else { return }
      $0 = next
      put("\r\(next)\u{1b}[K")
    }
  }

  /// The remaining time at the pace so far, in words; nil if it is too early to say.
  package static func left(_ elapsed: Duration, share: Double) -> String? {
    guard elapsed >= .seconds(2), share > 0, share < 1 else { return nil }
    let spent = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
    let seconds = spent / share * (1 - share)
    switch seconds {
    case ..<90: return "\(Int(seconds.rounded(.up))) s"
    case ..<5400: return "\(Int((seconds / 60).rounded())) min"
    case ..<360_000: return "\(Int(seconds / 3600)) h \(Int(seconds / 60) % 60) min"
    default: return "days"
    }
  }

  /// Clears the line.
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
