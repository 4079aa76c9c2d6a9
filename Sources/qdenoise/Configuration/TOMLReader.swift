import QDMessages

/// A value of a TOML file.
enum TOMLValue: Equatable, CustomStringConvertible {
  case text(String)
  case whole(Int)
  case number(Double)
  case truth(Bool)
  /// An array, a date or an array of tables, unparsed.
  case other(String)

  var description: String {
    switch self {
    case .text(let text): "\"\(text)\""
    case .whole(let number): "\(number)"
    case .number(let number): "\(number)"
    case .truth(let truth): "\(truth)"
    case .other(let source): source
    }
  }
}

/// Reads TOML 1.0 into dotted keys; every text of at most ``largestFile`` bytes gives values or one
/// error with its position.
struct TOMLReader {
  struct Failure: Error {
    var line: Int
    /// In Unicode scalars, from 1.
    var column: Int
    var reason: UserMessage
  }

  /// A configuration has a few hundred bytes.
  static let largestFile = 1 << 20
  /// The maximum nesting of arrays and inline tables.
  private static let deepest = 32

  /// The meaning of a name.
  private enum Node: Equatable {
    /// A value; also an inline table, to which nothing can be added.
    case value
    /// Named by a header: complete.
    case table
    /// A prefix of a header's name: may still get its own header.
    case implied
    /// A prefix of a dotted key in one section: can be extended only there.
    case dotted(section: Int)
    case tables
  }

  private(set) var values: [String: TOMLValue] = [:]
  private let text: [Unicode.Scalar]
  private var position = 0
  private var nodes: [[String]: Node] = [:]
  private var section = 0
  private var depth = 0
  /// Whether the reader is in an array or an array of tables, whose content no key uses.
  private var isDiscarding = false

  init(_ source: String) throws(Failure) {
    text = Array(source.unicodeScalars)
    if peek() == "\u{FEFF}" { position += 1 }
    try readFile()
  }

  // MARK: Lines

  private mutating func readFile() throws(Failure) {
    var table: [String] = []
    while peek() != nil {
      skipBlanks()
      switch peek() {
      case nil, "#", "\n", "\r": break
      case "[": table = try readHeader()
      default: try readPair(in: table)
      }
      skipBlanks()
      try endLine()
    }
  }

  /// An optional comment, and the end of the line.
  private mutating func endLine() throws(Failure) {
    try skipComment()
    if peek() != nil, !takeNewline() {
      throw failure("\(named(peek())) is one thing too many in this line")
    }
  }

  private mutating func skipComment() throws(Failure) {
    guard peek() == "#" else { return }
    while let scalar = peek(), scalar != "\n", !isNewline {
      try refuseControl(scalar, in: UserMessage("a comment"))
      position += 1
    }
  }

  private mutating func readHeader() throws(Failure) -> [String] {
    let start = position
    position += 1
    let isArray = take("[")
    skipBlanks()
    let name = try readKey()
    skipBlanks()
    guard take("]"), !isArray || take("]") else {
      let end = isArray ? "]]" : "]"
      throw failure("'[' has no '\(end)' behind the name of the section")
    }
    section += 1
    isDiscarding = isArray
    for length in 1..<name.count {
      switch nodes[Array(name.prefix(length))] {
      case nil: nodes[Array(name.prefix(length))] = .implied
      case .value: throw failure(at: start, "'\(Self.joined(name.prefix(length)))' is a value")
      case .tables: isDiscarding = true
      default: break
      }
    }
    switch (nodes[name], isArray) {
    case (nil, false), (.implied, false): nodes[name] = .table
    case (nil, true):
      nodes[name] = .tables
      values[Self.joined(name)] = .other("[[\(Self.joined(name))]]")
    case (.tables, true): break
    case _ where isDiscarding && !isArray: break
    default: throw failure(at: start, "'\(Self.joined(name))' is there already")
    }
    return name
  }

  private mutating func readPair(in table: [String]) throws(Failure) {
    let start = position
    let key = table + (try readKey())
    skipBlanks()
    guard take("=") else { throw failure("there is no '=' behind the key") }
    skipBlanks()
    try claim(key, below: table, at: start)
    try readValue(for: key)
  }

  /// Records that a key exists; no key may occur twice.
  private mutating func claim(
    _ key: [String], below table: [String], at start: Int
  ) throws(Failure) {
    if isDiscarding { return }
    for length in table.count + 1..<key.count {
      let prefix = Array(key.prefix(length))
      switch nodes[prefix] {
      case nil: nodes[prefix] = .dotted(section: section)
      case .implied, .dotted(section): break
      default: throw failure(at: start, "'\(Self.joined(prefix))' is there already")
      }
    }
    guard nodes[key] == nil else {
      throw failure(at: start, "'\(Self.joined(key))' is there already")
    }
    nodes[key] = .value
  }

  // MARK: Keys

  private mutating func readKey() throws(Failure) -> [String] {
    var parts: [String] = []
    while true {
      switch peek() {
      case "\"": parts.append(try readBasicText())
      case "'": parts.append(try readLiteralText())
      default:
        let start = position
        while let scalar = peek(), Self.isBare(scalar) { position += 1 }
        guard position > start else { throw failure("\(named(peek())) where a key is to stand") }
        parts.append(string(start..<position))
      }
      guard parts.count <= Self.deepest else { throw failure("a key of too many parts") }
      let end = position
      skipBlanks()
      guard take(".") else {
        position = end
        return parts
      }
      skipBlanks()
    }
  }

  private static func isBare(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar {
    case "A"..."Z", "a"..."z", "0"..."9", "_", "-": true
    default: false
    }
  }

  /// Parts that are not bare keep their quotes, so that their dots are not separators.
  private static func joined(_ key: some Sequence<String>) -> String {
    key.map { part in
      part.isEmpty || !part.unicodeScalars.allSatisfy(isBare) ? "\"\(part)\"" : part
    }.joined(separator: ".")
  }

  // MARK: Values

  private mutating func readValue(for key: [String]) throws(Failure) {
    if peek() == "{" { return try readInlineTable(key) }
    let value = try readValue()
    if !isDiscarding { values[Self.joined(key)] = value }
  }

  private mutating func readValue() throws(Failure) -> TOMLValue {
    switch peek() {
    case "\"": .text(try take("\"\"\"") ? readLines("\"") : readBasicText())
    case "'": .text(try take("'''") ? readLines("'") : readLiteralText())
    case "[": try readArray()
    default: try readWord()
    }
  }

  private mutating func readArray() throws(Failure) -> TOMLValue {
    let (start, wasDiscarding) = (position, isDiscarding)
    try enter()
    isDiscarding = true
    position += 1
    while true {
      try skipLines()
      if take("]") { break }
      try readValue(for: [])
      try skipLines()
      if take("]") { break }
      guard take(",") else { throw failure("'[' has no ']', or ',' is missing in an array") }
    }
    isDiscarding = wasDiscarding
    depth -= 1
    return .other(string(start..<position))
  }

  private mutating func readInlineTable(_ table: [String]) throws(Failure) {
    try enter()
    position += 1
    skipBlanks()
    if !take("}") {
      repeat {
        skipBlanks()
        try readPair(in: table)
        skipBlanks()
      } while take(",")
      guard take("}") else { throw failure("'{' has no '}' in this line") }
    }
    depth -= 1
  }

  private mutating func enter() throws(Failure) {
    depth += 1
    guard depth <= Self.deepest else { throw failure("too many '[' and '{' in each other") }
  }

  /// A boolean, a number or a date.
  private mutating func readWord() throws(Failure) -> TOMLValue {
    let start = position
    while let scalar = peek(), Self.isBare(scalar) || "+.:".unicodeScalars.contains(scalar) {
      position += 1
      // A date and a time of day may have a space between them.
      if position - start == 10, peek() == " ", TOMLNumber.isDate(string(start..<position)),
        peek(1).map({ ("0"..."9").contains($0) }) == true
      {
        position += 1
      }
    }
    let word = string(start..<position)
    if let value = TOMLNumber.value(of: word) { return value }
    guard !word.isEmpty else { throw failure("\(named(peek())) where a value is to stand") }
    throw failure(at: start, "'\(word)' is no value; a text stands in quotes")
  }

  // MARK: Texts

  private mutating func readBasicText() throws(Failure) -> String {
    let start = position
    var scalars = String.UnicodeScalarView()
    position += 1
    while let scalar = peek(), scalar != "\n", !isNewline {
      if take("\"") { return String(scalars) }
      if scalar == "\\" {
        scalars.append(try readEscape())
      } else {
        try refuseControl(scalar, in: UserMessage("a text"))
        scalars.append(scalar)
        position += 1
      }
    }
    throw failure(at: start, "the text has no closing \" in this line")
  }

  private mutating func readLiteralText() throws(Failure) -> String {
    let start = position
    position += 1
    while let scalar = peek(), scalar != "\n", !isNewline {
      if take("'") { return string(start + 1..<position - 1) }
      try refuseControl(scalar, in: UserMessage("a text"))
      position += 1
    }
    throw failure(at: start, "the text has no closing ' in this line")
  }

  /// The rest of a multi-line string, after its three quotes.
  private mutating func readLines(_ quote: Unicode.Scalar) throws(Failure) -> String {
    let start = position - 3
    var scalars = String.UnicodeScalarView()
    _ = takeNewline()
    while let scalar = peek() {
      if scalar == quote, peek(1) == quote, peek(2) == quote {
        position += 3
        // Up to two quotes may precede the closing ones.
        for _ in 0..<2 where peek() == quote {
          scalars.append(quote)
          position += 1
        }
        return String(scalars)
      }
      if scalar == "\\", quote == "\"" {
        if !skipFoldedLine() { scalars.append(try readEscape()) }
      } else if takeNewline() {
        scalars.append("\n")
      } else {
        try refuseControl(scalar, in: UserMessage("a text"))
        scalars.append(scalar)
        position += 1
      }
    }
    let quotes = String(repeating: Character(quote), count: 3)
    throw failure(at: start, "the text has no closing \(quotes)")
  }

  /// Skips a backslash at the end of a line, and the blanks and empty lines after it.
  private mutating func skipFoldedLine() -> Bool {
    let start = position
    position += 1
    skipBlanks()
    guard takeNewline() else {
      position = start
      return false
    }
    repeat { skipBlanks() } while takeNewline()
    return true
  }

  private mutating func readEscape() throws(Failure) -> Unicode.Scalar {
    let start = position
    position += 2
    switch peek(-1) {
    case "b": return "\u{8}"
    case "t": return "\t"
    case "n": return "\n"
    case "f": return "\u{C}"
    case "r": return "\r"
    case "\"": return "\""
    case "\\": return "\\"
    case "u": return try readScalar(digits: 4, from: start)
    case "U": return try readScalar(digits: 8, from: start)
    default:
      throw failure(
        at: start, "no escape; a backslash is written '\\\\', or the text stands in single quotes")
    }
  }

  private mutating func readScalar(
    digits: Int, from start: Int
  ) throws(Failure) -> Unicode.Scalar {
    var code: UInt32 = 0
    for _ in 0..<digits {
      guard
        let digit = peek().flatMap({ Character($0).isASCII ? Character($0).hexDigitValue : nil })
      else { throw failure(at: start, "an escape of \(digits) hexadecimal digits has fewer") }
      code = code << 4 | UInt32(digit)
      position += 1
    }
    guard let scalar = Unicode.Scalar(code) else {
      throw failure(at: start, "the escape names no character")
    }
    return scalar
  }

  // MARK: Characters

  private func peek(_ offset: Int = 0) -> Unicode.Scalar? {
    let index = position + offset
    return text.indices.contains(index) ? text[index] : nil
  }

  private mutating func take(_ wanted: String) -> Bool {
    let scalars = wanted.unicodeScalars
    guard text[min(position, text.count)...].starts(with: scalars) else { return false }
    position += scalars.count
    return true
  }

  private var isNewline: Bool { peek() == "\n" || peek() == "\r" && peek(1) == "\n" }

  private mutating func takeNewline() -> Bool { take("\n") || take("\r\n") }

  private mutating func skipBlanks() {
    while peek() == " " || peek() == "\t" { position += 1 }
  }

  /// Skips blanks, comments and line breaks, as in an array.
  private mutating func skipLines() throws(Failure) {
    repeat {
      skipBlanks()
      try skipComment()
    } while takeNewline()
  }

  private func refuseControl(_ scalar: Unicode.Scalar, in what: UserMessage) throws(Failure) {
    guard scalar != "\t", scalar.value < 0x20 || scalar.value == 0x7F else { return }
    throw failure("\(named(scalar)) in \(what)")
  }

  private func string(_ range: Range<Int>) -> String {
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: text[range])
    return String(scalars)
  }

  private func named(_ scalar: Unicode.Scalar?) -> UserMessage {
    switch scalar {
    case nil: UserMessage("the end of the file")
    case "\n": UserMessage("the end of the line")
    case "\0": UserMessage("a NUL character")
    case let scalar? where scalar.value < 0x20 || scalar.value == 0x7F:
      UserMessage(
        "the control character U+\(String(scalar.value + 0x10000, radix: 16).dropFirst())")
    case let scalar?: UserMessage("'\(String(scalar))'")
    }
  }

  private func failure(at place: Int? = nil, _ reason: UserMessage.Literal) -> Failure {
    let before = text[..<min(place ?? position, text.count)]
    let line = before.count { $0 == "\n" } + 1
    let start = before.lastIndex(of: "\n").map { $0 + 1 } ?? 0
    return Failure(line: line, column: before.count - start + 1, reason: UserMessage(reason))
  }
}
