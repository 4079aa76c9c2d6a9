import ArgumentParser
import Control

struct StrengthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "strength",
    abstract: "Says or sets the most that noise is attenuated, whatever the mode.")

  /// What the person asks for.
  enum Strength: ExpressibleByArgument, Equatable {
    case decibels(Double)
    case automatic

    init?(argument: String) {
      if argument == "auto" {
        self = .automatic
      } else if let number = Double(argument) {
        self = .decibels(number)
      } else {
        return nil
      }
    }

    static var defaultCompletionKind: CompletionKind { .list(["auto", "6", "12", "18", "24"]) }
  }

  @Argument(
    help: ArgumentHelp(
      "Decibels from 0 to 100, or auto: what the mode says.", valueName: "db"))
  var strength: Strength?

  @Flag(help: "Forget what was set: the configuration's value holds.")
  var reset = false

  func validate() throws {
    if reset && strength != nil { throw ValidationError("--reset goes without a number") }
    let range = Settings.strengthRange
    if case .decibels(let number) = strength, !range.contains(number) {
      throw ValidationError(
        "\(number) dB: strength goes from \(Int(range.lowerBound)) to \(Int(range.upperBound)) dB")
    }
  }

  func run() throws {
    let client = try ControlClient()
    if reset { return try client.reset("strength") }
    switch strength {
    case .decibels(let number): try client.set(strength: number)
    case .automatic: try client.set(strength: nil)
    case nil: say(try client.status().settings.strength.map { "\($0)" } ?? "auto")
    }
  }
}
