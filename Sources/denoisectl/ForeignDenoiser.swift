import Denoise
package import Engine
import Foundation
import ONNX
import Quantizer
import Signal

/// How files that other people publish become one denoising model. A row is data: what it says goes
/// into the model's metadata, and nothing else in the programs knows its name.
package struct ForeignDenoiser {
  /// What `--denoiser` calls it.
  package var option: String
  var name: String
  var licence: String
  /// The files, each of which may read what those before it give.
  var files: [String]
  /// What the network gives, and what that is called in its file.
  var outputs: [(name: String, source: String)]
  /// What config.ini has to say where there is one, by section and key.
  var required: [(key: String, value: String)]
  /// Elements of all states: another version has other ones.
  var memory: Int
  var sampleRate = 48000
  var hop = 480
  var lookAhead: Int
  /// Levels and spectra in front of the network, ERB bands of gains and filters behind it.
  var bands = 32
  var filteredBins = 96
  var order = 5
  var source: FrontEndDescription.Taps.Source
  var shortestBand = 2

  package static let all = [deepFilterNet2LowLatency, deepFilterNet3]

  private static let deepFilterNetLicence =
    "MIT or Apache-2.0, Copyright (c) 2021 Hendrik Schröter (DeepFilterNet)"

  private static let deepFilterNet3 = ForeignDenoiser(
    option: "deepfilternet3", name: "DeepFilterNet3", licence: deepFilterNetLicence,
    files: ["enc.onnx", "erb_dec.onnx", "df_dec.onnx"],
    outputs: [("gains", "m"), ("taps", "coefs")],
    required: [("train.model", "deepfilternet3"), ("deepfilternet.conv_lookahead", "2")],
    memory: 26_304, lookAhead: 2, source: .noisy)

  private static let deepFilterNet2LowLatency = ForeignDenoiser(
    option: "deepfilternet2-ll", name: "DeepFilterNet2, low latency",
    licence: deepFilterNetLicence,
    files: ["enc.onnx", "erb_dec.onnx", "df_dec.onnx"],
    outputs: [("gains", "m"), ("taps", "coefs")],
    required: [("train.model", "deepfilternet2"), ("deepfilternet.conv_lookahead", "0")],
    memory: 14_016, lookAhead: 0, source: .masked)

  // MARK: The model

  /// The files as one graph with states and metadata.
  package func graph(_ folder: DenoiserFiles, name: String) throws -> Graph {
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
    var options = ONNXImporter.Options()
    options.isStreaming = true
    let (graph, states) = try ONNXImporter.network(
      joining: parts, name: name, outputs: outputs, options: options)
    let memory = graph.tensors.filter { tensor in states.contains { $0.input == tensor.name } }
      .reduce(0) { $0 + ($1.count ?? 0) }
    guard memory == self.memory else {
      throw ForeignDenoiserError(
        "\(folder.name): its files remember \(memory) numbers, those of \(option) \(self.memory); choose "
          + "another --denoiser")
    }
    var result = try CanonicalGraph(graph, takesQuantization: false).graph
    result.metadata["qdenoise"] = try Model.metadata(
      name: self.name, sampleRate: sampleRate, hop: hop, lookAhead: lookAhead, states: states,
      licence: licence, frontEnd: frontEnd)
    _ = try Model(result)
    return result
  }

  private var frontEnd: FrontEndDescription {
    let decay = Float(0.99)
    return FrontEndDescription(
      window: .vorbis, scale: 1 / Float(2 * hop),
      inputs: [
        .init(
          name: "feat_erb", feature: .bandLevels, decay: decay, start: [-60, -90], divisor: 40),
        .init(
          name: "feat_spec", feature: .unitSpectrum, bins: filteredBins, decay: decay,
          start: [0.001, 0.0001]),
      ],
      bands: edges, gains: "gains",
      taps: .init(
        name: "taps", bins: filteredBins, ages: (0..<order).reversed().map { $0 }, source: source))
  }

  /// Evenly spaced in equivalent rectangular bandwidths (Glasberg and Moore, 1990), none shorter than
  /// `shortestBand` bins.
  private var edges: [Int] {
    let scale = 9.265
    func erb(_ frequency: Double) -> Double { scale * log(1 + frequency / (24.7 * scale)) }
    let highest = erb(Double(sampleRate) / 2)
    var edges = [0]
    for band in 1...bands {
      let position = highest * Double(band) / Double(bands) / scale
      let frequency = 24.7 * scale * (exp(position) - 1)
      let bin = (frequency * Double(2 * hop) / Double(sampleRate)).rounded()
      edges.append(max(Int(bin), edges[band - 1] + shortestBand))
    }
    edges[bands] = hop + 1
    return edges
  }

  /// Compares config.ini, where there is one, with what the row says.
  private func check(_ folder: DenoiserFiles) throws {
    guard let bytes = folder.bytes("config.ini") else { return }
    let found = Self.settings(String(decoding: bytes, as: UTF8.self))
    let wanted =
      required + [
        ("df.sr", "\(sampleRate)"), ("df.fft_size", "\(2 * hop)"), ("df.hop_size", "\(hop)"),
        ("df.nb_erb", "\(bands)"), ("df.nb_df", "\(filteredBins)"),
        ("df.min_nb_erb_freqs", "\(shortestBand)"), ("df.df_order", "\(order)"),
        ("df.df_lookahead", "\(lookAhead)"),
      ]
    for (key, value) in wanted {
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
