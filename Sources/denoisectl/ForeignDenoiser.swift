package import QDDenoise
package import QDEngine
import Foundation
import QDONNX
import QDQuantizer
import QDSignal
import QDTFLite

/// How published files of another project become one denoising model. A row is data: the model's
/// metadata follows from it, and no other part of the programs knows its name.
package struct ForeignDenoiser {
  /// Its name for `--denoiser`.
  package var option: String
  var name: String
  var licence: String
  /// The files; each may read the outputs of earlier ones.
  var files: [String]
  /// The outputs of the network, and their names in the files.
  var outputs: [(name: String, source: String)]
  /// Required values of config.ini, if there is one, by section and key.
  var required: [(key: String, value: String)] = []
  /// Whether the files process whole recordings, and get their states from the importer.
  var isWhole = false
  /// The states that the files already have.
  var states: [StatePair] = []
  /// For a chain of .tflite files: the input domain of each.
  var domains: [SpectralStages.Domain] = []
  /// Nodes that lose quality in int8, as `model debug` shows.
  var keepFloat: [String] = []
  /// Elements of all states: other versions have another number.
  var memory: Int
  var sampleRate = 48000
  var hop: Int
  /// Hops per window.
  var hops = 2
  var lookAhead = 0
  var frontEnd: FrontEndDescription

  package static let all = [
    deepFilterNet2LowLatency, deepFilterNet3, gtcrn, ulunas, dtln,
  ]

  // MARK: DeepFilterNet

  private static let deepFilterNet3 = deepFilterNet(
    option: "deepfilternet3", name: "DeepFilterNet3", version: "deepfilternet3", memory: 26_304,
    lookAhead: 2, source: .noisy)

  private static let deepFilterNet2LowLatency = deepFilterNet(
    option: "deepfilternet2-ll", name: "DeepFilterNet2, low latency", version: "deepfilternet2",
    memory: 14_016, lookAhead: 0, source: .masked)

  /// Band levels and spectra as inputs; 32 ERB bands of gains, and filters of five hops for 96 bins
  /// as outputs.
  private static func deepFilterNet(
    option: String, name: String, version: String, memory: Int, lookAhead: Int,
    source: FrontEndDescription.Taps.Source
  ) -> ForeignDenoiser {
    let decay = Float(0.99)
    return ForeignDenoiser(
      option: option, name: name,
      licence: "MIT or Apache-2.0, Copyright (c) 2021 Hendrik Schröter (DeepFilterNet)",
      files: ["enc.onnx", "erb_dec.onnx", "df_dec.onnx"],
      outputs: [("gains", "m"), ("taps", "coefs")],
      required: [
        ("train.model", version), ("deepfilternet.conv_lookahead", "\(lookAhead)"),
        ("df.df_lookahead", "\(lookAhead)"), ("df.sr", "48000"), ("df.fft_size", "960"),
        ("df.hop_size", "480"), ("df.nb_erb", "32"), ("df.nb_df", "96"),
        ("df.min_nb_erb_freqs", "2"), ("df.df_order", "5"),
      ],
      isWhole: true, memory: memory, hop: 480, lookAhead: lookAhead,
      frontEnd: FrontEndDescription(
        window: .vorbis, scale: 1 / 960,
        inputs: [
          .init(
            name: "feat_erb", feature: .bandLevels, decay: decay, start: [-60, -90], divisor: 40),
          .init(
            name: "feat_spec", feature: .unitSpectrum, bins: 96, decay: decay,
            start: [0.001, 0.0001]),
        ],
        bands: bandEdges(32, shortest: 2, hop: 480, sampleRate: 48000), gains: "gains",
        taps: .init(name: "taps", bins: 96, ages: [4, 3, 2, 1, 0], source: source)))
  }

  /// Bands evenly spaced in equivalent rectangular bandwidths (Glasberg and Moore, 1990), none
  /// narrower than `shortest` bins.
  private static func bandEdges(
    _ count: Int, shortest: Int, hop: Int, sampleRate: Int
  ) -> [Int] {
    let scale = 9.265
    func erb(_ frequency: Double) -> Double { scale * log(1 + frequency / (24.7 * scale)) }
    let highest = erb(Double(sampleRate) / 2)
    var edges = [0]
    for band in 1...count {
      let position = highest * Double(band) / Double(count) / scale
      let frequency = 24.7 * scale * (exp(position) - 1)
      let bin = (frequency * Double(2 * hop) / Double(sampleRate)).rounded()
      edges.append(max(Int(bin), edges[band - 1] + shortest))
    }
    edges[count] = hop + 1
    return edges
  }

  // MARK: Networks of 16 kHz

  private static let gtcrn = sixteenKilohertz(
    option: "gtcrn", name: "GTCRN", licence: "MIT, Copyright (c) 2024 Rong Xiaobin (GTCRN)",
    file: "gtcrn_simple.onnx", window: .squareRootHann,
    states: ["conv_cache", "tra_cache", "inter_cache"], memory: 18_048)

  /// Its features are logarithms, even of almost empty bins, so the filter before it affects its
  /// output: two filters that differ by -70 dB give outputs that differ by -31.
  private static let ulunas = sixteenKilohertz(
    option: "ul-unas", name: "UL-UNAS", licence: "MIT, Copyright (c) 2025 Rong Xiaobin (UL-UNAS)",
    file: "ulunas_stream_simple.onnx", window: .hann,
    states: ["conv_cache", "tfa_cache", "inter_cache"], memory: 6_816, delay: 384)

  /// A network that maps the spectrum of 512 samples at 16 kHz to the denoised one.
  private static func sixteenKilohertz(
    option: String, name: String, licence: String, file: String, window: WindowShape,
    states: [String], memory: Int, delay: Int = 120
  ) -> ForeignDenoiser {
    ForeignDenoiser(
      option: option, name: name, licence: licence, files: [file],
      outputs: [("enh", "enh")] + states.map { ($0 + "_out", $0 + "_out") },
      states: states.map { StatePair(input: $0, output: $0 + "_out") }, memory: memory,
      sampleRate: 16000, hop: 256,
      frontEnd: FrontEndDescription(
        window: window, scale: 1, inputs: [.init(name: "mix", feature: .spectrum, bins: 257)],
        spectrum: .init(name: "enh", bins: 257),
        decimation: .init(factor: 3, delay: delay, above: .follows)))
  }

  /// Magnitude masks, then a network of samples, over windows of four hops.
  private static let dtln = ForeignDenoiser(
    option: "dtln", name: "DTLN", licence: "MIT, Copyright (c) 2020 Nils L. Westhausen (DTLN)",
    files: ["model_1.tflite", "model_2.tflite"], outputs: [],
    states: [
      StatePair(input: "input_3", output: "Identity_1"),
      StatePair(input: "input_5", output: "Identity_1"),
    ],
    domains: [.magnitudes, .samples], keepFloat: ["2/analysis", "2/synthesis"], memory: 1024,
    sampleRate: 16000, hop: 128, hops: 4,
    frontEnd: FrontEndDescription(
      window: .rectangular, scale: 1,
      inputs: [.init(name: "noisy", feature: .spectrum, bins: 257)],
      spectrum: .init(name: "enhanced", bins: 257),
      decimation: .init(factor: 3, delay: 120, above: .follows)))

  // MARK: The model

  /// The files as one graph with states and metadata.
  /// - Parameter above: the gain of the band above the network's, if the sound has more bandwidth.
  package func graph(
    _ folder: DenoiserFiles, name: String, above: FrontEndDescription.Decimation.Above? = nil
  ) throws -> Graph {
    var frontEnd = frontEnd
    if let above {
      guard frontEnd.decimation != nil else {
        throw ForeignDenoiserError(
          "\(option) hears the whole band, so there is none above it; leave out --above")
      }
      frontEnd.decimation?.above = above
    }
    try check(folder)
    var parts: [(name: String, bytes: [UInt8])] = []
    for file in files {
      guard let bytes = folder.bytes(file) else {
        throw ForeignDenoiserError(
          "\(folder.name): there is no \(file); \(option) is made of \(files.joined(separator: ", "))"
        )
      }
      parts.append(("\(folder.name)/\(file)", bytes))
    }
    let (graph, states) =
      try domains.isEmpty ? joined(parts, name: name) : chained(parts, name: name)
    let memory = graph.tensors.filter { tensor in states.contains { $0.input == tensor.name } }
      .reduce(0) { $0 + ($1.count ?? 0) }
    guard memory == self.memory else {
      throw ForeignDenoiserError(
        "\(folder.name): its files remember \(memory) numbers, those of \(option) \(self.memory); choose "
          + "another --denoiser")
    }
    var result = try CanonicalGraph(graph, takesQuantization: false).graph
    result.metadata["qdenoise"] = try Model.metadata(
      name: self.name, sampleRate: sampleRate, hop: hop, hops: hops, lookAhead: lookAhead,
      states: states, licence: licence, keepFloat: keepFloat, frontEnd: frontEnd)
    _ = try Model(result)
    return result
  }

  /// ONNX files, each of which reads outputs of earlier ones.
  private func joined(
    _ parts: [(name: String, bytes: [UInt8])], name: String
  ) throws -> (Graph, [StatePair]) {
    var options = ONNXImporter.Options()
    options.isStreaming = isWhole
    let (graph, found) = try ONNXImporter.network(
      joining: parts, name: name, outputs: outputs, options: options)
    return (graph, states + found)
  }

  /// .tflite files, each of which processes the spectrum of the one before it.
  private func chained(
    _ parts: [(name: String, bytes: [UInt8])], name: String
  ) throws -> (Graph, [StatePair]) {
    guard let input = frontEnd.inputs.first, let bins = input.bins, let output = frontEnd.spectrum
    else { preconditionFailure("stages go on with a spectrum") }
    var stages = SpectralStages(name: name, input: input.name, bins: bins)
    var found: [StatePair] = []
    for (index, part) in parts.enumerated() {
      let prefix = "\(index + 1)/", state = states[index]
      try stages.append(
        try TFLiteFile.read(part.bytes, name: part.name), domains[index], state: state,
        prefix: prefix, overlap: hops)
      found.append(StatePair(input: prefix + state.input, output: prefix + state.output))
    }
    return (try stages.finished(output: output.name), found)
  }

  /// Compares config.ini, if there is one, with the row.
  private func check(_ folder: DenoiserFiles) throws {
    guard let bytes = folder.bytes("config.ini") else { return }
    let found = Self.settings(String(decoding: bytes, as: UTF8.self))
    for (key, value) in required {
      guard let other = found[key], other != value else { continue }
      throw ForeignDenoiserError(
        "\(folder.name)/config.ini: \(key) is \(other), \(option) has \(value); choose another "
          + "--denoiser, or the files of this one")
    }
  }

  /// section.key and its value, in lower case.
  static func settings(_ text: String) -> [String: String] {
    var section = ""
    var result: [String: String] = [:]
    for line in text.split(whereSeparator: \.isNewline) {
      let line = line.trimmingCharacters(in: .whitespaces).lowercased()
      if line.hasPrefix("["), line.hasSuffix("]") {
        section = String(line.dropFirst().dropLast())
      } else if let sign = line.firstIndex(of: "="), !line.hasPrefix("#"), !line.hasPrefix(";") {
        let key = line[..<sign].trimmingCharacters(in: .whitespaces)
        result["\(section).\(key)"] = line[line.index(after: sign)...].trimmingCharacters(
          in: .whitespaces)
      }
    }
    return result
  }
}

package struct ForeignDenoiserError: Error, CustomStringConvertible {
  package var description: String
  init(_ description: String) { self.description = description }
}
