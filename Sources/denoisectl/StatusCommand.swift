import ArgumentParser
import Control
import Glibc

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows what the daemon does, and how well.")

  @Flag(help: "One JSON object for programs.")
  var json = false

  @Flag(help: "Go on showing it, with level meters, until Ctrl-C.")
  var watch = false

  func run() throws {
    let client = try ControlClient()
    guard watch else {
      let status = try client.status()
      say(json ? status.json(pretty: true) : StatusReport(status).text)
      return
    }
    let redraws = isatty(STDOUT_FILENO) == 1 && !json
    var height = 0
    while true {
      let status = try client.status()
      let text = json ? status.json() : StatusReport(status, meters: true).text
      // Up to where the last report began, then clear from there.
      if redraws && height > 0 { print("\u{1B}[\(height)A\u{1B}[J", terminator: "") }
      say(text)
      fflush(nil)
      height = text.split(separator: "\n", omittingEmptySubsequences: false).count
      usleep(redraws ? 100_000 : 1_000_000)
    }
  }
}
