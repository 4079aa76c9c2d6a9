public import ArgumentParser
import QDAudioHost
public import QDDenoise
import QDEngine
import QDFiles
import Foundation
import QDONNX
import QDQuantizer
import QDTFLite

struct ModelImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Makes a .tflite model of an ONNX model.",
    discussion: """
      Inputs and outputs keep their names and the order of their dimensions. Products, sums and \
      RELU behind a layer become part of it. `model convert` then quantizes the result.

      With --denoiser, the files of a published denoiser become one model that denoises: \
      \(ForeignDenoiser.all.map(\.option).joined(separator: ", ")).
      """)

  @Option(
    help: ArgumentHelp(
      "The shape of an input, where the file leaves it open; 1 where nobody says. May be repeated.",
      valueName: "name=1,3,16"))
  var shape: [NamedShape] = []

  @Option(
    help: ArgumentHelp(
      "An input that is always the same, such as a sample rate. May be repeated.",
      valueName: "name=16000"))
  var value: [NamedValues] = []

  @Option(help: "Join the files of this denoiser, which lie in a folder or a .tar.gz.")
  var denoiser: String?

  @Option(
    help: ArgumentHelp(
      "What becomes of the band above that of a denoiser of 16 kHz: follows or silent.",
      valueName: "what"))
  var above: FrontEndDescription.Decimation.Above?

  @Argument(
    help: "The .onnx file, or the folder or archive of a denoiser.",
    completion: .file(extensions: ["onnx", "gz"]))
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

  /// NAME=16000
  struct NamedValues: ExpressibleByArgument {
    var name: String
    var values: [Double]

    init?(argument: String) {
      guard let sign = argument.lastIndex(of: "=") else { return nil }
      let parts = argument[argument.index(after: sign)...].split(separator: ",")
      name = String(argument[..<sign])
      values = parts.compactMap { Double($0) }
      guard values.count == parts.count, !parts.isEmpty else { return nil }
    }
  }

  func validate() throws {
    guard let denoiser else {
      guard above == nil else { throw ValidationError("--above goes with --denoiser") }
      return
    }
    guard ForeignDenoiser.all.contains(where: { $0.option == denoiser }) else {
      let known = ForeignDenoiser.all.map(\.option).joined(separator: ", ")
      throw ValidationError("--denoiser \(denoiser) is not known; there is \(known)")
    }
    guard shape.isEmpty, value.isEmpty else {
      throw ValidationError("--denoiser knows its shapes; leave out --shape and --value")
    }
  }

  func run() throws {
    var separate = SeparateFiles()
    separate.read([input])
    if denoiser != nil, let files = try? FileManager.default.contentsOfDirectory(atPath: input) {
      separate.read(files.map { "\(input)/\($0)" })
    }
    try separate.write("the new file", to: output)
    let external = ExternalPaths()
    let result = try imported(external)
    separate = SeparateFiles()
    separate.read(external.paths)
    try separate.write("the new file", to: output)
    let file = try TFLiteFile.write(result)
    try OutputFile.write(file, to: output)
    printError("\(output): \(file.count) bytes; `denoisectl model inspect` shows what is in it")
    if let problem = result.problem {
      printError("\(output): does not run here: \(problem)")
    }
  }

  /// The files of weights beside a model.
  private final class ExternalPaths {
    var paths: [String] = []
  }

  private func imported(_ external: ExternalPaths) throws -> Graph {
    if let found = ForeignDenoiser.all.first(where: { $0.option == denoiser }) {
      return try found.graph(try DenoiserFiles(input), name: input, above: above)
    }
    var options = ONNXImporter.Options()
    options.shapes = Dictionary(shape.map { ($0.name, $0.extents) }) { $1 }
    options.values = Dictionary(value.map { ($0.name, $0.values) }) { $1 }
    options.external = beside(input, external)
    let graph = try ONNXImporter.network(
      try SampleFiles.bytes(input), name: input, options: options
    ).graph
    return try CanonicalGraph(graph, takesQuantization: false).graph
  }

  /// Reads files of the model's own folder, but no targets of links there.
  private func beside(_ model: String, _ external: ExternalPaths) -> ExternalReader {
    let folder = model.lastIndex(of: "/").map { String(model[...$0]) } ?? ""
    return { location throws(ONNXError) in
      let path = folder + location
      external.paths.append(path)
      func inside(_ path: String) -> String {
        URL(filePath: path).resolvingSymlinksInPath().path()
      }
      let root = inside(folder.isEmpty ? "." : folder)
      guard inside(path).hasPrefix(root.hasSuffix("/") ? root : root + "/") else {
        throw .unusable(
          name: model, reason: "'\(location)' is a link out of its folder; copy the file there")
      }
      do {
        guard let bytes = try RegularFile.read(path, atMost: 1 << 31) else {
          throw ONNXError.unusable(
            name: model, reason: "its weights are in '\(location)', which is not beside it")
        }
        return bytes
      } catch let error as ONNXError {
        throw error
      } catch { throw .unusable(name: model, reason: "its weights: \(error)") }
    }
  }
}

extension FrontEndDescription.Decimation.Above: ExpressibleByArgument {}

extension Graph {
  /// Why the engine cannot run it; `nil` if it can.
  fileprivate var problem: String? {
    do {
      _ = try Network(self)
      return nil
    } catch { return error.description }
  }
}
