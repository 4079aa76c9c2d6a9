public import QDEngine

/// The error of quantization in each layer separately: the columns of TensorFlow Lite's
/// `QuantizationDebugger`.
///
/// Every quantized layer gets the float network's values as inputs, and its output is compared with
/// the float one, so that an error shows where it arises and not where it ends up.
public final class QuantizationDebugger {
  /// One layer of the quantized graph.
  public struct Layer: Sendable {
    /// Its index among the operators of the quantized graph.
    public let index: Int
    public let operatorName: String
    /// The name of its output, which a denylist uses too.
    public let tensorName: String
    let form: ActivationForm?
    /// For integers in the output; `nil` if it is float.
    public var scale: Float? { form?.scale }
    public var zeroPoint: Int? { form?.zeroPoint }
    public internal(set) var deviation = Deviation()
  }

  /// In the order of the quantized graph.
  public private(set) var layers: [Layer] = []
  /// The error of the whole quantized network over all outputs.
  public private(set) var whole = Deviation()

  private let original: ObservedNetwork
  private let quantized: ObservedNetwork
  private var candidates: [ObservedNetwork] = []
  private let outputs: [String]

  /// Pairs layers by the names of their outputs.
  public init(
    original: Graph, quantized: Graph, states: [StatePair] = []
  ) throws(QuantizerError) {
    if let layer = original.operators.first(where: original.isQuantized) {
      throw .notFloat(graph: original.name, layer: original.tensors[layer.outputs[0]].name)
    }
    try quantized.requireInputs(of: original)
    var observed: Set<Int> = Set(original.outputs)
    for (index, node) in quantized.operators.enumerated() where quantized.isQuantized(node) {
      let name = quantized.tensors[node.outputs[0]].name
      let reference = try original.counterpart(of: name)
      observed.insert(reference)
      let data = node.inputs.compactMap { $0 }.filter { !quantized.isWeights($0) }
      var alone = quantized.alone(index, inputs: data)
      for tensor in data {
        let counterpart = try original.counterpart(of: quantized.tensors[tensor].name)
        observed.insert(counterpart)
        alone.tensors[tensor].name = original.tensors[counterpart].name
      }
      let layer = original.tensors[reference].name
      alone.tensors[node.outputs[0]].name = layer
      candidates.append(try ObservedNetwork(alone))
      layers.append(
        Layer(
          index: index, operatorName: node.kind.name, tensorName: layer,
          form: ActivationForm(
            quantized.tensors[node.outputs[0]], type: quantized.tensors[node.outputs[0]].type)))
    }
    let fed = Set(original.inputs)
    // Layers are given states like any other input, so they have to be seen.
    let feeds = fed.map { original.tensors[$0].name }
    let hidden = states.filter { !feeds.contains($0.input) }
    carried = states.filter { feeds.contains($0.input) }
    for pair in carried {
      let tensor = original.inputs.map { original.tensors[$0] }.first { $0.name == pair.input }
      past[pair.input] = Array(repeating: 0, count: tensor?.count ?? 0)
    }
    self.original = try ObservedNetwork(
      original, states: hidden, outputs: observed.subtracting(fed).sorted())
    self.quantized = try ObservedNetwork(quantized, states: states)
    let stated = Set(states.map(\.output))
    outputs = original.outputs.map { original.tensors[$0].name }.filter { !stated.contains($0) }
    self.feeds = feeds
  }

  private let feeds: [String]
  /// States that pass through here from run to run.
  private let carried: [StatePair]
  private var past: Sample = [:]

  /// Runs both networks once more; states continue from the run before.
  public func run(_ sample: Sample) throws(QuantizerError) {
    let given = sample.merging(past) { $1 }
    var values = try original.run(given)
    for name in feeds { values[name] = values[name] ?? given[name] }
    for pair in carried { past[pair.input] = values[pair.output] }
    for index in layers.indices {
      let found = try candidates[index].run(values)
      let name = layers[index].tensorName
      if let found = found[name], let wanted = values[name] {
        layers[index].deviation.add(found, expected: wanted)
      }
    }
    let found = try quantized.run(sample)
    for name in outputs {
      if let found = found[name], let wanted = values[name] { whole.add(found, expected: wanted) }
    }
  }

  /// Layers with a signal-to-noise ratio below the limit in dB, the worst first: candidates for
  /// float.
  public func suspects(below limit: Double) -> [Layer] {
    layers.filter { $0.deviation.signalToNoise < limit }
      .sorted { $0.deviation.signalToNoise < $1.deviation.signalToNoise }
  }
}

extension Graph {
  /// The tensor of a float graph that corresponds to a tensor of its quantized form, by name.
  fileprivate func counterpart(of name: String) throws(QuantizerError) -> Int {
    let plain = name.replacing(/\/(int8|int16|float32)(_[0-9]+)?$/, with: "")
    for candidate in [name, plain] {
      if let index = tensors.firstIndex(where: { $0.name == candidate }) { return index }
    }
    throw .noLayer(graph: self.name, tensor: name)
  }

  /// A constant, or the DEQUANTIZE of one.
  fileprivate func isWeights(_ tensor: Int) -> Bool {
    tensors[tensor].isConstant || producer(of: tensor).map(restores) ?? false
  }

  private func restores(_ node: Operator) -> Bool {
    node.kind == .dequantize
      && node.inputs.first.flatMap { $0 }.map { tensors[$0].isConstant } == true
  }

  fileprivate func producer(of tensor: Int) -> Operator? {
    operators.first { $0.outputs.contains(tensor) }
  }

  /// Whether an operator computes in integers, or a layer stores its weights in another type than
  /// float32.
  fileprivate func isQuantized(_ node: Operator) -> Bool {
    if let output = node.outputs.first, node.kind != .quantize, !tensors[output].isConstant,
      node.outputs.count == 1, ActivationForm(tensors[output], type: tensors[output].type) != nil
    {
      return tensors[output].type != .float32
    }
    guard WeightUse(node.kind) != nil, node.inputs.count > WeightUse.position,
      let weights = node.inputs[WeightUse.position], isWeights(weights)
    else { return false }
    return !tensors[weights].isConstant || tensors[weights].type != .float32
  }

  /// One operator, and the DEQUANTIZE of its weights.
  fileprivate func alone(_ index: Int, inputs: [Int]) -> Graph {
    var graph = self
    let node = operators[index]
    let restoring = node.inputs.compactMap { $0 }.filter { !tensors[$0].isConstant }
      .compactMap(producer).filter(restores)
    graph.operators = restoring + [node]
    graph.inputs = inputs
    graph.outputs = [node.outputs[0]]
    graph.signatures = []
    graph.variables = []
    return graph
  }
}
