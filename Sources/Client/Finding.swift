import Control

/// One thing that was looked at.
package struct Finding: Equatable {
  package enum Verdict: String {
    case good = "ok"
    case remark = "note"
    case problem = "problem"
  }

  package var verdict: Verdict
  /// What was looked at, such as "microphone".
  package var subject: String
  package var observation: String
  /// What to do; empty if nothing.
  package var advice = ""

  /// As a terminal shows it.
  package var text: String {
    let line = Self.pad(verdict.rawValue, to: 9) + Self.pad(subject, to: 16) + observation.printable
    let indent = String(repeating: " ", count: 25)
    return advice.isEmpty ? line : "\(line)\n\(indent)-> \(advice.printable)"
  }

  private static func pad(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  package static func good(_ subject: String, _ observation: String) -> Finding {
    Finding(verdict: .good, subject: subject, observation: observation)
  }

  package static func remark(_ subject: String, _ observation: String, do advice: String = "")
    -> Finding
  {
    Finding(verdict: .remark, subject: subject, observation: observation, advice: advice)
  }

  package static func problem(_ subject: String, _ observation: String, do advice: String)
    -> Finding
  {
    Finding(verdict: .problem, subject: subject, observation: observation, advice: advice)
  }
}
