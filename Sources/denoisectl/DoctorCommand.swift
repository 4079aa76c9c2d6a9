import ArgumentParser
import AudioHost
import Control

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Looks for what keeps the denoised microphone from working, and says what to do.",
    discussion: "Exits with 1 if something has to be done.")

  func run() throws {
    let examination = Examination.now()
    let findings = examination.findings
    print(findings.map(\.text).joined(separator: "\n"))
    let count = findings.count { $0.verdict == .problem }
    if count > 0 {
      print("\(count) \(count == 1 ? "problem" : "problems")")
      throw ExitCode.failure
    }
    print("nothing has to be done")
  }
}

/// One thing that was looked at.
struct Finding: Equatable {
  enum Verdict: String {
    case good = "ok"
    case remark = "note"
    case problem = "problem"
  }

  var verdict: Verdict
  /// What was looked at, such as "microphone".
  var subject: String
  var observation: String
  /// What to do; empty if nothing.
  var advice = ""

  var text: String {
    let line = pad(verdict.rawValue, to: 9) + pad(subject, to: 16) + observation
    return advice.isEmpty ? line : "\(line)\n\(String(repeating: " ", count: 25))-> \(advice)"
  }

  static func good(_ subject: String, _ observation: String) -> Finding {
    Finding(verdict: .good, subject: subject, observation: observation)
  }

  static func remark(_ subject: String, _ observation: String, do advice: String = "") -> Finding {
    Finding(verdict: .remark, subject: subject, observation: observation, advice: advice)
  }

  static func problem(_ subject: String, _ observation: String, do advice: String) -> Finding {
    Finding(verdict: .problem, subject: subject, observation: observation, advice: advice)
  }
}
