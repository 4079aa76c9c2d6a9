import CQDSystemd
import Glibc

/// The daemon's log: journal entries with fields under systemd, lines on stderr elsewhere.
public enum Journal {
  /// As in syslog(3).
  public enum Priority: Int, Sendable {
    case error = 3
    case warning = 4
    case notice = 5
    case info = 6
    case debug = 7
  }

  /// Writes one entry; field names are upper case, such as "QDENOISE_DEVICE".
  ///
  /// Thread: any but audio.
  public static func write(
    _ priority: Priority, _ message: String, _ fields: KeyValuePairs<String, String> = [:]
  ) {
    let message = message.printable
    if stderrIsJournal && send(priority, message, fields) { return }
    let details = fields.map { " \($0.key)=\($0.value.printable)" }.joined()
    let line = Array("qdenoise: \(label(priority))\(message)\(details)\n".utf8)
    // A failure of stderr cannot be reported.
    _ = unsafe line.withUnsafeBytes { unsafe Glibc.write(2, $0.baseAddress, $0.count) }
  }

  private static func label(_ priority: Priority) -> String {
    switch priority {
    case .error: "error: "
    case .warning: "warning: "
    case .notice, .info: ""
    case .debug: "debug: "
    }
  }

  /// As in systemd.exec(5): JOURNAL_STREAM has the device and inode of stderr.
  static var stderrIsJournal: Bool {
    guard let variable = unsafe getenv("JOURNAL_STREAM") else { return false }
    var status = stat()
    guard unsafe fstat(2, &status) == 0 else { return false }
    return unsafe String(cString: variable) == "\(status.st_dev):\(status.st_ino)"
  }

  /// Whether the journal accepted the entry.
  private static func send(
    _ priority: Priority, _ message: String, _ fields: KeyValuePairs<String, String>
  ) -> Bool {
    var entries = [
      "MESSAGE=\(message)", "PRIORITY=\(priority.rawValue)", "SYSLOG_IDENTIFIER=qdenoise",
    ]
    entries += fields.map { "\($0.key)=\($0.value)" }
    let bytes = entries.flatMap { Array($0.utf8) }
    return unsafe bytes.withUnsafeBytes { all in
      var offset = 0
      let vectors = unsafe entries.map { entry in
        defer { offset += entry.utf8.count }
        return unsafe iovec(
          iov_base: UnsafeMutableRawPointer(mutating: all.baseAddress! + offset),
          iov_len: entry.utf8.count)
      }
      return unsafe sd_journal_sendv(vectors, Int32(vectors.count)) == 0
    }
  }
}
