import ArgumentParser
import Control

struct ReloadCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "reload", abstract: "Makes the daemon read its configuration again.")

  func run() throws { try ControlClient().reload() }
}
