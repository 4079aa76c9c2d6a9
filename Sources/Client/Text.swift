internal import CLinux
import Glibc

/// A text in the person's language; %1, %2 and so on stand for the arguments.
package func tr(_ text: String, _ arguments: String...) -> String {
  // Without a translation the answer is the question, which lives as long as the call.
  var result = unsafe text.withCString { text in
    unsafe String(cString: dgettext("qdenoise", text) ?? UnsafeMutablePointer(mutating: text))
  }
  for (index, argument) in arguments.enumerated() {
    result = result.replacing("%\(index + 1)", with: argument)
  }
  return result
}

/// A number as the person writes it.
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

/// A list of names as a sentence has it.
package func list(_ names: [String]) -> String { names.joined(separator: ", ") }

/// Where the texts in other languages lie: beside the program, as it is installed.
package enum Translations {
  package static func bind() {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = unsafe readlink("/proc/self/exe", &path, path.count - 1)
    let program = String(
      decoding: path.prefix(max(count, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    let parts = program.split(separator: "/").dropLast(2)
    let folder =
      unsafe getenv("QDENOISE_LOCALES").map { unsafe String(cString: $0) }
      ?? "/" + (parts + ["share", "locale"]).joined(separator: "/")
    unsafe setlocale(LC_ALL, "")
    unsafe bindtextdomain("qdenoise", folder)
    unsafe bind_textdomain_codeset("qdenoise", "UTF-8")
  }
}
