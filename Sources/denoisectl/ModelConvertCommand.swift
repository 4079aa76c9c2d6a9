public import ArgumentParser
import AudioHost
import ModelStore
public import Quantizer
import TFLite

struct ModelConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Makes a .tflite model smaller and faster by storing its weights in fewer bits.")

  @Option(
    help: """
      default: int8 weights, activations quantized while it runs (TFLite's dynamic range). \
      float16: half-precision weights.
      """)
  var optimize = Optimization.default

  @Argument(
    help: "A .tflite file, or full, light or low-latency: the built-in models.",
    completion: .file(extensions: ["tflite"]))
  var input: ModelChoice

  @Argument(
    help: "The new file, or - for standard output.", completion: .file(extensions: ["tflite"]))
  var output: String

  func run() throws {
    let graph = try ModelStore.graph(input)
    let bytes = try TFLiteFile.write(try quantize(graph, optimize))
    try OutputFile.write(bytes, to: output)
    printError("\(output): \(bytes.count) bytes; `denoisectl model inspect` shows what is in it")
  }
}

extension Optimization: ExpressibleByArgument {}
