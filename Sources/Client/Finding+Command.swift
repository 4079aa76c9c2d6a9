import UserMessages

extension Finding {
  /// The words of the command that ``advice`` is, for a program to run; `nil` where the advice is
  /// for the person, or more than one command.
  package var command: [String]? { advice.flatMap { Self.command(of: $0.description) } }

  /// The words of a command as a shell would take them, without what only a shell can do.
  package static func command(of text: String) -> [String]? {
    guard let words = words(of: text), let program = words.first,
      ["denoisectl", "pactl", "systemctl"].contains(program), words.count > 1
    else { return nil }
    // What only shows something to read is of no use behind a button.
    return words.contains("status") ? nil : words
  }

  private static func words(of text: String) -> [String]? {
    var words: [String] = []
    var word: String?
    var isQuoted = false
    var isEscaped = false
    for letter in text {
      if isEscaped {
        word = (word ?? "") + String(letter)
        isEscaped = false
      } else if isQuoted {
        if letter == "'" { isQuoted = false } else { word = (word ?? "") + String(letter) }
      } else if letter == "'" {
        (word, isQuoted) = (word ?? "", true)
      } else if letter == "\\" {
        isEscaped = true
      } else if letter == " " {
        if let word { words.append(word) }
        word = nil
      } else if "()&|;<>$`\"*?[]#~{}!,\n".contains(letter) && !(letter == "," && word != nil) {
        return nil
      } else {
        word = (word ?? "") + String(letter)
      }
    }
    if isQuoted || isEscaped { return nil }
    if let word { words.append(word) }
    // A sentence goes on behind the command.
    return words.contains { $0.hasSuffix(",") } ? nil : words
  }
}
