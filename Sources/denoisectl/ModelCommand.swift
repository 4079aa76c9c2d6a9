import ArgumentParser
import Control

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Says or sets which network runs, or works on model files.",
    subcommands: [
      ModelChooseCommand.self, ModelInspectCommand.self, ModelConvertCommand.self,
      ModelRunCommand.self, ModelDebugCommand.self, ModelDiffCommand.self, ModelVerifyCommand.self,
      ModelEvaluateCommand.self, ModelImportCommand.self,
    ],
    defaultSubcommand: ModelChooseCommand.self)
}

/// `denoisectl model full`: the word for it may be left out.
struct ModelChooseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "choose", abstract: "Says or sets which network runs.")

  enum Choice: String, CaseIterable, ExpressibleByArgument {
    case auto
    case full
    case light
    case lowLatency = "low-latency"
  }

  @Argument(
    help: """
      full, light (less work), low-latency (half the delay), or auto: full, and light while the \
      machine is too busy.
      """)
  var choice: Choice?

  @Flag(help: "Forget what was set: the configuration's value holds.")
  var reset = false

  func validate() throws {
    if reset && choice != nil { throw ValidationError("--reset goes without a model") }
  }

  func run() throws {
    let client = try ControlClient()
    if reset {
      try client.reset("model")
    } else if let choice {
      try client.set(model: choice.rawValue)
    } else {
      say(try client.status().settings.model)
    }
  }
}
