import ArgumentParser
import QDClient
import QDDenoise
import QDModelStore

struct DoctorCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "doctor",
    abstract: "Looks for what keeps the denoised microphone from working, and says what to do.",
    discussion: "Exits with 1 if something has to be done.")

  func run() throws {
    let examination = Examination.now(
      client: "denoisectl",
      models: [
        ("full", describe(.full)), ("light", describe(.light)),
        ("low-latency", describe(.lowLatency)),
      ])
    let findings = examination.findings
    say(findings.map(\.text).joined(separator: "\n"))
    let count = findings.count { $0.verdict == .problem }
    if count > 0 {
      say("\(count) \(count == 1 ? "problem" : "problems")")
      throw ExitCode.failure
    }
    say("nothing has to be done")
  }

  private func describe(_ choice: ModelChoice) -> Result<String, any Error> {
    Result {
      let model = try ModelStore.load(choice)
      return "\(model.name), \(model.precision.rawValue)"
    }
  }
}
