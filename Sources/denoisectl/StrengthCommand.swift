import ArgumentParser
import QDControl

struct StrengthCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "strength",
    abstract: "Shows or sets the most that noise is attenuated, whatever the mode.")

  /// The argument of the command.
  enum Strength: Equatable {
    case decibels(Double)
    case automatic

    init(_ word: String) throws(ValidationError) {
      if word == "auto" {
        self = .automatic
      } else if let number = Double(word), Settings.strengthRange.contains(number) {
        self = .decibels(number)
      } else {
        throw ValidationError("'\(word)' is no strength: name decibels from 0 to 100, or auto")
      }
    }
  }

  @Argument(
    help: ArgumentHelp(
      "Decibels from 0 to 100, or auto: what the mode says.", valueName: "db"),
    completion: .list(["auto", "6", "12", "18", "24"]))
  var strength: String?

  private var wanted: Strength? {
    get throws(ValidationError) {
      guard let strength else { return nil }
      return try Strength(strength)
    }
  }

  @Flag(help: "Forget what was set: the configuration's value holds.")
  var reset = false

  func validate() throws {
    if reset && strength != nil { throw ValidationError("--reset goes without a number") }
    _ = try wanted
  }

  func run() throws {
    let client = try ControlClient()
    if reset { return try client.reset("strength") }
    switch try wanted {
    case .decibels(let number): try client.set(strength: number)
    case .automatic: try client.set(strength: nil)
    case nil: say(try client.status().settings.strength.map { "\($0)" } ?? "auto")
    }
  }
}
