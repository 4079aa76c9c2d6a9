public import ArgumentParser
import Control
public import Denoise

extension Mode: ExpressibleByArgument {}

struct ModeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mode", abstract: "Says or sets how much of the noise is taken away.")

  @Argument(
    help: """
      bypass (the microphone as it is), light (at most 12 dB), standard (at most 24 dB), \
      strong (all that the network finds) or mute.
      """)
  var mode: Mode?

  func run() throws {
    let client = try ControlClient()
    if let mode {
      try client.set(mode: mode.rawValue)
    } else {
      say(try client.status().settings.mode)
    }
  }
}
