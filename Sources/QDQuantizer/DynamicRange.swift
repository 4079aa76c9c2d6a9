internal import QDEngine

/// Weights with fewer elements stay float32.
let smallestQuantizedWeights = 1024

/// int8 weights, symmetric, one scale per output channel or for all.
func dynamicRange(_ graph: Graph, _ choice: LayerChoice) throws(QuantizerError) -> Graph {
  var result = graph
  for index in graph.operators.indices where choice.includes(graph.operators[index], of: graph) {
    let node = graph.operators[index]
    guard let use = WeightUse(node.kind), let (data, weights) = dataAndWeights(node),
      graph.tensors[data].type == .float32, !graph.tensors[data].isConstant
    else { continue }
    if graph.tensors[weights].count ?? 0 < smallestQuantizedWeights { continue }
    guard let values = try graph.floats(weights), onlyWeights(weights, of: use, in: graph) else {
      continue
    }
    if result.tensors[weights].type == .float32 {
      result.tensors[weights].quantize(
        values, axis: choice.perTensor ? nil : use.axis, bits: node.kind.bits(choice.weightBits),
        boundingPairs: choice.boundingPairs && node.kind.multipliesPairs)
    }
    result.operators[index].version = max(node.version, use.hybridVersion)
  }
  return result
}

private func dataAndWeights(_ node: Operator) -> (Int, Int)? {
  guard node.inputs.count > WeightUse.position, let data = node.inputs[0],
    let weights = node.inputs[WeightUse.position]
  else { return nil }
  return (data, weights)
}

/// Whether all readers of a tensor read it as weights with channels along the same dimension.
private func onlyWeights(_ tensor: Int, of use: WeightUse, in graph: Graph) -> Bool {
  !graph.outputs.contains(tensor)
    && graph.readers(of: tensor).allSatisfy { reader in
      let node = graph.operators[reader]
      guard let other = WeightUse(node.kind), other.axis == use.axis,
        graph.tensors[tensor].shape.indices.contains(use.axis)
      else { return false }
      return node.inputs.firstIndex(of: tensor) == WeightUse.position
        && node.inputs.count(where: { $0 == tensor }) == 1
    }
}

extension Tensor {
  /// Quantizes to int8: q = round(x / scale), scale = max |x| / 127 over each channel along `axis`,
  /// or over all without an axis; with 4 bits 7 replaces 127, and the file has int4.
  ///
  /// The smallest range is 1e-6, as in TensorFlow Lite's converter.
  /// - Parameters:
  ///   - boundingPairs: a scale is at least max (|x| + |next x|) / 128 over the pairs of an output:
  ///     then |q| + |next q| <= 128, and AVX2 and SSE4.1 have faster products (docs/kernels.md).
  ///     Dimension 0 is that of the outputs.
  ///   - smallestScales: by channel, for biases that would not fit otherwise.
  mutating func quantize(
    _ values: [Float], axis: Int?, bits: Int = 8, boundingPairs: Bool = false,
    smallestScales: [Float]? = nil
  ) {
    let pairs = boundingPairs ? firstsOfPairs : []
    let channels = axis.map { shape[$0] } ?? 1
    let inner = axis.map { shape[($0 + 1)...].reduce(1, *) } ?? 1
    let largest: Float = bits == 4 ? 7 : 127
    func channel(_ index: Int) -> Int { index / inner % channels }
    var bounds = Array(repeating: Float(5e-7), count: channels)
    for (index, value) in values.enumerated() {
      bounds[channel(index)] = max(bounds[channel(index)], abs(value))
    }
    for index in pairs {
      let sum = abs(values[index]) + abs(values[index + 1])
      bounds[channel(index)] = max(bounds[channel(index)], sum * (largest / 128))
    }
    var scales = bounds.map { $0 / largest }
    for (index, smallest) in (smallestScales ?? []).enumerated() {
      let place = channels == 1 ? 0 : index
      scales[place] = max(scales[place], smallest)
    }
    var integers = values.enumerated().map { index, value in
      let quotient = (value / scales[channel(index)]).rounded(.toNearestOrEven)
      return Int8(min(max(quotient, -largest), largest))
    }
    // Exact quotients with a sum of at most 128 never round to 129; those of floats may, if both
    // are about half a step off.
    for index in pairs where abs(Int(integers[index])) + abs(Int(integers[index + 1])) > 128 {
      let larger =
        abs(Int(integers[index])) < abs(Int(integers[index + 1])) ? index + 1 : index
      integers[larger] -= integers[larger].signum()
    }
    data = integers.map(UInt8.init(bitPattern:))
    type = .int8
    isPackedInFile = bits == 4
    quantization = Quantization(
      scales: scales, zeroPoints: Array(repeating: 0, count: channels), axis: axis ?? 0)
  }

  /// The first of each two weights that a product may add as a pair: every second one of an output.
  /// In kernels with rows of an odd length it is every one, because the engine may begin each row
  /// with a new pair.
  private var firstsOfPairs: [Int] {
    let output = shape.dropFirst().reduce(1, *)
    let row = shape.count == 4 ? shape[2] * shape[3] : output
    let step = row == output || row % 2 == 0 ? 2 : 1
    return stride(from: 0, to: shape[0] * output, by: output).flatMap {
      stride(from: $0, to: $0 + output - 1, by: step)
    }
  }
}

extension OperatorKind {
  /// Whether its weights are multiplied in the order of the file.
  var multipliesPairs: Bool {
    switch self {
    case .fullyConnected, .convolution: true
    default: false
    }
  }
}
