import ArgumentParser
import Control
import Glibc

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
          UseCommand.self, DevicesCommand.self, MonitorCommand.self,
          DoctorCommand.self,
        ]),
      CommandGroup(name: "Recordings", subcommands: [PlotCommand.self]),
    ])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      leave(with: error)
    }
  }

  /// Says what went wrong in one line and ends with the exit code that fits.
  private static func leave(with error: any Error) -> Never {
    switch error {
    case ControlError.notRunning, ControlError.noBus:
      printError("\(error)")
      Glibc.exit(3)
    case is ExitCode, is CleanExit, is ValidationError:
      exit(withError: error)
    default:
      // The parser tells its own errors, and help, better than we could.
      if exitCode(for: error) != .failure { exit(withError: error) }
      printError("\(error)")
      Glibc.exit(1)
    }
  }
}

/// Writes a line for the person at the terminal to stderr.
func printError(_ text: String) {
  let line = Array("denoisectl: \(text)\n".utf8)
  _ = unsafe write(STDERR_FILENO, line, line.count)
}
