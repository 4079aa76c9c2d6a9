public import ArgumentParser
import AudioHost
import Engine
import Foundation
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
    completion: ModelChoice.completion)
  var model: ModelChoice

  func run() throws {
    let graph = try ModelStore.graph(model)
    if let svg { try OutputFile.write(Array(GraphDrawing(graph).svg.utf8), to: svg) }
    say(ModelReport(graph, listsOperators: operators).text)
  }
}

extension ModelChoice: ExpressibleByArgument {
  /// The built-in models, and files and folders where what was typed leads.
  static var completion: CompletionKind {
    .custom { _, _, word in
      let folder = word.lastIndex(of: "/").map { String(word[...$0]) } ?? ""
      let entries =
        (try? FileManager.default.contentsOfDirectory(atPath: folder.isEmpty ? "." : folder)) ?? []
      let files = entries.sorted().filter { !$0.hasPrefix(".") }.compactMap { name -> String? in
        if name.hasSuffix(".tflite") { return folder + name }
        var isFolder: ObjCBool = false
        let isThere = unsafe FileManager.default.fileExists(
          atPath: folder + name, isDirectory: &isFolder)
        return isThere && isFolder.boolValue ? folder + name + "/" : nil
      }
      return ["full", "light", "low-latency"] + files
    }
  }

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
