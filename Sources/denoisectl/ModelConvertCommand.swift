public import ArgumentParser
import AudioHost
import ModelStore
public import Quantizer
import TFLite

struct ModelConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Makes a .tflite model smaller and faster by storing its weights in fewer bits.",
    discussion: """
      Layers with fewer than 1024 weights stay float, and so do operators without an int8 form; \
      they are listed.
      """)

  @Option(
    help: """
      default: int8 weights, activations quantized while it runs (TFLite's dynamic range). \
      size: int8 weights, restored when it is loaded, computed in float. \
      float16: half-precision weights.
      """)
  var optimize = Optimization.default

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Layers that stay float, by the names of their outputs; `model debug` suggests some.",
      valueName: "layer"))
  var keepFloat: [String] = []

  @Flag(help: "One scale for all weights of a layer, not one per output channel.")
  var perTensor = false

  @Argument(
    help: "A .tflite file, or full, light or low-latency: the built-in models.",
    completion: .file(extensions: ["tflite"]))
  var input: ModelChoice

  @Argument(
    help: "The new file, or - for standard output.", completion: .file(extensions: ["tflite"]))
  var output: String

  func run() throws {
    let graph = try ModelStore.graph(input)
    let result = try quantize(
      graph, optimize, keepingFloat: Set(keepFloat), perTensor: perTensor)
    let bytes = try TFLiteFile.write(result)
    try OutputFile.write(bytes, to: output)
    for layer in result.floatLayers {
      printError("\(output): '\(layer.name)' stays float (\(layer.elements) weights)")
    }
    printError("\(output): \(bytes.count) bytes; `denoisectl model inspect` shows what is in it")
  }
}

extension Optimization: ExpressibleByArgument {}
