public import QDEngine

/// A graph that stores the weights of FULLY_CONNECTED, CONV_2D and DEPTHWISE_CONV_2D in fewer bits.
///
/// Everything else, including inputs and outputs, stays unchanged. So do weights that are not
/// float32 or that another operator reads too, so that quantizing twice changes nothing.
///
/// - Parameters:
///   - keepingFloat: layers that stay unchanged, by the names of their outputs.
///   - perTensor: one scale for all weights of a layer instead of one per output channel.
///   - boundingPairs: the magnitudes of neighbouring weights of FULLY_CONNECTED and CONV_2D add up
///     to at most 128: coarser, and faster on AVX2 and SSE4.1; without effect for 4 bits, float16
///     and layers that compute in float.
///   - weightBits: 4 for FULLY_CONNECTED and CONV_2D instead of 8; without effect for float16.
public func quantize(
  _ graph: Graph, _ optimization: Optimization = .default, keepingFloat: Set<String> = [],
  perTensor: Bool = false, boundingPairs: Bool = false, weightBits: Int = 8
) throws(QuantizerError) -> Graph {
  do { try graph.validate() } catch { throw .invalidGraph(error.description) }
  let choice = LayerChoice(
    keepingFloat: keepingFloat, perTensor: perTensor, boundingPairs: boundingPairs,
    weightBits: weightBits)
  let layers = graph.layers
  for name in keepingFloat.sorted() where !layers.contains(name) {
    throw .notALayer(graph: graph.name, name: name, layers: layers)
  }
  func quantized(_ graph: Graph) throws(QuantizerError) -> Graph {
    switch optimization {
    case .default: try dynamicRange(graph, choice)
    case .size: try smallWeights(graph, choice)
    case .float16: try halfPrecision(graph, choice)
    }
  }
  var result = try quantized(graph)
  for place in result.others.indices { result.others[place] = try quantized(graph.others[place]) }
  return result
}

/// The layers that are quantized, and how.
struct LayerChoice {
  var keepingFloat: Set<String>
  var perTensor: Bool
  var boundingPairs: Bool
  var weightBits: Int

  func includes(_ node: Operator, of graph: Graph) -> Bool {
    WeightUse(node.kind) != nil
      && !node.outputs.contains { keepingFloat.contains(graph.tensors[$0].name) }
  }
}

extension Graph {
  /// The outputs of the operators that have weights, by name.
  public var layers: [String] {
    operators.filter { WeightUse($0.kind) != nil }.compactMap { $0.outputs.first }
      .map { tensors[$0].name }
  }

  /// Layers whose weights are float32 constants, with the number of their elements: those that a
  /// conversion did not change.
  public var floatLayers: [(name: String, elements: Int)] {
    operators.compactMap { node in
      guard WeightUse(node.kind) != nil, node.inputs.count > WeightUse.position,
        let weights = node.inputs[WeightUse.position], let output = node.outputs.first,
        tensors[weights].isConstant, tensors[weights].type == .float32
      else { return nil }
      return (tensors[output].name, tensors[weights].count ?? 0)
    }
  }
}

extension Graph {
  /// Operators that compute in floats, without those that only move states: those that a conversion
  /// to integers did not change.
  public func floatNodes(states: [StatePair]) -> [(name: String, operatorName: String)] {
    let moves = Set(stateMoves(states))
    return operators.enumerated().compactMap { index, node in
      guard !moves.contains(index), node.kind != .quantize, node.kind != .dequantize,
        let output = node.outputs.first,
        tensors[output].type == .float32
      else { return nil }
      return (tensors[output].name, node.kind.name)
    }
  }
}

/// The weights of an operator, and the form that it requires.
struct WeightUse {
  /// Their index among the inputs.
  static let position = 1
  static let biasPosition = 2

  /// The dimension of the outputs, which has a scale for each index.
  var axis: Int
  /// The operator version that allows int8 weights with a scale per channel.
  var hybridVersion: Int

  init?(_ kind: OperatorKind) {
    guard let weights = kind.knownProperties?.weights,
      let version = weights.dynamicRangeVersion
    else { return nil }
    axis = weights.axis
    hybridVersion = version
  }
}

extension Graph {
  /// Operators, by index, that read a tensor.
  func readers(of tensor: Int) -> [Int] {
    operators.indices.filter { operators[$0].inputs.contains(tensor) }
  }

  /// The values of a float32 constant.
  func floats(_ tensor: Int) throws(QuantizerError) -> [Float]? {
    guard tensors[tensor].type == .float32, let data = tensors[tensor].data else { return nil }
    let values = stride(from: 0, to: data.count, by: 4).map { index in
      Float(bitPattern: (0..<4).reduce(UInt32(0)) { $0 | UInt32(data[index + $1]) << (8 * $1) })
    }
    guard values.allSatisfy(\.isFinite) else {
      throw .notFinite(graph: name, tensor: tensors[tensor].name)
    }
    return values
  }
}
