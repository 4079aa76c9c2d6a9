import ArgumentParser
import AudioHost
import Engine
import ONNX
import Quantizer
import TFLite

struct ModelImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Makes a .tflite model of an ONNX model.",
    discussion: """
      Inputs and outputs keep their names and the order of their dimensions. Products, sums and \
      RELU behind a layer become part of it. `model convert` then quantizes the result.
      """)

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "The shape of an input, where the file leaves it open; 1 where nobody says.",
      valueName: "name=1,3,16"))
  var shape: [NamedShape] = []

  @Argument(help: "The .onnx file.", completion: .file(extensions: ["onnx"]))
  var input: String

  @Argument(
    help: "The new file, or - for standard output.", completion: .file(extensions: ["tflite"]))
  var output: String

  /// NAME=1,3,16
  struct NamedShape: ExpressibleByArgument {
    var name: String
    var extents: [Int]

    init?(argument: String) {
      guard let sign = argument.lastIndex(of: "=") else { return nil }
      let parts = argument[argument.index(after: sign)...].split(separator: ",")
      name = String(argument[..<sign])
      extents = parts.compactMap { Int($0) }
      guard extents.count == parts.count, !parts.isEmpty else { return nil }
    }
  }

  func run() throws {
    let bytes = try SampleFiles.bytes(input)
    let shapes = Dictionary(shape.map { ($0.name, $0.extents) }) { $1 }
    let graph = try ONNXImporter.graph(bytes, name: input, shapes: shapes)
    let result = try CanonicalGraph(graph, takesQuantization: false).graph
    let file = try TFLiteFile.write(result)
    try OutputFile.write(file, to: output)
    printError("\(output): \(file.count) bytes; `denoisectl model inspect` shows what is in it")
    if let problem = result.problem {
      printError("\(output): does not run here: \(problem)")
    }
  }
}

extension Graph {
  /// Why the engine does not run it; `nil` where it does.
  fileprivate var problem: String? {
    do {
      _ = try Network(self)
      return nil
    } catch { return error.description }
  }
}
