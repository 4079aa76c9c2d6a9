public import ArgumentParser
import Denoise
import Engine
public import Kernels
import ModelStore

/// Times the network alone, without a front end, as Benchmarks/compare_litert.py needs it.
struct ModelBenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Times one run of a model's network on one thread.")

  @Option(
    help: """
      The microkernels to use: \
      \(InstructionSet.available.map(\.rawValue).joined(separator: ", ")).
      """)
  var instructionSet = InstructionSet.best

  @Option(help: "How many runs to time.")
  var runs = 5000

  @Argument(
    help: "A .tflite file, or full or light: the built-in models.",
    completion: .file(extensions: ["tflite"]))
  var model: ModelChoice

  func validate() throws {
    guard InstructionSet.available.contains(instructionSet) else {
      throw ValidationError("\(instructionSet.rawValue) is not available on this machine")
    }
    guard (10...10_000_000).contains(runs) else {
      throw ValidationError("--runs is from 10 to 10000000")
    }
  }

  func run() throws {
    let graph = try ModelStore.graph(model)
    let states = (try? Model(graph))?.states ?? []
    var network = try Network(graph, states: states, instructionSet: instructionSet)
    for index in graph.inputs {
      let name = graph.tensors[index].name
      guard !states.contains(where: { $0.input == name }) else { continue }
      let input = unsafe try network.input(named: name)
      var generator = SystemRandomNumberGenerator()
      for i in 0..<input.count { unsafe input[i] = .random(in: -1...1, using: &generator) }
    }
    var times: [Double] = []
    let clock = ContinuousClock()
    for _ in 0..<runs {
      let time = clock.measure { network.run() }
      times.append(Double(time.components.attoseconds) / 1e12)
    }
    times.sort()
    func microseconds(_ share: Double) -> String {
      let value = times[min(Int(share * Double(times.count)), times.count - 1)]
      return "\((value * 100).rounded() / 100)"
    }
    print(
      "\(instructionSet.rawValue): \(microseconds(0)) us at least, \(microseconds(0.5)) at the "
        + "median, \(microseconds(0.99)) at the 99th percentile of \(runs) runs")
  }
}

extension InstructionSet: ExpressibleByArgument {}
