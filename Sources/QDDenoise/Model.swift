public import QDEngine
import QDKernels
import QDSignal
import QDMessages

/// A denoising network: a graph, and the description of its interface from its metadata `qdenoise`.
///
/// The graph takes features of the spectrum, outputs complex filter taps for the low bins and gains
/// for bands, as `frontEnd` says, and may output the probability of speech as `speech`;
/// docs/network.md has the shapes.
public struct Model: Sendable {
  public typealias Kind = ModelKind

  /// The storage and arithmetic of the graph's weights.
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

  /// The longest hop that a model may have, in samples: the capacity of a virtual microphone's
  /// FIFO.
  public static let largestHop = 4096

  /// With float32 inputs and outputs, whatever the file has.
  public let graph: Graph
  public let name: String
  public let kind: Kind
  /// The sample rate of the network, after decimation.
  let networkRate: Int
  let networkHop: Int
  let networkWindow: Int
  /// Hops of look-ahead.
  public let lookAhead: Int
  /// The inputs of the network, and how its outputs apply.
  public private(set) var frontEnd: FrontEndDescription
  /// The network's states.
  public let states: [StatePair]
  public let licence: String?
  /// Nodes that lose sound in int8 and therefore stay float, by the names of their outputs.
  public let keepFloat: [String]
  public let precision: Precision
  /// Whether the network also outputs the probability of speech.
  public let givesSpeech: Bool

  private var factor: Int { frontEnd.decimation?.factor ?? 1 }
  /// Samples per second of the sound; with decimation the network has fewer.
  public var sampleRate: Int { factor * networkRate }
  /// Samples.
  public var hop: Int { factor * networkHop }
  /// Samples; usually two hops.
  public var window: Int { factor * networkWindow }
  /// Samples by which decimation and interpolation delay the sound.
  public var decimationDelay: Int { 2 * (frontEnd.decimation?.delay ?? 0) }
  /// Complex numbers of a spectrum.
  var bins: Int { networkWindow / 2 + 1 }

  /// The delay from a model's input to its output beyond the hop itself, in samples.
  public var latency: Int { window - hop + lookAhead * hop + decimationDelay }
  public var hopSeconds: Double { Double(hop) / Double(sampleRate) }
  /// Taps of the filter on the low bins.
  public var taps: Int { frontEnd.taps?.ages.count ?? 0 }
  /// Bins that have a filter.
  public var lowBins: Int { frontEnd.taps?.bins ?? 0 }
  /// Band b is the bins `bandEdges[b] ..< bandEdges[b + 1]` and has one gain.
  public var bandEdges: [Int] { frontEnd.bands }

  /// Positions of a network of compressed magnitudes: bins below the bands, and the bands.
  public var positions: Int { (bandEdges.first ?? 1) + bandEdges.count - 1 }

  /// Reads the metadata and checks it against the graph.
  public init(_ graph: Graph) throws(DenoiseError) {
    guard let bytes = graph.metadata["qdenoise"] else { throw .noMetadata(model: graph.name) }
    let metadata = try ModelMetadata.parse(bytes, model: graph.name)
    if let problem = metadata.problem {
      throw .metadata(model: graph.name, problem: problem)
    }
    guard FourierTransform.supports(length: metadata.window) else {
      throw .metadata(
        model: graph.name,
        problem: UserMessage("'window' is \(metadata.window), it needs factors of 2, 3, 5"))
    }
    let frontEnd = metadata.frontEnd
    let lowest = metadata.version == 1 ? metadata.lowBins ?? 0 : frontEnd.bands.first ?? 0
    guard frontEnd.spectrum != nil || Bands(low: lowest, edges: frontEnd.bands) != nil else {
      throw .metadata(
        model: graph.name,
        problem: metadata.version == 1
          ? UserMessage("'band_edges' do not rise from 'low_bins' (\(lowest))")
          : UserMessage("'bands' do not rise"))
    }
    self.graph = graph.withFloatEdges()
    name = metadata.name
    kind = metadata.kind ?? .imported
    networkRate = metadata.sampleRate
    networkHop = metadata.hop
    networkWindow = metadata.window
    lookAhead = metadata.lookAhead
    self.frontEnd = frontEnd
    states = metadata.states.map { StatePair(input: $0[0], output: $0[1]) }
    licence = metadata.licence
    keepFloat = metadata.keepFloat ?? []
    precision = Model.precision(of: graph)
    givesSpeech = Model.tensor("speech", among: graph.outputs, of: graph) != nil
    let (inputs, outputs) = (self.graph.inputs, self.graph.outputs)
    for input in frontEnd.inputs {
      try check(inputs, name: input.name, count: frontEnd.count(of: input))
    }
    let stateInputs = Set(states.map(\.input)), features = Set(frontEnd.inputs.map(\.name))
    for index in inputs {
      let name = self.graph.tensors[index].name
      guard features.contains(name) || stateInputs.contains(name) else {
        throw .shape(
          model: graph.name, problem: UserMessage("nothing is said of its input '\(name)'"))
      }
    }
    if let taps = frontEnd.taps {
      try check(outputs, name: taps.name, count: 2 * self.taps * lowBins)
    }
    if let gains = frontEnd.gains {
      try check(outputs, name: gains, count: bandEdges.count - 1)
    }
    if let spectrum = frontEnd.spectrum {
      try check(outputs, name: spectrum.name, count: 2 * spectrum.bins)
    }
    if givesSpeech { try check(outputs, name: "speech", count: 1) }
  }

  /// The same for sounds at the network's sample rate.
  func undecimated() -> Model {
    var model = self
    model.frontEnd.decimation = nil
    return model
  }

  private static func tensor(_ name: String, among indices: [Int], of graph: Graph) -> Tensor? {
    indices.lazy.filter(graph.tensors.indices.contains).map { graph.tensors[$0] }
      .first { $0.name == name }
  }

  private func check(
    _ indices: [Int], name: String, count: Int
  ) throws(DenoiseError) {
    guard let tensor = Model.tensor(name, among: indices, of: graph) else {
      throw .shape(model: graph.name, problem: UserMessage("there is no tensor '\(name)'"))
    }
    guard tensor.count == count, tensor.type == .float32 else {
      throw .shape(
        model: graph.name,
        problem: UserMessage(
          "tensor '\(name)' is \(String(describing: tensor.type)) \(tensor.shape), not \(count) of"
            + " float32"))
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
