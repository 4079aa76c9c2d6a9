import ArgumentParser
import QDEngine
import QDKernels
import QDModelStore
import QDQuantizer

/// Runs a network with every instruction set of this machine.
struct ModelVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Compares a model's outputs between all instruction sets of this machine.",
    discussion: """
      The scalar kernels are the reference. Sums in another order differ in the last bits; in a \
      quantized network such a bit may move an activation by one step. Fails below 90 dB for a \
      float network and 30 dB for a quantized one.
      """)

  @OptionGroup var input: ModelSamples

  @Argument(help: "A .tflite file, or full, light or low-latency: the built-in models.")
  var model: ModelChoice

  func run() throws {
    let graph = try ModelStore.graph(model)
    let (samples, states) = try input.read(for: graph)
    let isQuantized = graph.tensors.contains { $0.type == .int8 }
    let limit = isQuantized ? 30.0 : 90.0
    var failed: [String] = []
    for set in InstructionSet.available where set != .scalar {
      let comparison = try Comparison(
        graph, graph, samples: samples, states: states, instructionSets: (.scalar, set))
      say("\(pad(set.rawValue, to: 12)) \(decibelText(comparison.worst))")
      if !(comparison.worst >= limit) { failed.append(set.rawValue) }
    }
    guard failed.isEmpty else {
      throw ModelVerifyError(
        description: "\(graph.name): \(failed.joined(separator: ", ")) differ from scalar by more "
          + "than rounding; please report it with the model")
    }
  }
}

private struct ModelVerifyError: Error, CustomStringConvertible {
  var description: String
}
