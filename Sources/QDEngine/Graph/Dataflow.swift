/// A graph with its def-use chains, and the constants that its operators convert to floats.
package struct Dataflow: Sendable {
  package internal(set) var graph: Graph
  /// Indices of the operators that read a tensor, by tensor.
  let readers: [[Int]]
  /// Index of the operator that writes a tensor, by tensor.
  let producer: [Int?]
  let isOutput: [Bool]
  /// The constants from which DEQUANTIZE, CAST and the RESHAPE family compute float constants, by
  /// computed tensor.
  private(set) var restored: [Int: Int] = [:]
  /// The operators that compute them.
  private(set) var restoring: Set<Int> = []

  /// - Parameter restores: whether to fill `restored`.
  package init(_ graph: Graph, restores: Bool = true) {
    self.graph = graph
    var readers = Array(repeating: [Int](), count: graph.tensors.count)
    var producer = [Int?](repeating: nil, count: graph.tensors.count)
    for (index, node) in graph.operators.enumerated() {
      for case let tensor? in node.inputs { readers[tensor].append(index) }
      for tensor in node.outputs { producer[tensor] = index }
    }
    self.readers = readers
    self.producer = producer
    var isOutput = Array(repeating: false, count: graph.tensors.count)
    for tensor in graph.outputs { isOutput[tensor] = true }
    self.isOutput = isOutput
    if restores { restoreConstants() }
  }

  private mutating func restoreConstants() {
    for (index, node) in graph.operators.enumerated() {
      switch node.kind {
      case .dequantize, .cast, .reshape, .squeeze, .expandDimensions: break
      default: continue
      }
      guard let input = optionalInput(index, 0), node.outputs.count == 1,
        let output = node.outputs.first, !isOutput[output],
        graph.tensors[input].isConstant || restored[input] != nil,
        graph.tensors[output].type == .float32, let values = try? constantFloats(input),
        graph.tensors[output].count == values.count
      else { continue }
      restored[output] = restored[input] ?? input
      restoring.insert(index)
    }
  }

  func isOnlyRead(_ tensor: Int, by reader: Int) -> Bool {
    readers[tensor] == [reader] && !isOutput[tensor]
  }
}

/// A type that is made for a graph and can query its `Dataflow`.
protocol HasDataflow {
  var dataflow: Dataflow { get }
}

extension Dataflow: HasDataflow {
  var dataflow: Dataflow { self }
}

extension HasDataflow {
  var graph: Graph { dataflow.graph }

  // MARK: Operands

  func input(_ index: Int, _ position: Int) throws(EngineError) -> Int {
    guard let tensor = optionalInput(index, position) else {
      throw invalid(index, "input \(position) is missing")
    }
    return tensor
  }

  func optionalInput(_ index: Int, _ position: Int) -> Int? {
    let inputs = graph.operators[index].inputs
    return position < inputs.count ? inputs[position] : nil
  }

  func output(_ index: Int) throws(EngineError) -> Int {
    let outputs = graph.operators[index].outputs
    guard outputs.count == 1 else { throw invalid(index, "it has \(outputs.count) outputs") }
    return outputs[0]
  }

  func shape(_ tensor: Int) -> [Int] { graph.tensors[tensor].shape }

  /// `axis` as an index from the front; negative ones count from the back.
  func normalized(_ axis: Int, rank: Int, _ index: Int) throws(EngineError) -> Int {
    let result = axis < 0 ? axis + rank : axis
    guard (0..<rank).contains(result) else { throw invalid(index, "there is no axis \(axis)") }
    return result
  }

  // MARK: Sizes

  func elementCount(_ tensor: Int) throws(EngineError) -> Int {
    try checkedProduct(shape(tensor))
  }

  /// The product of sizes from a file, checked for overflow.
  func checkedProduct(_ factors: [Int]) throws(EngineError) -> Int {
    var product = 1
    for factor in factors {
      product = try checkedSize(try checkedSize(product) * checkedSize(factor))
    }
    return product
  }

  func checkedSize(_ byteCount: Int) throws(EngineError) -> Int {
    guard byteCount <= Storage.limit else {
      throw .tooLarge(graph: graph.name, bytes: byteCount, limit: Storage.limit)
    }
    return byteCount
  }

  // MARK: Errors

  func unsupported(
    _ index: Int, _ reason: String = "it is not implemented"
  ) -> EngineError {
    let node = graph.operators[index]
    return .unsupported(
      graph: graph.name, index: index, operator: node.kind.name,
      output: node.outputs.first.map { graph.tensors[$0].name } ?? "", reason: reason)
  }

  func invalid(_ index: Int, _ reason: String) -> EngineError {
    .invalid(
      graph: graph.name,
      reason: "operator \(index) (\(graph.operators[index].kind.name)): \(reason)")
  }

  /// The sizes that a file has in place of open ones need not fit each other; others make it damaged.
  func wrongShape(_ index: Int, _ reason: String) -> EngineError {
    let node = graph.operators[index]
    let tensors = (node.inputs.compactMap { $0 } + node.outputs).map { graph.tensors[$0] }
    if let open = tensors.first(where: { $0.shapeSignature?.dropFirst().contains(-1) ?? false }) {
      return .openShapes(
        graph: graph.name, index: index, operator: node.kind.name, tensor: open.name,
        reason: reason)
    }
    return invalid(index, reason)
  }

  /// - Parameter wanted: the type that would be supported.
  func tensorError(
    _ tensor: Int, _ reason: String, wanted: ElementType = .float32
  ) -> EngineError {
    .unsupportedTensor(
      graph: graph.name, tensor: graph.tensors[tensor].name, reason: reason, wanted: wanted)
  }

  func notConstant(_ tensor: Int) -> EngineError {
    let name = graph.tensors[tensor].name
    return graph.inputs.contains(tensor)
      ? .inputIsNoConstant(graph: graph.name, tensor: name)
      : .notConstant(graph: graph.name, tensor: name)
  }

  func quantizationError(_ tensor: Int, _ reason: String) -> EngineError {
    .unsupportedQuantization(
      graph: graph.name, tensor: graph.tensors[tensor].name, reason: reason)
  }
}
