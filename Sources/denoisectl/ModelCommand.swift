import ArgumentParser
import QDControl
import QDModelStore

struct ModelCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "model", abstract: "Shows or sets which network runs, or works on model files.",
    subcommands: [
      ModelChooseCommand.self, ModelAutoCommand.self, ModelFullCommand.self,
      ModelLightCommand.self, ModelLowLatencyCommand.self, ModelInspectCommand.self,
      ModelConvertCommand.self,
      ModelRunCommand.self, ModelDebugCommand.self, ModelDiffCommand.self, ModelVerifyCommand.self,
      ModelEvaluateCommand.self, ModelImportCommand.self, ModelInstallCommand.self,
    ],
    defaultSubcommand: ModelChooseCommand.self)
}

/// `denoisectl model choose full`.
struct ModelChooseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "choose", abstract: "Shows or sets which network runs.")

  @Argument(
    help: """
      full, light (less work), low-latency (half the delay), auto (full, and light while the \
      machine is too busy), or the name of a model that was installed.
      """,
    completion: .list(ModelSetting.words.map(\.rawValue)))
  var choice: String?

  @Flag(help: "Forget what was set: the configuration's value holds.")
  var reset = false

  func validate() throws {
    if reset && choice != nil { throw ValidationError("--reset goes without a model") }
    guard let choice else { return }
    let names = ModelSetting.words.map(\.rawValue) + ModelStore.installed
    guard names.contains(choice) else {
      throw ValidationError(
        "'\(choice)' is no model; there is \(names.joined(separator: ", ")), and what `denoisectl model "
          + "install` puts in place")
    }
  }

  func run() throws {
    let client = try ControlClient()
    if reset {
      try client.reset("model")
    } else if let choice = choice.flatMap(ModelSetting.init) {
      try client.set(model: choice)
    } else {
      say(try client.status().settings.model.rawValue)
    }
  }
}

/// `denoisectl model full`: short for `model choose full`. A separate command, so that shells
/// complete it.
protocol ChosenModelCommand: ParsableCommand {
  static var choice: ModelSetting { get }
  static var abstract: String { get }
}

extension ChosenModelCommand {
  static var configuration: CommandConfiguration {
    CommandConfiguration(commandName: choice.rawValue, abstract: abstract)
  }

  func run() throws { try ControlClient().set(model: Self.choice) }
}

struct ModelAutoCommand: ChosenModelCommand {
  static let choice = ModelSetting.auto
  static let abstract = "Runs the full network, and the light one while the machine is too busy."
}

struct ModelFullCommand: ChosenModelCommand {
  static let choice = ModelSetting.full
  static let abstract = "Runs the full network."
}

struct ModelLightCommand: ChosenModelCommand {
  static let choice = ModelSetting.light
  static let abstract = "Runs the light network: less work."
}

struct ModelLowLatencyCommand: ChosenModelCommand {
  static let choice = ModelSetting.lowLatency
  static let abstract = "Runs the low-latency network: half the delay."
}
