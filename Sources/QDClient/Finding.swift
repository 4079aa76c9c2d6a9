import QDControl
package import QDMessages

/// A result of the doctor.
package struct Finding: Equatable {
  package enum Verdict: String {
    case good = "ok"
    case remark = "note"
    case problem = "problem"
  }

  package var verdict: Verdict
  /// The subject, such as "microphone".
  package var subject: UserMessage
  package var observation: UserMessage
  /// The remedy: a command, or a sentence; nil if there is none.
  package var advice: UserMessage?

  /// The finding as printed in a terminal.
  package var text: String {
    let line =
      Self.pad(verdict.rawValue, to: 9) + Self.pad(subject.description, to: 16)
      + observation.description.printable
    let indent = String(repeating: " ", count: 25)
    return advice.map { "\(line)\n\(indent)-> \($0.description.printable)" } ?? line
  }

  private static func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  package static func good(
    _ subject: UserMessage.Literal, _ observation: UserMessage.Literal
  ) -> Finding {
    Finding(
      verdict: .good, subject: UserMessage(subject), observation: UserMessage(observation))
  }

  package static func remark(
    _ subject: UserMessage.Literal, _ observation: UserMessage.Literal,
    do advice: UserMessage.Literal? = nil
  ) -> Finding {
    Finding(
      verdict: .remark, subject: UserMessage(subject), observation: UserMessage(observation),
      advice: advice.map { UserMessage($0) })
  }

  package static func problem(
    _ subject: UserMessage.Literal, _ observation: UserMessage.Literal,
    do advice: UserMessage.Literal
  ) -> Finding {
    Finding(
      verdict: .problem, subject: UserMessage(subject), observation: UserMessage(observation),
      advice: UserMessage(advice))
  }
}
