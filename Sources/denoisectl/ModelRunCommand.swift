import ArgumentParser
import QDAudioHost
import QDEngine
import QDFiles
import Foundation
import QDModelStore

/// Runs any network once, for comparison with another engine.
struct ModelRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a model once on NumPy arrays.",
    discussion: """
      Every output becomes INDEX_NAME.npy, with characters outside of [A-Za-z0-9._-] as _ and of a \
      long name its first 200. Inputs that share a name are given by their index, as in \
      '#0=FILE.npy'. States are inputs and outputs like any other here.
      """)

  @OptionGroup var microkernels: MicrokernelOption
  @OptionGroup var sharing: ThreadsOption
  @OptionGroup var weights: WeightsOption

  @Flag(help: "Say on standard error where the packed weights came from.")
  var verbose = false

  @Option(
    parsing: .upToNextOption, help: "An input's values, for every input.",
    completion: .file(extensions: ["npy"]))
  var input: [Assignment]

  @Option(help: "Where the outputs go; made if it is not there.", completion: .directory)
  var outputDir: String

  @Argument(
    help: "A .tflite file, or full, light or low-latency: the built-in models.")
  var file: ModelChoice

  /// NAME=x.npy
  struct Assignment: ExpressibleByArgument {
    var name: String
    var path: String

    init?(argument: String) {
      guard let sign = argument.lastIndex(of: "=") else { return nil }
      name = String(argument[..<sign])
      path = String(argument[argument.index(after: sign)...])
    }
  }

  func run() throws {
    let graph = try ModelStore.graph(file, leastMapped: WeightsOption.leastMapped)
    var network = try Network(
      graph, instructionSet: microkernels.isa, threads: sharing.threads, cache: weights.folder)
    if verbose { printError("\(graph.name): \(network.cacheOutcome)") }
    let names = graph.callerInputs.map { graph.tensors[$0].name }
    let places = try input.map { try place(of: $0, in: graph) }
    if let twice = input.indices.first(where: { places[..<$0].contains(places[$0]) }) {
      throw ModelRunError.twice(graph: graph.name, input: input[twice].name)
    }
    for (index, name) in names.enumerated() where !places.contains(index) {
      throw ModelRunError.missing(graph: graph.name, input: name)
    }
    for (assignment, place) in zip(input, places) {
      try fill(assignment, at: place, of: graph, in: network)
    }
    network.run()
    try makeFolder()
    for (index, path) in outputFiles(of: graph).enumerated() {
      let tensor = graph.tensors[graph.callerOutputs[index]]
      let bytes = unsafe Array(network.outputBytes(at: index))
      let array = NumPyArray(type: tensor.type, shape: tensor.shape, data: bytes)
      try OutputFile.write(array.bytes, to: path)
    }
  }

  private func outputFiles(of graph: Graph) -> [String] {
    graph.callerOutputs.enumerated().map { index, tensor in
      // A file name has 255 bytes at most.
      let name = graph.tensors[tensor].name.replacing(/[^A-Za-z0-9._-]/, with: "_").prefix(200)
      return "\(outputDir)/\(index)_\(name).npy"
    }
  }

  private func fill(
    _ assignment: Assignment, at place: Int, of graph: Graph, in network: borrowing Network
  ) throws {
    let buffer = unsafe network.inputBytes(at: place)
    let bytes = try SampleFiles.bytes(assignment.path)
    let array: NumPyArray
    do { array = try NumPyArray(bytes: bytes) } catch {
      throw ModelRunError.notAnArray(path: assignment.path, reason: error.description)
    }
    let tensor = graph.tensors[graph.callerInputs[place]]
    guard array.type == tensor.type, array.shape == tensor.shape else {
      throw ModelRunError.wrongShape(
        path: assignment.path, is: "\(array.type) \(array.shape)", input: assignment.name,
        wants: "\(tensor.type) \(tensor.shape)")
    }
    unsafe buffer.copyBytes(from: array.data)
  }

  /// The input of an assignment: by its name, or by #INDEX if several have the same name.
  private func place(of assignment: Assignment, in graph: Graph) throws -> Int {
    let names = graph.callerInputs.map { graph.tensors[$0].name }
    let places = names.indices.filter { names[$0] == assignment.name }
    if places.count == 1 { return places[0] }
    if places.isEmpty, assignment.name.hasPrefix("#"), let place = Int(assignment.name.dropFirst()),
      names.indices.contains(place)
    {
      return place
    }
    throw places.isEmpty
      ? EngineError.noTensor(
        graph: graph.name, name: assignment.name, kind: "input", available: names)
      : ModelRunError.several(graph: graph.name, input: assignment.name, places: places)
  }

  private func makeFolder() throws {
    do {
      try FileManager.default.createDirectory(
        atPath: outputDir, withIntermediateDirectories: true)
    } catch {
      throw ProcessError.cannotCreateFolder(path: outputDir, reason: error.localizedDescription)
    }
  }
}

/// Why `model run` failed.
enum ModelRunError: Error, CustomStringConvertible {
  case missing(graph: String, input: String)
  case twice(graph: String, input: String)
  case several(graph: String, input: String, places: [Int])
  case notAnArray(path: String, reason: String)
  case wrongShape(path: String, is: String, input: String, wants: String)

  var description: String {
    switch self {
    case .missing(let graph, let input):
      "\(graph): input '\(input)' has no values; give --input '\(input)=FILE.npy'"
    case .twice(let graph, let input):
      "\(graph): input '\(input)' has values twice; give one file for each input"
    case .several(let graph, let name, let places):
      "\(graph): \(places.count) inputs are called '\(name)'; give each by its place, "
        + places.map { "--input '#\($0)=FILE.npy'" }.joined(separator: " ")
    case .notAnArray(let path, let reason): "\(path): \(reason)"
    case .wrongShape(let path, let description, let input, let wants):
      "\(path): is \(description), but input '\(input)' wants \(wants); convert it"
    }
  }
}
