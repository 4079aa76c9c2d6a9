import QDControl
import Glibc

/// Writes lines to stdout with names escaped: names from the sound server, models and files must
/// not control a terminal.
func say(_ text: String) { print(terminalText(text)) }

/// Writes a line for the person at the terminal to stderr.
func printError(_ text: String) {
  let line = Array("denoisectl: \(terminalText(text.printable))\n".utf8)
  _ = unsafe write(STDERR_FILENO, line, line.count)
}

/// Lines in the terminal's character set: ASCII without a UTF-8 locale.
func terminalText(_ text: String) -> String {
  let text = text.printableLines
  return hasUnicode ? text : text.replacing("µ", with: "u").printableASCII
}

/// Whether a descriptor is a terminal that can move its cursor.
func movesCursor(_ descriptor: Int32) -> Bool {
  guard isatty(descriptor) == 1, let name = unsafe getenv("TERM") else { return false }
  let terminal = unsafe String(cString: name)
  return !terminal.isEmpty && terminal != "dumb"
}

/// As setlocale(3) determines the character set.
private let hasUnicode: Bool = {
  for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
    guard let value = unsafe getenv(name), unsafe value.pointee != 0 else { continue }
    let locale = unsafe String(cString: value).lowercased()
    return locale.contains("utf-8") || locale.contains("utf8")
  }
  return false
}()
