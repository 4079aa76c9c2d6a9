public import ArgumentParser
import QDAudioHost
import QDEngine
import QDFiles
import Foundation
public import QDModelStore

struct ModelInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows what a .tflite model is made of, and whether it runs here.")

  @Flag(help: "List every operator with its tensors.")
  var operators = false

  @Option(help: "Draw the graph, too.", completion: .file(extensions: ["svg"]))
  var svg: String?

  @Argument(
    help: "A .tflite file, or full, light or low-latency: the built-in models.")
  var model: ModelChoice

  func run() throws {
    let graph = try ModelStore.graph(model)
    var separate = SeparateFiles()
    separate.read([graph.name])
    try separate.write("--svg", to: svg)
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

  /// The built-in models, and folders and files that may be models.
  public static var defaultCompletionKind: CompletionKind {
    .custom { _, _, prefix in ["full", "light", "low-latency"] + files(prefix) }
  }

  /// The models and folders that complete a path.
  private static func files(_ prefix: String) -> [String] {
    let folder = prefix.lastIndex(of: "/").map { String(prefix[...$0]) } ?? ""
    let names = try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)
    return (names ?? []).sorted().compactMap { name in
      if name.hasSuffix(".tflite") { return folder + name }
      var isFolder: ObjCBool = false
      let isThere = unsafe FileManager.default.fileExists(
        atPath: folder + name, isDirectory: &isFolder)
      return isThere && isFolder.boolValue && !name.hasPrefix(".") ? folder + name + "/" : nil
    }
  }
}
