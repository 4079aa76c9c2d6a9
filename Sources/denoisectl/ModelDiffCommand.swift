import ArgumentParser
import QDEngine
import QDModelStore
import QDQuantizer

/// Compares two forms of one network.
struct ModelDiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Says how two models differ: operators, constants, and outputs on the same inputs.")

  @OptionGroup var input: ModelSamples

  @Argument(help: "A .tflite file, or full, light or low-latency: the built-in models.")
  var first: ModelChoice

  @Argument(help: "Another one with the same inputs and outputs.")
  var second: ModelChoice

  func run() throws {
    let (a, b) = (try ModelStore.graph(first), try ModelStore.graph(second))
    say("\(a.name)\n\(b.name)")
    compare("operators", counts(a), counts(b))
    compare("constants, bytes", bytes(a), bytes(b))
    if a.outputs.map({ a.tensors[$0].shape }) == b.outputs.map({ b.tensors[$0].shape }) {
      let (samples, states) = try input.read(for: a)
      let comparison = try Comparison(a, b, samples: samples, states: states)
      for (name, deviation) in comparison.outputs {
        say(
          "\(pad(name, to: 20)) \(leftPad(decibelText(deviation.signalToNoise), to: 10))"
            + "  largest error \(Float(deviation.largest))")
      }
    } else {
      say("the outputs have other shapes: they were not compared")
    }
  }

  private func counts(_ graph: Graph) -> [String: Int] {
    graph.operators.reduce(into: [:]) { $0[$1.kind.name, default: 0] += 1 }
  }

  private func bytes(_ graph: Graph) -> [String: Int] {
    Dictionary(uniqueKeysWithValues: graph.constantBytes.map { ("\($0.key)", $0.value) })
  }

  private func compare(_ title: String, _ a: [String: Int], _ b: [String: Int]) {
    let keys = Set(a.keys).union(b.keys).filter { a[$0] != b[$0] }.sorted()
    say("\(title): \(keys.isEmpty ? "the same" : "")")
    for key in keys {
      say(
        "  \(pad(key, to: 24)) \(leftPad("\(a[key] ?? 0)", to: 9)) \(leftPad("\(b[key] ?? 0)", to: 9))"
      )
    }
  }
}
