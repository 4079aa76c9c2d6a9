internal import Engine

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
        values, axis: choice.perTensor ? nil : use.axis, bits: node.kind.bits(choice.weightBits))
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

/// Whether all who read a tensor read it as weights with their channels along the same dimension.
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
  /// Becomes int8: q = round(x / scale), scale = max |x| / 127 over each channel along `axis`, or
  /// over all where there is none; with 4 bits 7 takes the place of 127, and int4 is what the file
  /// has.
  ///
  /// The smallest range is 1e-6, as in TensorFlow Lite's converter.
  /// - Parameter smallestScales: by channel, for a bias that would not fit else.
  mutating func quantize(
    _ values: [Float], axis: Int?, bits: Int = 8, smallestScales: [Float]? = nil
  ) {
    let channels = axis.map { shape[$0] } ?? 1
    let inner = axis.map { shape[($0 + 1)...].reduce(1, *) } ?? 1
    let largest: Float = bits == 4 ? 7 : 127
    func channel(_ index: Int) -> Int { index / inner % channels }
    var bounds = Array(repeating: Float(5e-7), count: channels)
    for (index, value) in values.enumerated() {
      bounds[channel(index)] = max(bounds[channel(index)], abs(value))
    }
    var scales = bounds.map { $0 / largest }
    for (index, smallest) in (smallestScales ?? []).enumerated() {
      let place = channels == 1 ? 0 : index
      scales[place] = max(scales[place], smallest)
    }
    data = values.enumerated().map { index, value in
      let quotient = (value / scales[channel(index)]).rounded(.toNearestOrEven)
      return UInt8(bitPattern: Int8(min(max(quotient, -largest), largest)))
    }
    type = .int8
    isPackedInFile = bits == 4
    quantization = Quantization(
      scales: scales, zeroPoints: Array(repeating: 0, count: channels), axis: axis ?? 0)
  }
}
