public import ArgumentParser
import QDControl
public import QDDenoise

extension Mode: ExpressibleByArgument {}

struct ModeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "mode", abstract: "Shows or sets how much of the noise is taken away.")

  @Argument(
    help: """
      bypass (the microphone as it is), light (at most 12 dB), standard (at most 24 dB), \
      strong (all that the network finds) or mute.
      """)
  var mode: Mode?

  @Flag(help: "Forget what was set: the configuration's value holds.")
  var reset = false

  func validate() throws {
    if reset && mode != nil { throw ValidationError("--reset goes without a mode") }
  }

  func run() throws {
    let client = try ControlClient()
    if reset {
      try client.reset("mode")
    } else if let mode {
      try client.set(mode: mode)
    } else {
      say(try client.status().settings.mode.rawValue)
    }
  }
}
