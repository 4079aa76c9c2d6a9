import ArgumentParser
import AudioHost
import Denoise
import Engine
import ModelStore
import Quantizer

/// What networks are run on to look into them: sound through the real front end, or numbers.
struct ModelSamples: ParsableArguments {
  @Option(
    parsing: .upToNextOption,
    help: "Sound files for a denoising model; without them the inputs are random.",
    completion: .file())
  var audio: [String] = []

  @Option(help: "The most runs of the network: hops of sound, or random inputs.")
  var runs = 500

  func validate() throws {
    guard (1...1_000_000).contains(runs) else {
      throw ValidationError("--runs is from 1 to 1000000")
    }
  }

  /// The runs, and the states that go on from one to the next.
  func read(for graph: Graph) throws -> (samples: [Sample], states: [StatePair]) {
    let model = try? Model(graph)
    let states = model?.states ?? []
    if audio.isEmpty {
      return (graph.randomSamples(runs, seed: 1, states: states), states)
    }
    // The metadata's own error says what is wrong with it as a denoising model.
    return (try features(try Model(graph)), states)
  }

  private func features(_ model: Model) throws -> [Sample] {
    var samples: [Sample] = []
    for path in audio where samples.count < runs {
      var reader = try SoundFileReader(path: path)
      guard reader.format.sampleRate == model.sampleRate else {
        throw ValidationError(
          "\(path): \(reader.format.sampleRate) Hz; the model hears \(model.sampleRate) Hz, "
            + "convert the file first")
      }
      let channels = reader.format.channels
      var frontEnd = FeatureReader(model)
      while samples.count < runs {
        let block = try reader.read(model.hop)
        if block.count < model.hop * channels { break }
        let first = stride(from: 0, to: block.count, by: channels).map { block[$0] }
        samples.append(["features": frontEnd.features(of: first)])
      }
    }
    guard !samples.isEmpty else {
      throw ValidationError("the sound files are shorter than one hop of the model")
    }
    return samples
  }
}

/// "41.2 dB"
func decibelText(_ value: Double) -> String {
  value.isInfinite ? (value > 0 ? "equal" : "not finite") : "\((value * 10).rounded() / 10) dB"
}
