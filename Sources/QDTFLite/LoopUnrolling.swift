internal import QDEngine

/// Loop unrolling: makes one graph of several subgraphs.
///
/// A WHILE whose number of iterations does not depend on data, as in recurrent layers of Keras,
/// becomes its iterations one after the other, with shared weights. Variables become a state: an
/// input and an output that `Graph.variables` names. Loop counters are computed here, and a list to
/// which each iteration appends a row becomes a concatenation.
struct LoopUnrolling {
  /// Why the loops cannot be unrolled.
  enum Failure: Error {
    case dependsOnData, tooLong, unknownVariable, other
  }

  /// The maximum number of visited operators; stops endless loops and files that multiply.
  static let mostOperators = 1 << 14
  static let mostDepth = 4

  let subgraphs: [Subgraph]
  var graph: Graph
  private var visited = 0
  private var depth = 0
  /// Constants of other subgraphs than the first, in the graph: by subgraph and tensor.
  private var constants: [[Int]: Int] = [:]
  private var vectors: [[Int]: Int] = [:]
  /// Tensors that are rows of others and not yet concatenated.
  var rows: [Int: [Rows]] = [:]
  private var variables = Variables()
  /// Tensors whose shape here differs from the file.
  private var reshaped: Set<Int> = []

  /// The first subgraph is the graph's own.
  init(_ subgraphs: [Subgraph]) throws(Failure) {
    self.subgraphs = subgraphs
    graph = subgraphs[0].graph
    graph.operators = []
    let results = try walk(0, graph.inputs, round: "")
    for (tensor, result) in zip(subgraphs[0].graph.outputs, results) where tensor != result {
      emitReshape(try whole(result), to: tensor)
    }
    try finishVariables()
  }

  // MARK: Subgraphs

  /// Appends the operators of a subgraph and returns its results.
  private mutating func walk(
    _ index: Int, _ arguments: [Int], round: String
  ) throws(Failure) -> [Int] {
    guard subgraphs.indices.contains(index) else { throw .other }
    let source = subgraphs[index].graph
    guard arguments.count == source.inputs.count, depth <= Self.mostDepth else { throw .other }
    depth += 1
    defer { depth -= 1 }
    var known = Dictionary(zip(source.inputs, arguments)) { first, _ in first }
    for (position, node) in source.operators.enumerated() {
      visited += 1
      guard visited <= Self.mostOperators else { throw .tooLong }
      var inputs: [Int?] = []
      for input in node.inputs {
        inputs.append(input.map { known[$0] ?? constant(index, $0) })
      }
      if let control = subgraphs[index].controls[position] {
        let results = try follow(control, node, inputs, index, round)
        guard results.count == node.outputs.count else { throw .other }
        for (output, result) in zip(node.outputs, results) { known[output] = result }
      } else if let output = node.outputs.first,
        let result = fold(node, inputs, source) ?? taken(node, inputs, depth > 1)
      {
        known[output] = result
      } else if let output = node.outputs.first,
        let row = try gathered(node, inputs, of: index, round)
      {
        known[output] = row
      } else {
        guard !(depth > 1 && node.kind.isUnsupported) else { throw .other }
        var copy = node
        for place in inputs.indices {
          if let input = inputs[place] { copy.inputs[place] = try whole(input) }
        }
        copy.outputs = node.outputs.map { place($0, of: index, round) }
        for (output, place) in zip(node.outputs, copy.outputs) { known[output] = place }
        graph.operators.append(copy)
        giveShapes(copy)
      }
    }
    return source.outputs.map { known[$0] ?? constant(index, $0) }
  }

  private mutating func follow(
    _ control: Subgraph.Control, _ node: Operator, _ inputs: [Int?], _ index: Int, _ round: String
  ) throws(Failure) -> [Int] {
    let given = inputs.compactMap { $0 }
    switch control {
    case .loop(let condition, let body):
      return try loop(condition, body, given, round)
    case .branch(let yes, let no):
      guard let condition = given.first, let answer = integers(condition)?.first else {
        throw .dependsOnData
      }
      return try walk(
        answer != 0 ? yes : no, Array(given.dropFirst()), round: "\(round)?\(visited)")
    case .composite(let decomposition):
      return try walk(decomposition, given, round: "\(round)/\(visited)")
    case .once(let initial):
      let before = graph.operators.count
      _ = try walk(initial, [], round: round)
      try variables.begin(graph, after: before)
      graph.operators.removeSubrange(before...)
      return []
    case .handle(let name):
      guard let output = node.outputs.first else { throw .other }
      let handle = place(output, of: index, round)
      variables.names[handle] = name
      return [handle]
    case .read:
      guard let handle = given.first, let name = variables.names[handle],
        let output = node.outputs.first
      else { throw .unknownVariable }
      return [try read(name, like: subgraphs[index].graph.tensors[output])]
    case .assign:
      guard given.count == 2, let name = variables.names[given[0]] else { throw .unknownVariable }
      variables.values[name] = try whole(given[1])
      return []
    }
  }

  private mutating func loop(
    _ condition: Int, _ body: Int, _ arguments: [Int], _ round: String
  ) throws(Failure) -> [Int] {
    var values = arguments
    for count in 0..<Self.mostOperators {
      let before = graph.operators.count
      let answer = try walk(condition, values, round: round)
      guard answer.count == 1, graph.operators.count == before,
        let goesOn = integers(answer[0])?.first
      else { throw .dependsOnData }
      if goesOn == 0 { return values }
      values = try walk(body, values, round: "\(round)#\(count)")
    }
    throw .tooLong
  }

  // MARK: Tensors

  /// Infers the shapes of an operator's results, if the file leaves several extents open or an
  /// input has another shape than in the file.
  private mutating func giveShapes(_ node: Operator) {
    let isOpen = node.outputs.contains { output in
      graph.tensors[output].shapeSignature?.count { $0 == -1 } ?? 0 > 1
    }
    guard isOpen || node.inputs.contains(where: { $0.map(reshaped.contains) ?? false }),
      let shapes = try? graph.shapes(of: node)
    else { return }
    for (output, shape) in zip(node.outputs, shapes) where graph.tensors[output].shape != shape {
      graph.tensors[output].shape = shape
      reshaped.insert(output)
    }
  }

  /// The tensor of the graph for one that an operator of a subgraph writes.
  mutating func place(_ tensor: Int, of index: Int, _ round: String) -> Int {
    if index == 0 { return tensor }
    var copy = subgraphs[index].graph.tensors[tensor]
    copy.name += round
    return append(copy)
  }

  private mutating func constant(_ index: Int, _ tensor: Int) -> Int {
    if index == 0 { return tensor }
    if let known = constants[[index, tensor]] { return known }
    let copy = append(subgraphs[index].graph.tensors[tensor])
    constants[[index, tensor]] = copy
    return copy
  }

  mutating func append(_ tensor: Tensor) -> Int {
    graph.tensors.append(tensor)
    return graph.tensors.count - 1
  }

  /// An int32 vector.
  mutating func vector(_ values: [Int]) -> Int {
    if let known = vectors[values] { return known }
    let tensor = append(
      Tensor(
        name: "\(values)", shape: [values.count],
        integers: values.map { Int32(truncatingIfNeeded: $0) }))
    vectors[values] = tensor
    return tensor
  }

  mutating func emitReshape(_ source: Int, to result: Int) {
    graph.operators.append(
      Operator(
        .reshape, inputs: [source, vector(graph.tensors[result].shape)], outputs: [result]))
  }

  // MARK: Variables

  private struct Variables {
    /// By handle.
    var names: [Int: String] = [:]
    /// The current value of each.
    var values: [String: Int] = [:]
    /// The tensor as which each was first read, by name.
    var inputs: [String: Int] = [:]

    /// Drops the values of CALL_ONCE, which must be zeros.
    /// - Parameter operators: the number of operators that do not belong to it.
    mutating func begin(_ graph: Graph, after operators: Int) throws(Failure) {
      for tensor in values.values {
        // f16 values are converted first.
        let restored = graph.operators[operators...].first { $0.outputs == [tensor] }
          .flatMap { $0.kind == .dequantize ? $0.inputs.first ?? nil : nil }
        let zero = graph.tensors[tensor].zeroByte
        guard let data = graph.tensors[restored ?? tensor].data, data.allSatisfy({ $0 == zero })
        else { throw .unknownVariable }
      }
      values = [:]
    }
  }

  private mutating func read(_ name: String, like tensor: Tensor) throws(Failure) -> Int {
    if let value = variables.values[name] { return value }
    guard !graph.inputs.contains(where: { graph.tensors[$0].name == name }) else {
      throw .unknownVariable
    }
    let input = append(
      Tensor(
        name: name, shape: tensor.shape, type: tensor.type, quantization: tensor.quantization))
    graph.inputs.append(input)
    variables.inputs[name] = input
    variables.values[name] = input
    return input
  }

  /// Makes every variable that is read a state.
  private mutating func finishVariables() throws(Failure) {
    for (name, input) in variables.inputs.sorted(by: { $0.key < $1.key }) {
      guard var value = variables.values[name],
        graph.tensors[value].shape == graph.tensors[input].shape,
        graph.tensors[value].type == graph.tensors[input].type
      else { throw .unknownVariable }
      let isPlain =
        graph.operators.contains { $0.outputs.contains(value) } && !graph.outputs.contains(value)
      if !isPlain {
        var copy = graph.tensors[input]
        copy.name = ""
        let place = append(copy)
        emitReshape(value, to: place)
        value = place
      }
      graph.tensors[value].name = "\(name):next"
      graph.outputs.append(value)
      graph.variables.append(StatePair(input: name, output: "\(name):next"))
    }
  }
}
