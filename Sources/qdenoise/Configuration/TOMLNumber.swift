/// TOML values without quotes.
enum TOMLNumber {
  /// `nil` if the word is no boolean, number or date.
  static func value(of word: String) -> TOMLValue? {
    switch word {
    case "true": return .truth(true)
    case "false": return .truth(false)
    case "inf", "+inf": return .number(.infinity)
    case "-inf": return .number(-.infinity)
    case "nan", "+nan", "-nan": return .number(.nan)
    default: break
    }
    if isDate(word) || isTime(word) { return .other(word) }
    guard let digits = withoutSeparators(word) else { return nil }
    return whole(digits).map { .whole($0) } ?? number(digits).map { .number($0) }
  }

  /// Whether it begins like a date; the rest is not checked, because no key takes one.
  static func isDate(_ word: String) -> Bool { fits(word, "0000-00-00") }

  private static func isTime(_ word: String) -> Bool { fits(word, "00:00") }

  /// Whether `word` begins like `pattern`, in which a 0 is any digit.
  private static func fits(_ word: String, _ pattern: String) -> Bool {
    let (word, pattern) = (word.utf8.prefix(pattern.utf8.count), pattern.utf8)
    return word.count == pattern.count
      && zip(word, pattern).allSatisfy {
        $1 == UInt8(ascii: "0") ? isDigit($0) : $0 == $1
      }
  }

  private static func isDigit(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }

  /// Removes underscores, each of which must be between two digits.
  private static func withoutSeparators(_ word: String) -> String? {
    let bytes = Array(word.utf8)
    let isHexadecimal = word.hasPrefix("0x")
    for index in bytes.indices where bytes[index] == UInt8(ascii: "_") {
      guard index > 0, index + 1 < bytes.count,
        [bytes[index - 1], bytes[index + 1]].allSatisfy({
          isDigit($0) || isHexadecimal && Character(Unicode.Scalar($0)).isHexDigit
        })
      else { return nil }
    }
    return word.filter { $0 != "_" }
  }

  private static func whole(_ digits: String) -> Int? {
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] where digits.hasPrefix(prefix) {
      let rest = digits.dropFirst(2)
      return rest.first.map { $0 == "+" || $0 == "-" } == false ? Int(rest, radix: radix) : nil
    }
    return hasNoLeadingZero(digits) ? Int(digits) : nil
  }

  /// Digits, and a fraction or an exponent or both, each with its own digits.
  private static func number(_ digits: String) -> Double? {
    let parts = digits.split(
      maxSplits: 1, omittingEmptySubsequences: false, whereSeparator: { $0 == "e" || $0 == "E" })
    let mantissa = parts[0].split(
      separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count > 1 || mantissa.count > 1, hasNoLeadingZero(mantissa[0]),
      mantissa.count == 1 || isAllDigits(mantissa[1]),
      parts.count == 1 || isAllDigits(withoutSign(parts[1]))
    else { return nil }
    return Double(digits)
  }

  private static func withoutSign(_ text: some StringProtocol) -> Substring {
    let isSigned = text.hasPrefix("+") || text.hasPrefix("-")
    return Substring(text.dropFirst(isSigned ? 1 : 0))
  }

  private static func isAllDigits(_ text: some StringProtocol) -> Bool {
    !text.isEmpty && text.utf8.allSatisfy(isDigit)
  }

  private static func hasNoLeadingZero(_ text: some StringProtocol) -> Bool {
    let digits = withoutSign(text)
    return isAllDigits(digits) && (digits == "0" || digits.first != "0")
  }
}
