public import ArgumentParser
import AudioHost
import Engine
public import ModelStore

struct ModelInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows what a .tflite model is made of, and whether it runs here.")

  @Flag(help: "List every operator with its tensors.")
  var operators = false

  @Option(help: "Draw the graph, too.", completion: .file(extensions: ["svg"]))
  var svg: String?

  @Argument(
    help: "A .tflite file, or full, light or low-latency: the built-in models.",
    completion: .file(extensions: ["tflite"]))
  var model: ModelChoice

  func run() throws {
    let graph = try ModelStore.graph(model)
    if let svg { try OutputFile.write(Array(GraphDrawing(graph).svg.utf8), to: svg) }
    say(ModelReport(graph, listsOperators: operators).text)
  }
}

extension ModelChoice: ExpressibleByArgument {
  public init(argument: String) {
    self =
      switch argument {
      case "full": .full
      case "light": .light
      case "low-latency": .lowLatency
      default: .file(argument)
      }
  }
}
