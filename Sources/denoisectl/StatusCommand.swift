import ArgumentParser
import QDControl
import Glibc

struct StatusCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status", abstract: "Shows what the daemon does, and how well.")

  @Flag(help: "One JSON object for programs.")
  var json = false

  @Flag(help: "Go on showing it, with level meters, until Ctrl-C.")
  var watch = false

  func run() throws {
    guard watch else {
      let status = try ControlClient().status()
      say(json ? status.json(pretty: true) : StatusReport(status).text)
      return
    }
    if movesCursor(STDOUT_FILENO) && !json { try watchScreen() } else { try watchLines() }
  }

  /// A report per second, each below the last.
  private func watchLines() throws {
    let client = try ControlClient()
    while true {
      let status = try client.status()
      say(json ? status.json() : StatusReport(status, meters: true).text + "\n")
      fflush(nil)
      usleep(1_000_000)
    }
  }

  /// Ten reports per second on one screen, even while the daemon is not running.
  private func watchScreen() throws {
    // An error at the beginning is reported like any other.
    var client: ControlClient? = try ControlClient()
    _ = try client?.status()
    let interrupt = Interrupt()
    let screen = Screen()
    var isAway = false
    repeat {
      do throws(ControlError) {
        let current = if let client { client } else { try ControlClient() }
        client = current
        screen.show(StatusReport(try current.status(), meters: true).text)
        isAway = false
      } catch {
        client = nil
        isAway = true
        screen.show("waiting: \(error)")
      }
    } while interrupt.wait(milliseconds: isAway ? 500 : 100)
  }
}
