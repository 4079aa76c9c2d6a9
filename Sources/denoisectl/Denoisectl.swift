import ArgumentParser
import QDControl
import Glibc
import QDKernels

/// The command line.
@main
struct Denoisectl: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "denoisectl",
    abstract: "Controls the denoised microphone and denoises recordings.",
    discussion: """
      Exit codes: 0 done, 1 failed, 3 the daemon is not running, 64 wrong usage.
      """,
    version: Product.version,
    groupedSubcommands: [
      CommandGroup(
        name: "Microphone",
        subcommands: [
          StatusCommand.self, ModeCommand.self, StrengthCommand.self, ModelCommand.self,
          UseCommand.self, DevicesCommand.self, MonitorCommand.self, RecordCommand.self,
          DoctorCommand.self, ReloadCommand.self,
        ]),
      CommandGroup(name: "Recordings", subcommands: [ProcessCommand.self, PlotCommand.self]),
      CommandGroup(name: "Networks", subcommands: [BenchCommand.self]),
    ])

  static func main() {
    // A limit on file sizes becomes an error of write(2), like a full disk.
    signal(SIGXFSZ, SIG_IGN)
    if let problem = InstructionSet.overrideProblem { printError(problem) }
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      leave(with: error)
    }
  }

  /// Prints an error as one line and exits with its code.
  private static func leave(with error: any Error) -> Never {
    switch error {
    case ControlError.notRunning, ControlError.noBus:
      printError("\(error)")
      Glibc.exit(3)
    case is ExitCode:
      exit(withError: error)
    default:
      switch exitCode(for: error) {
      case .success: exit(withError: error)
      case .validationFailure:
        printError(misuse(error))
        Glibc.exit(ExitCode.validationFailure.rawValue)
      default:
        printError("\(error)")
        Glibc.exit(1)
      }
    }
  }
}

extension Denoisectl {
  /// A usage error and the usage, as one line.
  private static func misuse(_ error: any Error) -> String {
    let usage = fullMessage(for: error).split(separator: "\n").first { $0.hasPrefix("Usage: ") }
    let lines = message(for: error).split(separator: "\n").map {
      $0.trimmingPrefix(/\s*-\s/)
    }
    // Allowed values follow in a line each.
    var reason = lines.first.map(String.init) ?? ""
    if reason.last == ":" { reason += " " + lines.dropFirst().joined(separator: ", ") }
    if reason.last == "." { reason.removeLast() }
    let isSwallowed =
      reason.hasPrefix("Missing expected argument") || reason.contains("is invalid for '--input")
    if isSwallowed, let option = CommandLine.arguments.first(where: takesSeveral.contains) {
      reason += "; \(option) takes all words up to the next option: put the other files before it"
    }
    // An unknown option is often a file.
    let words = CommandLine.arguments.dropFirst()
    if let file = words.first(where: { $0.hasPrefix("-") && isThere($0) }) {
      reason += "; write ./\(file) for the file"
    }
    return usage.map { "\(reason); u\($0.dropFirst())" } ?? reason
  }
}

/// The options that several values may follow.
private let takesSeveral = [
  "--representative", "--samples", "--keep-float", "--keep-int16", "--input",
]

private func isThere(_ path: String) -> Bool { unsafe access(path, F_OK) == 0 }
