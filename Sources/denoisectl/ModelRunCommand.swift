import ArgumentParser
import AudioHost
import Engine
import Foundation
import ModelStore

/// Runs any network once, so that it can be held against another engine.
struct ModelRunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a model once on NumPy arrays.",
    discussion: """
      Every output becomes INDEX_NAME.npy, with characters outside of [A-Za-z0-9._-] as _. States \
      are inputs and outputs like any other here.
      """)

  @OptionGroup var microkernels: MicrokernelOption

  @Option(
    parsing: .upToNextOption, help: "An input's values, for every input.",
    completion: .file(extensions: ["npy"]))
  var input: [Assignment]

  @Option(help: "Where the outputs go; made if it is not there.", completion: .directory)
  var outputDir: String

  @Argument(
    help: "A .tflite file, or full, light or low-latency: the built-in models.",
    completion: ModelChoice.completion)
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
    let graph = try ModelStore.graph(file)
    var network = try Network(graph, instructionSet: microkernels.isa)
    let names = graph.givenInputs.map { graph.tensors[$0].name }
    for name in names where !input.contains(where: { $0.name == name }) {
      throw ModelRunError.missing(graph: graph.name, input: name)
    }
    for assignment in input { try fill(assignment, of: graph, in: network) }
    network.run()
    try makeFolder()
    for (index, tensor) in graph.takenOutputs.map({ graph.tensors[$0] }).enumerated() {
      let bytes = unsafe Array(try network.outputBytes(named: tensor.name))
      let array = NumPyArray(type: tensor.type, shape: tensor.shape, data: bytes)
      let name = tensor.name.replacing(/[^A-Za-z0-9._-]/, with: "_")
      try OutputFile.write(array.bytes, to: "\(outputDir)/\(index)_\(name).npy")
    }
  }

  private func fill(
    _ assignment: Assignment, of graph: Graph, in network: borrowing Network
  ) throws {
    let buffer = unsafe try network.inputBytes(named: assignment.name)
    let bytes = try SampleFiles.bytes(assignment.path)
    let array: NumPyArray
    do { array = try NumPyArray(bytes: bytes) } catch {
      throw ModelRunError.notAnArray(path: assignment.path, reason: error.description)
    }
    guard let index = graph.givenInputs.first(where: { graph.tensors[$0].name == assignment.name })
    else { return }
    let tensor = graph.tensors[index]
    guard array.type == tensor.type, array.shape == tensor.shape else {
      throw ModelRunError.wrongShape(
        path: assignment.path, is: "\(array.type) \(array.shape)", input: assignment.name,
        wants: "\(tensor.type) \(tensor.shape)")
    }
    unsafe buffer.copyBytes(from: array.data)
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

/// Why `model run` did not.
enum ModelRunError: Error, CustomStringConvertible {
  case missing(graph: String, input: String)
  case notAnArray(path: String, reason: String)
  case wrongShape(path: String, is: String, input: String, wants: String)

  var description: String {
    switch self {
    case .missing(let graph, let input):
      "\(graph): input '\(input)' has no values; give --input '\(input)=FILE.npy'"
    case .notAnArray(let path, let reason): "\(path): \(reason)"
    case .wrongShape(let path, let description, let input, let wants):
      "\(path): is \(description), but input '\(input)' wants \(wants); convert it"
    }
  }
}
