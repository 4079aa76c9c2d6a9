public import Engine
import Kernels
import Signal

/// A network that denoises: a graph, and what its metadata `qdenoise` says about the sound it is
/// for.
///
/// The graph takes `features` and gives complex filter `taps` for the low bins and `gains` for the
/// bands above, and may give the probability that somebody speaks as `speech`; docs/network.md has
/// the shapes.
public struct Model: Sendable {
  public enum Kind: String, Codable, Sendable, CaseIterable {
    case full, light
    /// A shorter hop, for less delay.
    case lowLatency = "low-latency"
  }

  /// How the graph's weights are stored and computed with.
  public enum Precision: String, Codable, Sendable {
    case float32
    case float16
    /// int8 weights, activations quantized at run time.
    case dynamicRange = "dynamic-range int8"
    /// Integers throughout.
    case integer = "full int8"
    /// int16 activations, int8 weights.
    case wide = "16x8"
  }

  /// The longest hop that a model may have, in samples: what the FIFO of a virtual microphone holds.
  public static let largestHop = 4096

  /// With float32 inputs and outputs, whatever the file has there.
  public let graph: Graph
  public let name: String
  public let kind: Kind
  /// Samples a second.
  public let sampleRate: Int
  /// Samples.
  public let hop: Int
  /// Samples; two hops.
  public let window: Int
  /// Hops that the network looks ahead.
  public let lookAhead: Int
  /// Spectra that the filter of the low bins reaches back over.
  public let taps: Int
  /// Bins that are a position of their own and have a filter each.
  public let lowBins: Int
  /// Band b is the bins `bandEdges[b] ..< bandEdges[b + 1]` and has one gain.
  public let bandEdges: [Int]
  /// The power of magnitudes that the network sees.
  public let compression: Float
  /// The network's memory.
  public let states: [StatePair]
  public let licence: String?
  public let precision: Precision
  /// Whether the network also gives the probability that a hop holds speech.
  public let givesSpeech: Bool

  /// The delay from a model's input to its output beyond the hop itself, in samples.
  public var latency: Int { window - hop + lookAhead * hop }
  public var hopSeconds: Double { Double(hop) / Double(sampleRate) }
  /// Positions that the network sees.
  public var positions: Int { lowBins + bandEdges.count - 1 }

  /// Reads the metadata and checks that the graph fits it.
  public init(_ graph: Graph) throws(DenoiseError) {
    guard let bytes = graph.metadata["qdenoise"] else { throw .noMetadata(model: graph.name) }
    let metadata = try ModelMetadata.parse(bytes, model: graph.name)
    if let problem = metadata.problem {
      throw .metadata(model: graph.name, problem: problem)
    }
    guard FourierTransform.supports(length: metadata.window) else {
      throw .metadata(
        model: graph.name, problem: "'window' is \(metadata.window), it needs factors of 2, 3, 5")
    }
    guard Bands(low: metadata.lowBins, edges: metadata.bandEdges) != nil else {
      throw .metadata(
        model: graph.name, problem: "'band_edges' do not rise from 'low_bins' (\(metadata.lowBins))"
      )
    }
    self.graph = graph.withFloatEdges()
    name = metadata.name
    kind = metadata.kind
    sampleRate = metadata.sampleRate
    hop = metadata.hop
    window = metadata.window
    lookAhead = metadata.lookAhead
    taps = metadata.taps
    lowBins = metadata.lowBins
    bandEdges = metadata.bandEdges
    compression = metadata.compression
    states = metadata.states.map { StatePair(input: $0[0], output: $0[1]) }
    licence = metadata.licence
    precision = Model.precision(of: graph)
    givesSpeech = Model.tensor("speech", among: graph.outputs, of: graph) != nil
    let (inputs, outputs) = (self.graph.inputs, self.graph.outputs)
    try check(inputs, name: "features", kind: "input", count: 3 * positions)
    try check(outputs, name: "taps", kind: "output", count: 2 * taps * lowBins)
    try check(outputs, name: "gains", kind: "output", count: bandEdges.count - 1)
    if givesSpeech { try check(outputs, name: "speech", kind: "output", count: 1) }
  }

  private static func tensor(_ name: String, among indices: [Int], of graph: Graph) -> Tensor? {
    indices.lazy.filter(graph.tensors.indices.contains).map { graph.tensors[$0] }
      .first { $0.name == name }
  }

  private func check(
    _ indices: [Int], name: String, kind: String, count: Int
  ) throws(DenoiseError) {
    guard let tensor = Model.tensor(name, among: indices, of: graph) else {
      throw .shape(model: graph.name, problem: "there is no \(kind) '\(name)'")
    }
    guard tensor.count == count, tensor.type == .float32 else {
      throw .shape(
        model: graph.name,
        problem: "\(kind) '\(name)' is \(tensor.type) \(tensor.shape), not \(count) of float32")
    }
  }

  private static func precision(of graph: Graph) -> Precision {
    let integers = graph.tensors.filter { $0.type == .int8 }
    if graph.tensors.contains(where: { $0.type == .int16 && !$0.isConstant }) { return .wide }
    if integers.contains(where: { !$0.isConstant }) { return .integer }
    if !integers.isEmpty { return .dynamicRange }
    return graph.tensors.contains { $0.type == .float16 } ? .float16 : .float32
  }
}
