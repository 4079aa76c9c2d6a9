import ArgumentParser
import QDEngine
import QDQuantizer

/// The samples for a network: sound through the real front end, or numbers.
struct ModelSamples: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: """
      Sound files for a denoising model, .npy or .npz files for any other; without them the inputs \
      are random.
      """,
    completion: .file())
  var samples: [String] = []

  @Option(help: "The most runs of the network: hops of sound, or random inputs.")
  var runs = 500

  func validate() throws {
    guard (1...1_000_000).contains(runs) else {
      throw ValidationError("--runs is from 1 to 1000000")
    }
  }

  /// The runs, and the states that continue from one to the next.
  func read(for graph: Graph) throws -> (samples: [Sample], states: [StatePair]) {
    let files = SampleFiles(graph)
    let runs =
      samples.isEmpty
      ? graph.randomSamples(runs, seed: 1, states: files.states)
      : try files.read(samples, limit: runs)
    return (runs, files.states)
  }
}

/// "41.2 dB"
func decibelText(_ value: Double) -> String {
  value.isInfinite ? (value > 0 ? "equal" : "not finite") : "\((value * 10).rounded() / 10) dB"
}
