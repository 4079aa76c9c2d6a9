public import ArgumentParser
import QDAudioHost
import QDDenoise
import QDEngine
import QDFiles
import QDModelStore
public import QDQuantizer
import QDTFLite

struct ModelConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Makes a .tflite model smaller and faster by storing it in fewer bits.",
    discussion: """
      Without data, weights become int8 and activations stay float; layers with fewer than 1024 \
      weights stay float. With --representative, activations become integers too, in the ranges \
      that they have on these files; what is quantized in the input already is taken over. A node \
      without an integer form stays float. What stays float is listed.
      """)

  /// The goal, in the words of TensorFlow Lite's converter.
  enum Goal: String, CaseIterable, ExpressibleByArgument {
    case `default`, size, latency, float16
  }

  @Option(
    help: """
      default: int8 weights, activations quantized while it runs (TFLite's dynamic range), or, \
      with --representative, integers throughout. \
      size: int8 weights, restored when it is loaded, computed in float. \
      latency: integers throughout. \
      float16: half-precision weights.
      """)
  var optimize = Goal.default

  @Option(
    parsing: .upToNextOption,
    help: """
      What to calibrate with: sound files for a denoising model, .npy or .npz files for any other.
      """,
    completion: .file())
  var representative: [String] = []

  @Option(
    help: """
      The most runs of the network in calibration: hops of sound, or arrays. (default: 2000)
      """)
  var runs: Int?

  @Option(
    help: """
      How ranges are chosen: mse, the least mean squared error; smooth, the same with room for what \
      few samples do not show; minmax, the smallest and largest value. Without it, all are tried.
      """)
  var calibration: Calibrator.Method?

  @Flag(help: "Integer inputs and outputs too; a node without an integer form is an error.")
  var int8Only = false

  @Flag(name: .customLong("int16x8"), help: "Activations of 16 bits, weights of 8.")
  var int16x8 = false

  @Flag(help: "Activations around zero, without a zero point.")
  var symmetric = false

  @Option(help: "int8 or int4, the latter for fully connected and convolution layers.")
  var weights = Weights.int8

  enum Weights: String, CaseIterable, ExpressibleByArgument {
    case int8, int4
  }

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Nodes that stay float, by the names of their outputs; `model debug` suggests some.",
      valueName: "node"))
  var keepFloat: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Nodes with activations of 16 bits among others of 8.", valueName: "node"))
  var keepInt16: [String] = []

  @Flag(help: "One scale for all weights of a layer, not one per output channel.")
  var perTensor = false

  @Flag(
    help: """
      Neighbouring int8 weights of fully connected and convolution layers have sizes of at most 128 \
      together: faster on processors without VNNI, and a little coarser.
      """)
  var boundPairs = false

  @Argument(
    help: "A .tflite file, or full, light or low-latency: the built-in models.")
  var input: ModelChoice

  @Argument(
    help: "The new file, or - for standard output.", completion: .file(extensions: ["tflite"]))
  var output: String

  private var wantsIntegers: Bool {
    optimize == .latency || optimize == .default && !representative.isEmpty || int8Only || int16x8
  }

  func validate() throws {
    guard (1...1_000_000).contains(runs ?? 1) else {
      throw ValidationError("--runs is from 1 to 1000000")
    }
    guard !wantsIntegers || optimize == .latency || optimize == .default else {
      throw ValidationError(
        "--int8-only and --int16x8 go with --optimize latency, not with \(optimize.rawValue)")
    }
    guard wantsIntegers || representative.isEmpty else {
      throw ValidationError("--representative goes with --optimize default or latency")
    }
    guard wantsIntegers || keepInt16.isEmpty && !symmetric else {
      throw ValidationError("--keep-int16 and --symmetric need --representative FILES")
    }
    guard !representative.isEmpty || calibration == nil && runs == nil else {
      throw ValidationError("--calibration and --runs need --representative FILES")
    }
    guard weights == .int8 || wantsIntegers || optimize == .default else {
      throw ValidationError("--weights int4 does not go with --optimize \(optimize.rawValue)")
    }
    guard !boundPairs || weights == .int8 && (wantsIntegers || optimize == .default) else {
      throw ValidationError(
        "--bound-pairs is for int8 weights with --optimize default or latency")
    }
  }

  func run() throws {
    let graph = try ModelStore.graph(input)
    var separate = SeparateFiles()
    separate.read([graph.name] + representative)
    try separate.write("the new file", to: output)
    let result = try converted(graph)
    let bytes = try TFLiteFile.write(result)
    try OutputFile.write(bytes, to: output)
    if wantsIntegers {
      for node in result.floatNodes(states: SampleFiles(graph).states) {
        printError("\(output): \(node.operatorName) '\(node.name)' stays float")
      }
    } else {
      for layer in result.floatLayers {
        printError("\(output): '\(layer.name)' stays float (\(layer.elements) weights)")
      }
    }
    printError("\(output): \(bytes.count) bytes; `denoisectl model inspect` shows what is in it")
  }

  /// The nodes that the person names and, since they lose sound in integers, those that the model does.
  private func floatNodes(of graph: Graph) -> Set<String> {
    let own = optimize == .float16 ? [] : (try? Model(graph))?.keepFloat ?? []
    return Set(keepFloat).union(own)
  }

  private func converted(_ graph: Graph) throws -> Graph {
    if wantsIntegers { return try integers(graph) }
    let optimization: Optimization =
      switch optimize {
      case .size: .size
      case .float16: .float16
      case .default, .latency: .default
      }
    return try quantize(
      graph, optimization, keepingFloat: floatNodes(of: graph), perTensor: perTensor,
      boundingPairs: boundPairs, weightBits: weights == .int4 ? 4 : 8)
  }

  private func integers(_ graph: Graph) throws -> Graph {
    let canonical = try CanonicalGraph(graph)
    guard !representative.isEmpty || canonical.hasQuantization else {
      throw SampleFileError(
        description: "\(graph.name): integers need the ranges of the activations; give "
          + "--representative FILES: sound like that which the model is for, or .npy files with its "
          + "inputs")
    }
    var settings = IntegerSettings()
    settings.activations = int16x8 ? .int16 : symmetric ? .symmetric : .asymmetric
    settings.weightBits = weights == .int4 ? 4 : 8
    settings.perTensor = perTensor
    settings.boundingPairs = boundPairs
    settings.keepingFloat = floatNodes(of: graph)
    settings.keepingInt16 = Set(keepInt16)
    settings.integersOnly = int8Only
    let files = SampleFiles(graph)
    var ranges: [Int: ClosedRange<Float>] = [:]
    if !representative.isEmpty {
      let bar = ProgressBar()
      defer { bar.clear() }
      ranges = try calibrate(
        canonical, on: try files.read(representative, limit: runs ?? 2000), states: files.states,
        method: calibration, settings: settings
      ) { bar.show("calibrating", share: $0) }
    }
    return try quantize(canonical, ranges: ranges, states: files.states, settings: settings)
  }
}

extension Calibrator.Method: ExpressibleByArgument {}
