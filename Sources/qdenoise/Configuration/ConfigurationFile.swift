import QDFiles
import QDMessages

/// A TOML file as dotted keys that are taken one by one; the remaining ones are unknown.
struct ConfigurationFile {
  private let path: String
  private var values: [String: TOMLValue] = [:]
  /// The keys that were requested.
  private(set) var known: [String] = []

  /// An empty file.
  init() { path = "" }

  init(_ text: String, path: String) throws(ConfigurationError) {
    self.path = path
    do {
      values = try TOMLReader(text).values
    } catch {
      throw .syntax(
        path: path, line: error.line, column: error.column, reason: error.reason)
    }
  }

  /// The text of a file; `nil` if there is none.
  static func text(of path: String) throws(ConfigurationError) -> String? {
    let bytes: [UInt8]?
    do {
      bytes = try RegularFile.read(path, atMost: TOMLReader.largestFile)
    } catch {
      throw .unreadable(error.message)
    }
    guard let bytes else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw .unreadable(UserMessage("\(path): is not UTF-8 text; save it as such"))
    }
    return text
  }

  /// One of the values of an enum, by name.
  mutating func choice<Choice>(
    _ key: String, _ target: inout Choice
  ) throws(ConfigurationError) where Choice: RawRepresentable<String> & CaseIterable {
    try choice(key, &target, among: Array(Choice.allCases))
  }

  /// One of the allowed values, by name.
  /// - Parameter note: appended to an error.
  mutating func choice<Choice: RawRepresentable<String>>(
    _ key: String, _ target: inout Choice, among allowed: [Choice], note: UserMessage? = nil
  ) throws(ConfigurationError) {
    let names = allowed.map { "\"\($0.rawValue)\"" }.joined(separator: ", ")
    let all = note.map { UserMessage("\(names); \($0)") } ?? UserMessage("\(names)")
    let found = try take(key, allowed: all) { value in
      value.asText.flatMap { name in allowed.first { $0.rawValue == name } }
    }
    target = found ?? target
  }

  mutating func text(_ key: String, _ target: inout String) throws(ConfigurationError) {
    target = try take(key, allowed: UserMessage("a text in quotes")) { $0.asText } ?? target
  }

  mutating func text(_ key: String, _ target: inout String?) throws(ConfigurationError) {
    target = try take(key, allowed: UserMessage("a text in quotes")) { $0.asText } ?? target
  }

  mutating func truth(_ key: String, _ target: inout Bool) throws(ConfigurationError) {
    target = try take(key, allowed: UserMessage(pattern: "true, false")) { $0.asTruth } ?? target
  }

  mutating func whole(
    _ key: String, _ target: inout Int, in range: ClosedRange<Int>
  ) throws(ConfigurationError) {
    let allowed = UserMessage(
      "a whole number from \(range.lowerBound) to \(range.upperBound)")
    let number = try take(key, allowed: allowed) { value in
      value.asWhole.flatMap { range.contains($0) ? $0 : nil }
    }
    target = number ?? target
  }

  /// Different integers in ascending order.
  mutating func wholes(
    _ key: String, _ target: inout [Int]?, in range: ClosedRange<Int>
  ) throws(ConfigurationError) {
    let allowed = UserMessage(
      "whole numbers from \(range.lowerBound) to \(range.upperBound) in brackets")
    let numbers = try take(key, allowed: allowed) { value -> [Int]? in
      guard let items = value.asItems, !items.isEmpty else { return nil }
      let numbers = items.compactMap { Int($0) }.filter(range.contains)
      return numbers.count == items.count ? Set(numbers).sorted() : nil
    }
    target = numbers ?? target
  }

  mutating func number(
    _ key: String, _ target: inout Double, in range: ClosedRange<Double>
  ) throws(ConfigurationError) {
    var found: Double? = target
    try number(key, &found, in: range)
    target = found ?? target
  }

  mutating func number(
    _ key: String, _ target: inout Double?, in range: ClosedRange<Double>
  ) throws(ConfigurationError) {
    let allowed = UserMessage(
      "a number from \(Int(range.lowerBound)) to \(Int(range.upperBound))")
    let number = try take(key, allowed: allowed) { value in
      value.asNumber.flatMap { range.contains($0) ? $0 : nil }
    }
    target = number ?? target
  }

  /// Throws if the file has a key that was never requested.
  func refuseTheRest() throws(ConfigurationError) {
    guard let key = values.keys.min() else { return }
    throw .unknownKey(path: path, key: key, nearest: nearest(to: key))
  }

  /// The value of the key, if the file has it; `read` returns nil for invalid values.
  private mutating func take<Value>(
    _ key: String, allowed: UserMessage, _ read: (TOMLValue) -> Value?
  ) throws(ConfigurationError) -> Value? {
    known.append(key)
    guard let value = values.removeValue(forKey: key) else { return nil }
    guard let read = read(value) else {
      throw .wrongValue(path: path, key: key, found: "\(value)", allowed: allowed)
    }
    return read
  }

  /// The known key with the smallest edit distance, with or without its section; none if it is too
  /// large.
  private func nearest(to key: String) -> String? {
    func distance(_ candidate: String) -> Int {
      if candidate.hasPrefix(key + ".") { return 0 }
      let bare = candidate.split(separator: ".").last!
      return min(editDistance(key, candidate), editDistance(key, bare) + 1)
    }
    let nearest = known.min { distance($0) < distance($1) }
    return nearest.flatMap { distance($0) <= max(1, key.count / 3) ? $0 : nil }
  }
}

extension TOMLValue {
  fileprivate var asText: String? { if case .text(let text) = self { text } else { nil } }
  fileprivate var asTruth: Bool? { if case .truth(let truth) = self { truth } else { nil } }

  /// The items of an array of plain values, unparsed.
  fileprivate var asItems: [String]? {
    guard case .other(let source) = self, source.first == "[", source.last == "]" else {
      return nil
    }
    var items = source.dropFirst().dropLast().split(
      separator: ",", omittingEmptySubsequences: false
    )
    .map { item in item.filter { !$0.isWhitespace } }
    // A comma may follow the last one.
    if items.last == "" { items.removeLast() }
    return items
  }

  fileprivate var asWhole: Int? { if case .whole(let whole) = self { whole } else { nil } }

  fileprivate var asNumber: Double? {
    if case .number(let number) = self { number } else { asWhole.map(Double.init) }
  }
}

/// The Levenshtein distance of two texts.
func editDistance(_ a: some StringProtocol, _ b: some StringProtocol) -> Int {
  let b = Array(b)
  var row = Array(0...b.count)
  for (i, character) in a.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for j in b.indices {
      let replaced = diagonal + (character == b[j] ? 0 : 1)
      diagonal = row[j + 1]
      row[j + 1] = min(replaced, diagonal + 1, row[j] + 1)
    }
  }
  return row[b.count]
}
