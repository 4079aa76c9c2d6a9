public import QDEngine

/// A float network in the form for quantization: operators are merged into layers where possible,
/// and existing quantization is known instead of computed.
public struct CanonicalGraph: Sendable {
  public internal(set) var graph: Graph
  /// Activations whose quantization the input file defines, by tensor.
  var given: [Int: ActivationForm] = [:]
  /// Weights that the input file stores as symmetric int8, by tensor.
  var givenWeights: [Int: Tensor] = [:]

  /// - Parameter takesQuantization: whether fake quantization, that is a QUANTIZE followed by a
  ///   DEQUANTIZE, is removed and kept as known quantization; else it stays.
  public init(_ graph: Graph, takesQuantization: Bool = true) throws(QuantizerError) {
    do { try graph.validate() } catch { throw .invalidGraph(error.description) }
    self.graph = graph
    if takesQuantization { try takeQuantization() }
    shareConstants()
    try foldScalesIntoLayers()
    foldClamps()
    self = compacted()
  }

  /// Whether the file defined the quantization of activations.
  public var hasQuantization: Bool { !given.isEmpty }

  private func compacted() -> CanonicalGraph {
    // Tensors keep their indices, so that what is known of them stays true: names do the rest.
    var result = self
    var old: [String: Int] = [:]
    var marked = graph
    for index in marked.tensors.indices { marked.tensors[index].name = "\(index)" }
    marked = marked.compacted()
    for (index, tensor) in marked.tensors.enumerated() { old[tensor.name] = index }
    func moved<Value>(_ entries: [Int: Value]) -> [Int: Value] {
      Dictionary(
        uniqueKeysWithValues: entries.compactMap { key, value in old["\(key)"].map { ($0, value) } }
      )
    }
    result.graph = graph.compacted()
    result.given = moved(given)
    result.givenWeights = moved(givenWeights)
    return result
  }

  // MARK: Fake quantization

  private mutating func takeQuantization() throws(QuantizerError) {
    for (index, tensor) in graph.tensors.enumerated() where tensor.type == .float32 {
      if !tensor.isConstant, let form = ActivationForm(tensor, type: .int8) { given[index] = form }
      graph.tensors[index].quantization = nil
    }
    var removed: Set<Int> = []
    var replaced: [Int: Int] = [:]
    func current(_ tensor: Int) -> Int {
      var tensor = tensor
      while let next = replaced[tensor] { tensor = next }
      return tensor
    }
    for (index, node) in graph.operators.enumerated() where node.kind == .dequantize {
      guard let stored = node.input(0), let quantization = graph.tensors[stored].quantization,
        let output = node.outputs.first, graph.tensors[output].type == .float32
      else { continue }
      if graph.tensors[stored].isConstant {
        guard let data = graph.tensors[stored].data, let values = graph.tensors[stored].reals(data)
        else { continue }
        graph.tensors[output] = Tensor(
          name: graph.tensors[output].name, shape: graph.tensors[output].shape, values: values)
        if graph.tensors[stored].type == .int8, quantization.zeroPoints.allSatisfy({ $0 == 0 }) {
          givenWeights[output] = graph.tensors[stored]
        }
        removed.insert(index)
      } else if let form = ActivationForm(graph.tensors[stored], type: graph.tensors[stored].type),
        let pair = fakeQuantization(index, stored)
      {
        var source = current(pair.origin)
        if graph.outputs.contains(output) {
          guard let producer = graph.operators.firstIndex(where: { $0.outputs.contains(source) }),
            !graph.outputs.contains(source)
          else { continue }
          let place = graph.operators[producer].outputs.firstIndex(of: source)!
          graph.operators[producer].outputs[place] = output
          replaced[source] = output
          source = output
        } else {
          replaced[output] = source
        }
        // Weights have their own scale, which is at least as fine.
        if !graph.tensors[source].isConstant { given[source] = form }
        removed.formUnion([index, pair.quantize])
      }
    }
    // A QUANTIZE that another operator reads stays.
    removed = removed.filter { index in
      graph.operators[index].kind != .quantize
        || graph.operators[index].outputs.allSatisfy { output in
          graph.readers(of: output).allSatisfy { removed.contains($0) }
        }
    }
    for index in graph.operators.indices {
      graph.operators[index].inputs = graph.operators[index].inputs.map { $0.map(current) }
    }
    graph.operators = graph.operators.enumerated().filter { !removed.contains($0.offset) }
      .map(\.element)
  }

  /// The QUANTIZE before a DEQUANTIZE, if it only rounds.
  private func fakeQuantization(
    _ index: Int, _ stored: Int
  ) -> (quantize: Int, origin: Int)? {
    guard let first = graph.operators.firstIndex(where: { $0.outputs.contains(stored) }),
      graph.operators[first].kind == .quantize, let origin = graph.operators[first].input(0),
      graph.tensors[origin].type == .float32, !graph.outputs.contains(stored)
    else { return nil }
    return (first, origin)
  }

  // MARK: Constants

  /// Merges equal constants into one tensor.
  private mutating func shareConstants() {
    struct Key: Hashable {
      var shape: [Int]
      var type: ElementType
      var data: [UInt8]
    }
    var first: [Key: Int] = [:]
    var same: [Int: Int] = [:]
    for (index, tensor) in graph.tensors.enumerated() {
      guard let data = tensor.data, tensor.quantization == nil, givenWeights[index] == nil,
        !graph.outputs.contains(index)
      else { continue }
      let key = Key(shape: tensor.shape, type: tensor.type, data: data)
      if let other = first[key] { same[index] = other } else { first[key] = index }
    }
    for index in graph.operators.indices {
      graph.operators[index].inputs = graph.operators[index].inputs.map {
        $0.map { same[$0] ?? $0 }
      }
    }
  }
}
