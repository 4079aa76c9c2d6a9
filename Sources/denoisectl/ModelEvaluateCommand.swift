import ArgumentParser
import QDAudioHost
import QDDenoise
import QDEngine
import QDFiles
import Foundation
import QDModelStore
import QDQuantizer
import QDScoring

/// Scores a model: a denoiser on pairs of recordings, any model against its float form.
struct ModelEvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Scores a denoiser on a folder of pairs, or any model beside another form of it.",
    discussion: """
      With --pairs: SI-SDR, STOI and ESTOI of what the model makes of the noisy recordings, beside \
      those of the noisy recordings themselves. The folder has manifest.csv with the columns noisy \
      and clean, or the folders noisy and clean. PESQ and DNSMOS are not computed here.

      With --against: signal-to-noise ratio and largest error of every output.
      """)

  @OptionGroup var input: ModelSamples

  @Option(help: "A folder of noisy and clean recordings.", completion: .directory)
  var pairs: String?

  @Option(help: "The float form of the model.")
  var against: ModelChoice?

  @Option(help: "Every how many of the pairs.")
  var every = 1

  @Option(help: "How much is taken away.")
  var mode = Mode.standard

  @Option(help: "A table of all pairs, too.", completion: .file(extensions: ["csv"]))
  var csv: String?

  @Argument(
    help: "A .tflite file, or full, light or low-latency: the built-in models.")
  var model: ModelChoice

  func validate() throws {
    guard pairs != nil || against != nil else {
      throw ValidationError("give --pairs FOLDER for a denoiser, or --against FLOAT for any model")
    }
    guard every > 0 else { throw ValidationError("--every is at least 1") }
  }

  func run() throws {
    var separate = SeparateFiles()
    for model in [model, against].compactMap({ $0 }) {
      separate.read([try ModelStore.graph(model).name])
    }
    separate.read(input.samples)
    if let pairs {
      separate.read(["\(pairs)/manifest.csv"])
      for pair in try PairFolder(pairs).pairs { separate.read([pair.noisy, pair.clean]) }
    }
    try separate.write("--csv", to: csv)
    if let pairs { try score(pairs) }
    if let against { try compare(against) }
  }

  private func compare(_ other: ModelChoice) throws {
    let (reference, graph) = (try ModelStore.graph(other), try ModelStore.graph(model))
    let (samples, states) = try input.read(for: reference)
    let comparison = try Comparison(reference, graph, samples: samples, states: states)
    say("\(pad("output", to: 24))        SNR  largest error  (\(samples.count) runs)")
    for (name, deviation) in comparison.outputs {
      say(
        "\(pad(name, to: 24)) \(leftPad(decibelText(deviation.signalToNoise), to: 10))"
          + "  \(Float(deviation.largest))")
    }
  }

  // MARK: Pairs

  private struct Scores {
    var ratio: Double
    var intelligibility: Intelligibility?
  }

  private func score(_ folder: String) throws {
    let model = try ModelStore.load(model)
    let all = try PairFolder(folder).pairs
    let chosen = stride(from: 0, to: all.count, by: every).map { all[$0] }
    let bar = ProgressBar()
    var rows: [(name: String, noisy: Scores, denoised: Scores)] = []
    for (index, pair) in chosen.enumerated() {
      bar.show(pair.name, share: Double(index) / Double(chosen.count))
      rows.append(try score(pair, model))
    }
    bar.clear()
    say("\(pad("\(rows.count) pairs", to: 12))    SI-SDR     STOI    ESTOI")
    show("noisy", rows.map(\.noisy))
    show(model.name, rows.map(\.denoised))
    if let csv { try OutputFile.write(Array(table(rows).utf8), to: csv) }
  }

  private func score(
    _ pair: PairFolder.Pair, _ model: Model
  ) throws -> (name: String, noisy: Scores, denoised: Scores) {
    let (noisy, rate) = try read(pair.noisy)
    let (clean, cleanRate) = try read(pair.clean)
    guard rate == cleanRate, ChannelDenoiser.supports(sampleRate: rate, model: model) else {
      throw PairFolderError(
        description: "\(pair.noisy): \(rate) Hz, and \(pair.clean): \(cleanRate) Hz; resample both "
          + "to \(model.sampleRate) Hz")
    }
    var denoiser = try ChannelDenoiser(model, sampleRate: rate, mode: mode)
    var denoised: [Float] = []
    denoiser.process(noisy, into: &denoised)
    denoiser.finish(into: &denoised)
    let count = min(noisy.count, clean.count, denoised.count)
    let reference = Array(clean[..<count])
    func scores(_ samples: [Float]) -> Scores {
      let estimate = Array(samples[..<count])
      return Scores(
        ratio: scaleInvariantRatio(of: estimate, to: reference),
        intelligibility: Intelligibility(of: estimate, to: reference, sampleRate: rate))
    }
    return (pair.name, scores(noisy), scores(denoised))
  }

  /// The first channel of a file.
  private func read(_ path: String) throws -> (samples: [Float], rate: Int) {
    var reader = try SoundFileReader(path: path)
    var samples: [Float] = []
    while true {
      let block = try reader.read(1 << 16)
      if block.isEmpty { break }
      samples += stride(from: 0, to: block.count, by: reader.format.channels).map { block[$0] }
    }
    return (samples, reader.format.sampleRate)
  }

  private func show(_ name: String, _ scores: [Scores]) {
    // Silence and equality have no ratio.
    let ratios = scores.map(\.ratio).filter(\.isFinite)
    let words = scores.compactMap(\.intelligibility)
    func mean(_ values: [Double]) -> Double {
      values.isEmpty ? .nan : values.reduce(0, +) / Double(values.count)
    }
    say(
      pad(name, to: 12) + leftPad(String(format: "%.2f dB", mean(ratios)), to: 10)
        + leftPad(String(format: "%.3f", mean(words.map(\.stoi))), to: 9)
        + leftPad(String(format: "%.3f", mean(words.map(\.estoi))), to: 9))
  }

  private func table(_ rows: [(name: String, noisy: Scores, denoised: Scores)]) -> String {
    func columns(_ scores: Scores) -> String {
      let words = scores.intelligibility
      return "\(scores.ratio),\(words.map { "\($0.stoi)" } ?? ""),"
        + "\(words.map { "\($0.estoi)" } ?? "")"
    }
    let header = "name,noisy_si_sdr,noisy_stoi,noisy_estoi,si_sdr,stoi,estoi"
    return ([header] + rows.map { "\($0.name),\(columns($0.noisy)),\(columns($0.denoised))" })
      .joined(separator: "\n") + "\n"
  }
}
