import QDDenoise
import QDEngine
import Foundation
import Seeded

/// A network that answers the same at every hop, so that what becomes of a sound can be foretold.
struct ConstantModel: Sendable {
  /// Real and imaginary part for each of the three spectra of the complex filter.
  var taps: [Float] = [1, 0, 0, 0, 0, 0]
  var gain: Float = 1
  var lookAhead = 0
  /// Samples.
  var hop = 480
  /// The probability that is always given; nil where there is no such output.
  var speech: Float?
  /// Replaces values of the metadata; nil takes the key out.
  var metadata: [String: (any Sendable)?] = [:]

  /// What leaves the sound as it is.
  static let identity = ConstantModel()
  /// What takes everything away.
  static let nothing = ConstantModel(taps: [0, 0, 0, 0, 0, 0], gain: 0)

  /// The low bins reach up to 3.2 kHz, whatever the hop.
  var lowBins: Int { 64 * hop / 480 }
  var edges: [Int] { [lowBins] + (1...31).map { lowBins + 13 * hop * $0 / 480 } + [hop + 1] }

  var model: Model { get throws { try Model(graph) } }

  /// Fully connected layers with weights of zero: the biases are the answer.
  var graph: Graph {
    var values: [String: Any] = [
      "version": 1, "name": "constant", "kind": "full", "sample_rate": 48000, "window": 2 * hop,
      "hop": hop, "low_bins": lowBins, "band_edges": edges, "taps": 3,
      "look_ahead": lookAhead, "compression": 0.3, "states": [[String]](),
    ]
    for (key, value) in metadata { values[key] = value as Any? }
    var json: [UInt8] = []
    if let data = try? JSONSerialization.data(withJSONObject: values) { json = Array(data) }
    var graph = Graph(
      name: "constant.tflite",
      tensors: [
        Tensor(name: "features", shape: [1, 1, lowBins + 32, 3], type: .float32),
        Tensor(name: "begin_low", shape: [4], integers: [0, 0, 0, 0]),
        Tensor(name: "size_low", shape: [4], integers: [1, 1, Int32(lowBins), 3]),
        Tensor(name: "low", shape: [1, 1, lowBins, 3], type: .float32),
        Tensor(name: "weights_low", shape: [6, 3], values: [Float](repeating: 0, count: 18)),
        Tensor(name: "bias_low", shape: [6], values: taps),
        Tensor(name: "taps", shape: [1, 1, lowBins, 6], type: .float32),
        Tensor(name: "begin_high", shape: [4], integers: [0, 0, Int32(lowBins), 0]),
        Tensor(name: "size_high", shape: [4], integers: [1, 1, 32, 3]),
        Tensor(name: "high", shape: [1, 1, 32, 3], type: .float32),
        Tensor(name: "weights_high", shape: [1, 3], values: [0, 0, 0]),
        Tensor(name: "bias_high", shape: [1], values: [gain]),
        Tensor(name: "gains", shape: [1, 1, 32, 1], type: .float32),
      ],
      operators: [
        Operator(.slice, inputs: [0, 1, 2], outputs: [3]),
        Operator(
          .fullyConnected(.none, keepsDimensions: true), inputs: [3, 4, 5], outputs: [6]),
        Operator(.slice, inputs: [0, 7, 8], outputs: [9]),
        Operator(
          .fullyConnected(.none, keepsDimensions: true), inputs: [9, 10, 11], outputs: [12]),
      ],
      inputs: [0], outputs: [6, 12], metadata: ["qdenoise": json])
    addSpeech(to: &graph)
    return graph
  }

  private func addSpeech(to graph: inout Graph) {
    guard let speech else { return }
    let first = graph.tensors.count
    graph.tensors += [
      Tensor(name: "begin_speech", shape: [4], integers: [0, 0, 0, 0]),
      Tensor(name: "size_speech", shape: [4], integers: [1, 1, 1, 3]),
      Tensor(name: "heard", shape: [1, 1, 1, 3], type: .float32),
      Tensor(name: "weights_speech", shape: [1, 3], values: [0, 0, 0]),
      Tensor(name: "bias_speech", shape: [1], values: [speech]),
      Tensor(name: "speech", shape: [1, 1, 1, 1], type: .float32),
    ]
    graph.operators += [
      Operator(.slice, inputs: [0, first, first + 1], outputs: [first + 2]),
      Operator(
        .fullyConnected(.none, keepsDimensions: true), inputs: [first + 2, first + 3, first + 4],
        outputs: [first + 5]),
    ]
    graph.outputs.append(first + 5)
  }
}

/// Seeded white noise.
func noise(_ count: Int, seed: UInt64 = 1, amplitude: Float = 0.5) -> [Float] {
  var generator = SeededGenerator(seed: seed)
  return generator.floats(count, in: -amplitude...amplitude)
}

/// Carries whole hops through a denoiser.
func denoise(
  _ input: [Float], with denoiser: inout Denoiser, path: Denoiser.Path = .network
) -> [Float] {
  var output = [Float](repeating: 0, count: input.count)
  input.withUnsafeBufferPointer { from in
    output.withUnsafeMutableBufferPointer { to in
      for start in stride(from: 0, to: input.count, by: denoiser.hop) {
        denoiser.process(from.baseAddress! + start, to.baseAddress! + start, path: path)
      }
    }
  }
  return output
}
