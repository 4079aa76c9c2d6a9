import CQDSystemd

/// Notifies the service manager; does nothing outside of systemd.
public enum Notify {
  /// The virtual microphone exists and control commands are answered.
  public static func ready(_ status: String) { send("READY=1\nSTATUS=\(line(status))") }

  /// One line for `systemctl --user status`.
  public static func status(_ text: String) { send("STATUS=\(line(text))") }

  /// Feeds the watchdog.
  public static func watchdog() { send("WATCHDOG=1") }

  public static func stopping() { send("STOPPING=1") }

  /// Microseconds within which ``watchdog()`` must be called; `nil` without a watchdog.
  public static var watchdogInterval: UInt64? {
    var microseconds: UInt64 = 0
    guard unsafe sd_watchdog_enabled(0, &microseconds) > 0 else { return nil }
    return microseconds
  }

  private static func send(_ state: String) {
    // A failure means that there is no socket for notifications.
    _ = unsafe sd_notify(0, state)
  }

  private static func line(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 }).printable
  }
}
