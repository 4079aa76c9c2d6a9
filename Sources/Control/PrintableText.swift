extension String {
  /// The text as one line that may go to a terminal or a log: characters that move the cursor, end
  /// the line, turn the direction of writing or are not seen at all become `\u` and their number,
  /// as JSON writes them.
  public var printable: String { escaped { Self.isUnseen($0) } }

  /// The same for text of several lines, whose ends stay.
  public var printableLines: String { escaped { $0 != "\n" && Self.isUnseen($0) } }

  /// The same for text of several lines in ASCII alone.
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
