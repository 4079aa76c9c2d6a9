import Glibc

/// Shows a text that is repeatedly replaced, on the alternate screen, which leaves nothing in the
/// terminal's history.
///
/// Thread: one.
package struct Screen: ~Copyable {
  init() { Self.put("\u{1B}[?1049h\u{1B}[?25l") }

  deinit { Self.put("\u{1B}[?25h\u{1B}[?1049l") }

  /// Shows as much of the text as fits the terminal's current size.
  func show(_ text: String) {
    var size = winsize()
    let isKnown = unsafe ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0
    let (rows, columns) = isKnown ? (Int(size.ws_row), Int(size.ws_col)) : (24, 80)
    Self.put("\u{1B}[H" + Self.fit(terminalText(text), rows: rows, columns: columns) + "\u{1B}[J")
  }

  /// The first lines, each cut to the columns and followed by a clear to the end of the line.
  package static func fit(_ text: String, rows: Int, columns: Int) -> String {
    text.split(separator: "\n", omittingEmptySubsequences: false).prefix(rows)
      .map { $0.prefix(columns) + "\u{1B}[K" }.joined(separator: "\r\n")
  }

  private static func put(_ text: String) {
    let bytes = Array(text.utf8)
    _ = unsafe write(STDOUT_FILENO, bytes, bytes.count)
  }
}
