internal import QDEngine

/// Recurrent cells, unrolled.
extension ONNXImporter {
  /// More steps would make a graph of tens of thousands of operators.
  private static var longestSequence: Int { 256 }

  /// A layer's input and its directions.
  private struct Layer {
    /// [steps, batch, inputs].
    var data: Activation
    var gates: Int
    var units: Int
    /// For each direction, whether it goes from the last step to the first.
    var isBackwards: [Bool]
    /// Whether the caller has the batch first.
    var isBatchFirst: Bool

    var steps: Int { data.shape[0] }
    var batch: Int { data.shape[1] }
  }

  /// One direction of a layer.
  private struct Cell {
    var batch: Int
    var units: Int
    /// The products with all inputs, [steps, batch, gates * units].
    var inputs: Activation
    /// [gates * units, units].
    var recurrent: [Float]
    var recurrentBias: [Float]
    var functions: [CellFunction]
    var clip: Float
    var peepholes: [Float]
  }

  private struct CellFunction {
    var name: String
    var alpha: Float
    var beta: Float
  }

  // MARK: What stands in the node

  private mutating func layer(gates: Int) throws(ONNXError) -> Layer {
    var x = plain(try activation(0))
    let isBatchFirst = integer("layout", 0) != 0
    let units = integer("hidden_size", 0)
    guard x.shape.count == 3, units > 0 else {
      throw unsupported("its input is \(x.shape), it has \(units) units")
    }
    if isBatchFirst { x = transposed(x, [1, 0, 2]) }
    guard x.shape[0] <= Self.longestSequence else {
      throw unsupported("its sequence has \(x.shape[0]) steps, over \(Self.longestSequence)")
    }
    if has(4) {
      let lengths = try integers(4)
      guard lengths.allSatisfy({ $0 == x.shape[0] }) else {
        throw unsupported("its sequences are of different lengths")
      }
    }
    let directions: [Bool]
    switch string("direction", "forward") {
    case "forward": directions = [false]
    case "reverse": directions = [true]
    case "bidirectional": directions = [false, true]
    default: throw unsupported("its direction is '\(string("direction", ""))'")
    }
    return Layer(
      data: x, gates: gates, units: units, isBackwards: directions, isBatchFirst: isBatchFirst)
  }

  /// - Parameter functions: the names of its default functions.
  private mutating func cell(
    _ layer: Layer, _ direction: Int, functions: [String]
  ) throws(ONNXError) -> Cell {
    let (weights, recurrent) = (try constant(1), try constant(2))
    let (rows, inputs) = (layer.gates * layer.units, layer.data.shape[2])
    let count = layer.isBackwards.count
    guard weights.shape == [count, rows, inputs], recurrent.shape == [count, rows, layer.units]
    else { throw unsupported("its input is \(layer.data.shape), its weights are \(weights.shape)") }
    func own(_ position: Int, _ size: Int) throws(ONNXError) -> [Float] {
      guard has(position) else { return Array(repeating: 0, count: size) }
      let all = try constant(position)
      guard all.count == count * size else { throw unsupported("its bias does not fit") }
      return Array(all.floats[(direction * size)..<((direction + 1) * size)])
    }
    let bias = try own(3, 2 * rows)
    let products = dense(
      layer.data, weights.taking([direction], axis: 0).floats, bias: Array(bias[..<rows]),
      inputs: inputs, outputs: rows, shape: [layer.steps, layer.batch, rows])
    return Cell(
      batch: layer.batch, units: layer.units, inputs: products,
      recurrent: recurrent.taking([direction], axis: 0).floats,
      recurrentBias: Array(bias[rows...]),
      functions: try self.functions(functions, direction: direction, of: count),
      clip: float("clip", 0),
      peepholes: layer.gates == 4 && has(7) ? try own(7, 3 * layer.units) : [])
  }

  private func functions(
    _ names: [String], direction: Int, of count: Int
  ) throws(ONNXError) -> [CellFunction] {
    let listed = strings("activations") ?? []
    let all = listed.isEmpty ? (0..<count).flatMap { _ in names } : listed
    guard all.count == names.count * count else {
      throw unsupported("it names \(all.count) activations")
    }
    func parameters(_ name: String) -> [Float] {
      if case .floats(let list)? = node.attributes[name] { list } else { [] }
    }
    var (alphas, betas) = (parameters("activation_alpha")[...], parameters("activation_beta")[...])
    var result: [CellFunction] = []
    for name in all {
      var function = CellFunction(name: name.lowercased(), alpha: 0, beta: 0)
      switch function.name {
      case "sigmoid", "tanh", "relu", "softsign", "softplus": break
      case "hardsigmoid": (function.alpha, function.beta) = (0.2, 0.5)
      case "elu": function.alpha = 1
      case "leakyrelu": function.alpha = 0.01
      case "affine": function.alpha = 1
      case "scaledtanh": (function.alpha, function.beta) = (1, 1)
      default: throw unsupported("its activation is '\(name)'")
      }
      if function.alpha != 0 { function.alpha = alphas.popFirst() ?? function.alpha }
      if ["hardsigmoid", "affine", "scaledtanh"].contains(function.name) {
        function.beta = betas.popFirst() ?? function.beta
      }
      result.append(function)
    }
    return Array(result[(direction * names.count)..<((direction + 1) * names.count)])
  }

  /// A state before the first step, [batch, units], and its name in the streaming form.
  private mutating func initial(
    _ position: Int, _ layer: Layer, _ direction: Int
  ) throws(ONNXError) -> (Activation, state: String?) {
    let shape = [layer.batch, layer.units]
    var isZero = !has(position)
    if has(position), case .constant(let constant) = try value(position) {
      isZero = constant.floats.allSatisfy { $0 == 0 }
    }
    if isZero {
      if options.isStreaming, layer.steps == 1, layer.isBackwards == [false] {
        let state = remember(shape)
        return (state.read, state.name)
      }
      let zeros = Array(repeating: Float(0), count: layer.batch * layer.units)
      return (Activation(tensor: floats(zeros, shape), shape: shape), nil)
    }
    let x = plain(try activation(position))
    let axis = layer.isBatchFirst ? 1 : 0
    guard x.shape.count == 3, x.shape[axis] == layer.isBackwards.count,
      x.shape.reduce(1, *) == layer.isBackwards.count * layer.batch * layer.units
    else { throw unsupported("its initial state is \(x.shape)") }
    let row = x.shape[axis] == 1 ? x : part(x, axis: axis, direction..<direction + 1)
    return (reshaped(row, shape), nil)
  }

  // MARK: Steps

  /// One step's products with the inputs, [batch, gates * units].
  private mutating func inputs(_ cell: Cell, _ step: Int) -> Activation {
    if cell.inputs.shape[0] == 1 { return reshaped(cell.inputs, Array(cell.inputs.shape[1...])) }
    let row = part(cell.inputs, axis: 0, step..<step + 1)
    return reshaped(row, Array(cell.inputs.shape[1...]))
  }

  private mutating func sum(
    _ a: Activation, _ b: Activation, _ function: BinaryFunction = .add
  ) throws(ONNXError) -> Activation {
    try binary(function, .activation(a), .activation(b))
  }

  private mutating func apply(
    _ cell: Cell, _ index: Int, _ x: Activation
  ) throws(ONNXError) -> Activation {
    var x = x
    if cell.clip > 0 {
      let upper = try binary(.minimum, .activation(x), number(cell.clip))
      x = try binary(.maximum, .activation(upper), number(-cell.clip))
    }
    let function = cell.functions[index]
    func scaled(_ x: Activation, _ factor: Float, _ addend: Float) throws(ONNXError) -> Activation {
      let product = try binary(.multiply, .activation(x), number(factor))
      return try binary(.add, .activation(product), number(addend))
    }
    switch function.name {
    case "sigmoid": return apply(.logistic, x)
    case "tanh": return apply(.tanh, x)
    case "relu": return apply(.relu, x)
    case "softplus": return try softplus(x)
    case "softsign":
      let size = try binary(.add, .activation(apply(.absolute, x)), number(1))
      return try sum(x, size, .divide)
    case "elu": return try elu(x, alpha: function.alpha, scale: 1, slope: 1)
    case "leakyrelu": return emit(.leakyReLU(alpha: function.alpha), [x.tensor], shape: x.shape)
    case "hardsigmoid": return apply(.relu0To1, try scaled(x, function.alpha, function.beta))
    case "affine": return try scaled(x, function.alpha, function.beta)
    default:
      let curve = apply(.tanh, try binary(.multiply, .activation(x), number(function.beta)))
      return try binary(.multiply, .activation(curve), number(function.alpha))
    }
  }

  private mutating func gate(_ x: Activation, _ cell: Cell, _ range: Range<Int>) -> Activation {
    part(x, axis: 1, range.lowerBound * cell.units..<range.upperBound * cell.units)
  }

  /// A product with the state, of some of the gates.
  private mutating func product(
    _ x: Activation, _ cell: Cell, gates: Range<Int>
  ) -> Activation {
    let rows = gates.lowerBound * cell.units..<gates.upperBound * cell.units
    return dense(
      x, Array(cell.recurrent[(rows.lowerBound * cell.units)..<(rows.upperBound * cell.units)]),
      bias: Array(cell.recurrentBias[rows]), inputs: cell.units, outputs: rows.count,
      shape: [cell.batch, rows.count])
  }

  private func order(_ layer: Layer, _ direction: Int) -> [Int] {
    layer.isBackwards[direction]
      ? Array((0..<layer.steps).reversed()) : Array(0..<layer.steps)
  }

  mutating func convertRNN() throws(ONNXError) {
    let layer = try layer(gates: 1)
    var result = Outputs(layer)
    for direction in layer.isBackwards.indices {
      let cell = try cell(layer, direction, functions: ["Tanh"])
      var (hidden, state) = try initial(5, layer, direction)
      for step in order(layer, direction) {
        let h = product(hidden, cell, gates: 0..<1)
        hidden = try apply(cell, 0, try sum(inputs(cell, step), h))
        result.add(hidden, direction, step)
      }
      if let state { keep(hidden, as: state) }
      result.last.append([hidden])
    }
    try finish(layer, result)
  }

  /// Gates in ONNX's order: update, reset, hidden.
  mutating func convertGRU() throws(ONNXError) {
    let layer = try layer(gates: 3)
    let resetsAfter = integer("linear_before_reset", 0) != 0
    var result = Outputs(layer)
    for direction in layer.isBackwards.indices {
      let cell = try cell(layer, direction, functions: ["Sigmoid", "Tanh"])
      var (hidden, state) = try initial(5, layer, direction)
      for step in order(layer, direction) {
        let x = inputs(cell, step)
        hidden =
          resetsAfter ? try gated(x, hidden, cell) : try gatedBefore(x, hidden, cell)
        result.add(hidden, direction, step)
      }
      if let state { keep(hidden, as: state) }
      result.last.append([hidden])
    }
    try finish(layer, result)
  }

  private mutating func gated(
    _ x: Activation, _ hidden: Activation, _ cell: Cell
  ) throws(ONNXError) -> Activation {
    let h = product(hidden, cell, gates: 0..<3)
    let gates = try apply(cell, 0, try sum(gate(x, cell, 0..<2), gate(h, cell, 0..<2)))
    let reset = try sum(gate(gates, cell, 1..<2), gate(h, cell, 2..<3), .multiply)
    let new = try apply(cell, 1, try sum(gate(x, cell, 2..<3), reset))
    // (1 - z) n + z h
    let kept = try sum(gate(gates, cell, 0..<1), try sum(hidden, new, .subtract), .multiply)
    return try sum(new, kept)
  }

  /// The reset gate precedes the product.
  private mutating func gatedBefore(
    _ x: Activation, _ hidden: Activation, _ cell: Cell
  ) throws(ONNXError) -> Activation {
    let h = product(hidden, cell, gates: 0..<2)
    let update = try apply(cell, 0, try sum(gate(x, cell, 0..<1), gate(h, cell, 0..<1)))
    let reset = try apply(cell, 0, try sum(gate(x, cell, 1..<2), gate(h, cell, 1..<2)))
    let rest = product(try sum(reset, hidden, .multiply), cell, gates: 2..<3)
    let new = try apply(cell, 1, try sum(gate(x, cell, 2..<3), rest))
    let kept = try sum(update, hidden, .multiply)
    let share = try binary(.subtract, number(1), .activation(update))
    return try sum(kept, try sum(share, new, .multiply))
  }

  /// Gates in ONNX's order: input, output, forget, cell.
  mutating func convertLSTM() throws(ONNXError) {
    guard integer("input_forget", 0) == 0 else { throw unsupported("it couples its gates") }
    let layer = try layer(gates: 4)
    var result = Outputs(layer)
    for direction in layer.isBackwards.indices {
      let cell = try cell(layer, direction, functions: ["Sigmoid", "Tanh", "Tanh"])
      var (hidden, hiddenState) = try initial(5, layer, direction)
      var (memory, memoryState) = try initial(6, layer, direction)
      for step in order(layer, direction) {
        let h = product(hidden, cell, gates: 0..<4)
        let all = try sum(inputs(cell, step), h)
        (hidden, memory) =
          cell.peepholes.isEmpty
          ? try stepped(all, memory, cell) : try peeping(all, memory, cell)
        result.add(hidden, direction, step)
      }
      if let hiddenState { keep(hidden, as: hiddenState) }
      if let memoryState { keep(memory, as: memoryState) }
      result.last.append([hidden, memory])
    }
    try finish(layer, result)
  }

  private mutating func stepped(
    _ all: Activation, _ memory: Activation, _ cell: Cell
  ) throws(ONNXError) -> (Activation, Activation) {
    let gates = try apply(cell, 0, gate(all, cell, 0..<3))
    let new = try apply(cell, 1, gate(all, cell, 3..<4))
    let kept = try sum(gate(gates, cell, 2..<3), memory, .multiply)
    let next = try sum(kept, try sum(gate(gates, cell, 0..<1), new, .multiply))
    return (try sum(gate(gates, cell, 1..<2), try apply(cell, 2, next), .multiply), next)
  }

  /// The gates also depend on the cell state: peepholes in the order input, output, forget.
  private mutating func peeping(
    _ all: Activation, _ memory: Activation, _ cell: Cell
  ) throws(ONNXError) -> (Activation, Activation) {
    func seen(_ index: Int, _ memory: Activation) throws(ONNXError) -> Activation {
      let weights = Array(cell.peepholes[(index * cell.units)..<((index + 1) * cell.units)])
      let looked = try binary(.multiply, .activation(memory), .constant(.floats(weights)))
      return try apply(cell, 0, try sum(gate(all, cell, index..<index + 1), looked))
    }
    let (enters, forgets) = (try seen(0, memory), try seen(2, memory))
    let new = try apply(cell, 1, gate(all, cell, 3..<4))
    let next = try sum(try sum(forgets, memory, .multiply), try sum(enters, new, .multiply))
    let leaves = try seen(1, next)
    return (try sum(leaves, try apply(cell, 2, next), .multiply), next)
  }

  // MARK: Results

  private struct Outputs {
    /// By direction and step.
    var steps: [[Int: Activation]]
    /// By direction: the state after the last step, and the cell state.
    var last: [[Activation]] = []

    init(_ layer: Layer) { steps = layer.isBackwards.map { _ in [:] } }

    mutating func add(_ output: Activation, _ direction: Int, _ step: Int) {
      steps[direction][step] = output
    }
  }

  /// The sequence of outputs [steps, directions, batch, units], and the states
  /// [directions, batch, units].
  private mutating func finish(_ layer: Layer, _ result: Outputs) throws(ONNXError) {
    let names = node.outputs
    let one = [1, 1, layer.batch, layer.units]
    if let name = names.first, !name.isEmpty {
      node.outputs = [name]
      var rows: [Activation] = []
      for step in 0..<layer.steps {
        var parts: [Activation] = []
        for direction in layer.isBackwards.indices {
          if let output = result.steps[direction][step] { parts.append(reshaped(output, one)) }
        }
        rows.append(try joined(parts, axis: 1))
      }
      var whole = try joined(rows, axis: 0)
      if layer.isBatchFirst { whole = transposed(whole, [2, 0, 1, 3]) }
      values[name] = .activation(whole)
    }
    for index in result.last[0].indices where index + 1 < names.count {
      guard !names[index + 1].isEmpty else { continue }
      node.outputs = [names[index + 1]]
      var parts: [Activation] = []
      for state in result.last { parts.append(reshaped(state[index], Array(one[1...]))) }
      var whole = try joined(parts, axis: 0)
      if layer.isBatchFirst { whole = transposed(whole, [1, 0, 2]) }
      set(whole)
    }
  }
}
