import QDMessages

extension Finding {
  /// The words of the command in ``advice``, for a program to run; `nil` if the advice is for the
  /// user, or more than one command.
  package var command: [String]? { advice.flatMap { Self.command(of: $0.description) } }

  /// The words of a command as a shell would split them; `nil` if it needs a shell.
  package static func command(of text: String) -> [String]? {
    guard let words = words(of: text), let program = words.first,
      ["denoisectl", "pactl", "systemctl"].contains(program), words.count > 1
    else { return nil }
    // A command that only prints something is of no use for a button.
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
    // A sentence continues after the command.
    return words.contains { $0.hasSuffix(",") } ? nil : words
  }
}
