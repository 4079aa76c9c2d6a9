import ArgumentParser
import AudioHost
import Engine
import TFLite

struct ModelInspectCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "inspect",
    abstract: "Shows what a .tflite model is made of, and whether it runs here.")

  @Flag(help: "List every operator with its tensors.")
  var operators = false

  @Argument(
    help: "A .tflite file, or - for standard input.", completion: .file(extensions: ["tflite"]))
  var file: String

  func run() throws {
    let bytes = try ModelFile.read(file)
    let graph = try TFLiteFile.read(bytes, name: file)
    print(ModelReport(graph, byteCount: bytes.count, listsOperators: operators).text)
  }
}

/// A model file's bytes.
enum ModelFile {
  static func read(_ path: String) throws(SoundFileError) -> [UInt8] {
    guard let bytes = try InputFile.read(path) else {
      throw .cannotOpen(path: path, reason: "there is no such file")
    }
    return bytes
  }
}
