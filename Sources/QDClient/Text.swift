internal import CQDLinux
import Glibc
package import QDMessages

/// A text in the user's language; %1, %2 and so on are replaced by the arguments.
package func tr(_ text: String, _ arguments: String...) -> String {
  tr(UserMessage(pattern: text, arguments: arguments.map { .text($0) }))
}

/// A message in the user's language.
package func tr(_ message: UserMessage) -> String { message.text(translation(of:)) }

/// The text of an error in the user's language.
package func tr(_ error: any Error) -> String { tr(UserMessage(describing: error)) }

/// Our translation, or that of libpulse or the C library for their own messages.
private func translation(of text: String) -> String {
  // The empty text is the catalogue's header.
  if text.isEmpty { return text }
  return unsafe text.withCString { text in
    for domain in ["qdenoise", "pulseaudio", "libc"] {
      // Without a translation the result is the argument, which lives only as long as the call.
      guard let found = unsafe dgettext(domain, text),
        unsafe found != UnsafeMutablePointer(mutating: text)
      else { continue }
      return unsafe String(cString: found)
    }
    return unsafe String(cString: text)
  }
}

/// A text with its first letter capitalized, as in the window.
package func sentence(_ text: String) -> String { text.prefix(1).uppercased() + text.dropFirst() }

/// A number in the user's locale.
package func number(_ value: Double, decimals: Int = 1) -> String {
  guard value.isFinite else { return "\(value)" }
  var scale = 1.0
  for _ in 0..<decimals { scale *= 10 }
  let scaled = (abs(value) * scale).rounded()
  guard scaled < 1e15 else { return "\(value)" }
  let (whole, rest) = Int(scaled).quotientAndRemainder(dividingBy: Int(scale))
  let sign = value < 0 && scaled > 0 ? "\u{2212}" : ""
  if decimals == 0 { return "\(sign)\(whole)" }
  let point = unsafe localeconv().map { unsafe String(cString: $0.pointee.decimal_point) } ?? "."
  let digits = String(repeating: "0", count: decimals - "\(rest)".count) + "\(rest)"
  return "\(sign)\(whole)\(point)\(digits)"
}

/// A list of names for a sentence.
package func list(_ names: [String]) -> String { names.joined(separator: ", ") }
