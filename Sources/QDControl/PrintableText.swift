extension String {
  /// The text as one line for a terminal or a log: control characters, line breaks, bidirectional
  /// controls and invisible characters become `\u` and their number, as in JSON.
  public var printable: String { escaped { Self.isUnseen($0) } }

  /// The same for text of several lines, whose line breaks stay.
  public var printableLines: String { escaped { $0 != "\n" && Self.isUnseen($0) } }

  /// The same for text of several lines, in ASCII only.
  public var printableASCII: String {
    escaped { $0 != "\n" && (!$0.isASCII || Self.isUnseen($0)) }
  }

  private func escaped(_ isEscaped: (Unicode.Scalar) -> Bool) -> String {
    guard unicodeScalars.contains(where: isEscaped) else { return self }
    var scalars = UnicodeScalarView()
    for scalar in unicodeScalars {
      guard isEscaped(scalar) else {
        scalars.append(scalar)
        continue
      }
      for unit in UTF16.encode(scalar)! {
        let digits = String(UInt32(unit) + 0x10000, radix: 16).dropFirst()
        scalars.append(contentsOf: "\\u\(digits)".unicodeScalars)
      }
    }
    return String(scalars)
  }

  private static func isUnseen(_ scalar: Unicode.Scalar) -> Bool {
    // Some scripts and many emoji need the joiners.
    if scalar == "\u{200C}" || scalar == "\u{200D}" { return false }
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned:
      return true
    default: return false
    }
  }
}
