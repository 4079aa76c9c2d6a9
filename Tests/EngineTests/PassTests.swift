import EngineSupport
import QDEngine
import QDKernels
import Testing

/// What each pass finds in a small graph, and what keeps it from doing so.
struct PassTests {
  private typealias Shape = [Int]

  /// Collects tensors and operators of a graph.
  private struct Builder {
    var graph = Graph(name: "pass")

    mutating func input(_ shape: Shape, _ name: String = "") -> Int {
      graph.inputs.append(tensor(shape, name))
      return graph.tensors.count - 1
    }

    mutating func tensor(_ shape: Shape, _ name: String = "") -> Int {
      let name = name.isEmpty ? "t\(graph.tensors.count)" : name
      graph.tensors.append(Tensor(name: name, shape: shape, type: .float32))
      return graph.tensors.count - 1
    }

    mutating func constant(_ shape: Shape, _ values: [Float]) -> Int {
      graph.tensors.append(Tensor(name: "", shape: shape, values: values))
      return graph.tensors.count - 1
    }

    mutating func integers(_ values: [Int32]) -> Int {
      graph.tensors.append(Tensor(name: "", shape: [values.count], integers: values))
      return graph.tensors.count - 1
    }

    mutating func int8(_ shape: Shape) -> Int {
      let data = (0..<shape.reduce(1, *)).map { UInt8(truncatingIfNeeded: $0 * 7) }
      graph.tensors.append(
        Tensor(
          name: "", shape: shape, type: .int8,
          quantization: Quantization(scales: [0.1], zeroPoints: [0], axis: 0), data: data))
      return graph.tensors.count - 1
    }

    /// Appends an operator with one output of a shape.
    mutating func make(_ kind: OperatorKind, _ inputs: [Int], _ shape: Shape, _ name: String = "")
      -> Int
    {
      let output = tensor(shape, name)
      graph.operators.append(Operator(kind, inputs: inputs, outputs: [output]))
      return output
    }

    /// Splits the columns of a tensor, and returns the parts.
    mutating func split(_ whole: Int, _ count: Int, _ units: Int) -> [Int] {
      let axis = integers([-1])
      let parts = (0..<count).map { _ in tensor([1, units]) }
      graph.operators.append(Operator(.split(count: count), inputs: [axis, whole], outputs: parts))
      return parts
    }
  }

  /// h' = n + z (h - n) of two products of 3 U columns.
  private func gru(readsInside: Bool = false) -> Graph {
    var b = Builder()
    let (a, p, h) = (b.input([1, 12]), b.input([1, 12]), b.input([1, 4], "h_in"))
    let (x, y) = (b.split(a, 3, 4), b.split(p, 3, 4))
    let reset = b.make(
      .unary(.logistic), [b.make(.binary(.add, .none), [x[0], y[0]], [1, 4])], [1, 4])
    let update = b.make(
      .unary(.logistic), [b.make(.binary(.add, .none), [x[2], y[2]], [1, 4])], [1, 4])
    let past = b.make(.binary(.multiply, .none), [reset, y[1]], [1, 4])
    let new = b.make(.unary(.tanh), [b.make(.binary(.add, .none), [x[1], past], [1, 4])], [1, 4])
    let change = b.make(.binary(.subtract, .none), [h, new], [1, 4])
    let kept = b.make(.binary(.multiply, .none), [update, change], [1, 4])
    let state = b.make(.binary(.add, .none), [new, kept], [1, 4], "h_out")
    b.graph.outputs = readsInside ? [state, reset] : [state]
    return b.graph
  }

  @Test func `a GRU cell is found with the order of its gates, and is one operator`() throws {
    let graph = gru()
    let plan = try FusionPlan(graph, states: [StatePair(input: "h_in", output: "h_out")])
    let last = graph.operators.count - 1
    guard case .gru(let cell)? = plan.cells.byLast[last] else {
      Issue.record("no cell")
      return
    }
    let order = cell.operands.order
    #expect([order.reset, order.update, order.candidate] == [0, 2, 1])
    #expect(cell.operands.state == graph.inputs[2] && cell.operands.units == 4)
    #expect(plan.absorbed == Set(0..<last))
    guard case .inPlace? = plan.states.states.first?.form else {
      Issue.record("the cell does not write over its state")
      return
    }
  }

  @Test func `a GRU cell whose inside is an output is none`() throws {
    let graph = gru(readsInside: true)
    let plan = try FusionPlan(graph)
    #expect(plan.cells.byLast[graph.operators.count - 1] == nil)
    #expect(
      !plan.absorbed.contains(try #require(graph.operators.lastIndex { $0.kind == .unary(.tanh) })))
  }

  @Test func `an LSTM cell is found, and takes over the sum and the bias before it`() throws {
    var b = Builder()
    let (a, p, c) = (b.input([1, 8]), b.input([1, 8]), b.input([1, 2]))
    let bias = b.constant([8], Array(repeating: 0.5, count: 8))
    let sum = b.make(.binary(.add, .none), [a, p], [1, 8])
    let parts = b.split(b.make(.binary(.add, .none), [sum, bias], [1, 8]), 4, 2)
    let gates = [0, 1, 3].map { b.make(.unary(.logistic), [parts[$0]], [1, 2]) }
    let new = b.make(.unary(.tanh), [parts[2]], [1, 2])
    let kept = b.make(.binary(.multiply, .none), [gates[1], c], [1, 2])
    let added = b.make(.binary(.multiply, .none), [gates[0], new], [1, 2])
    let memory = b.make(.binary(.add, .none), [kept, added], [1, 2])
    let squashed = b.make(.unary(.tanh), [memory], [1, 2])
    let output = b.make(.binary(.multiply, .none), [gates[2], squashed], [1, 2])
    b.graph.outputs = [output, memory]
    let cells = RecurrentCells(Dataflow(b.graph))
    guard case .lstm(let cell)? = cells.byLast[b.graph.operators.count - 1] else {
      Issue.record("no cell")
      return
    }
    let operands = cell.operands
    let order = operands.order
    #expect([order.input, order.forget, order.candidate, order.output] == [0, 1, 2, 3])
    #expect(operands.input == a && operands.past == p && operands.bias == bias)
    #expect(operands.memory == c && operands.newMemory == memory)
    #expect(cells.absorbed.count == b.graph.operators.count - 1)
  }

  /// TRANSPOSE, FULLY_CONNECTED, TRANSPOSE with a bias of one value.
  private func transposed(bias value: Float) -> (graph: Graph, weights: Int) {
    var b = Builder()
    let x = b.input([3, 5])
    let order = b.integers([1, 0])
    let weights = b.constant([2, 3], [1, 2, 3, 4, 5, 6])
    let bias = b.constant([2], [value, value])
    let turned = b.make(.transpose, [x, order], [5, 3])
    let layer = b.make(
      .fullyConnected(.none, keepsDimensions: false), [turned, weights, bias], [5, 2])
    b.graph.outputs = [b.make(.transpose, [layer, order], [2, 5])]
    return (b.graph, weights)
  }

  @Test func `a matmul between two transpositions is one, if its bias is zero`() throws {
    let (graph, weights) = transposed(bias: 0)
    let matmuls = TransposedMatmuls(Dataflow(graph))
    #expect(matmuls.byLast[2]?.weights == weights && matmuls.byLast[2]?.source == 0)
    #expect(matmuls.absorbed == [0, 1])
    #expect(TransposedMatmuls(Dataflow(graph), skipping: [1]).byLast.isEmpty)
    #expect(TransposedMatmuls(Dataflow(transposed(bias: 1).graph)).byLast.isEmpty)
  }

  @Test func `a byte times its sigmoid is one look-up`() throws {
    var b = Builder()
    let (x, image, y) = (b.input([4]), b.tensor([4]), b.tensor([4]))
    for (tensor, scale) in [(x, 0.05), (image, 1.0 / 256), (y, 0.04)] {
      b.graph.tensors[tensor].type = .int8
      b.graph.tensors[tensor].quantization = Quantization(
        scales: [Float(scale)], zeroPoints: [0], axis: 0)
    }
    b.graph.operators = [
      Operator(.unary(.logistic), inputs: [x], outputs: [image]),
      Operator(.binary(.multiply, .none), inputs: [x, image], outputs: [y]),
    ]
    b.graph.outputs = [y]
    #expect(FusedLookUps(Dataflow(b.graph)).functions == [1: 0])
    b.graph.outputs = [y, image]
    #expect(FusedLookUps(Dataflow(b.graph)).functions.isEmpty)
  }

  @Test func `clamps behind a sum are one range, as far as nobody reads what is between`() throws {
    var b = Builder()
    let (x, y) = (b.input([4]), b.input([4]))
    let sum = b.make(.binary(.add, .relu), [x, y], [4])
    let first = b.make(.unary(.relu6), [sum], [4])
    let second = b.make(.unary(.reluN1To1), [first], [4])
    b.graph.outputs = [second]
    var pass = FusedActivations(Dataflow(b.graph))
    #expect(pass.byOperator.count == 1)
    #expect(pass.byOperator[0]?.tensor == second && pass.byOperator[0]?.range == 0...1)
    #expect(pass.absorbed == [1, 2])
    b.graph.outputs = [second, first]
    pass = FusedActivations(Dataflow(b.graph))
    #expect(pass.byOperator.count == 1)
    #expect(pass.byOperator[0]?.tensor == first && pass.byOperator[0]?.range == 0...6)
    #expect(pass.absorbed == [1])
  }

  /// SLICE of all rows of a state but the first, and CONCATENATION with a new row.
  private func shiftRegister(takes rows: Int32) -> Graph {
    var b = Builder()
    let (x, state) = (b.input([1, 6], "x"), b.input([3, 6], "s_in"))
    let row = b.make(.unary(.square), [x], [1, 6])
    let tap = b.make(
      .slice, [state, b.integers([0, 0]), b.integers([rows, 6])], [Int(rows), 6], "tap")
    let shifted = b.make(.slice, [state, b.integers([1, 0]), b.integers([2, 6])], [2, 6])
    let next = b.make(.concatenation(axis: 0, .none), [shifted, row], [3, 6], "s_out")
    b.graph.outputs = [next, b.make(.unary(.negate), [tap], [Int(rows), 6])]
    return b.graph
  }

  @Test func `a state that is shifted and read by rows is a ring, another one two buffers`() throws
  {
    let pair = [StatePair(input: "s_in", output: "s_out")]
    let graph = shiftRegister(takes: 1)
    let ring = try FusionPlan(graph, states: pair)
    guard case .shiftRegister(let register, writesRow: true)? = ring.states.states.first?.form
    else {
      Issue.record("no shift register")
      return
    }
    #expect(register.rows == 3 && register.taps.map(\.row) == [0])
    // The two slices.
    #expect(ring.absorbed == [1, 2])
    let plain = try FusionPlan(shiftRegister(takes: 2), states: pair)
    guard case .doubleBuffer(writesState: true)? = plain.states.states.first?.form else {
      Issue.record("no double buffer")
      return
    }
    #expect(plain.absorbed.isEmpty)
  }

  @Test func `a concatenation that only int8 products read is elided`() throws {
    var b = Builder()
    let (x, y) = (b.input([1, 3]), b.input([1, 5]))
    let whole = b.make(.concatenation(axis: -1, .none), [x, y], [1, 8])
    let weights = b.int8([2, 8])
    let product = b.make(.fullyConnected(.none, keepsDimensions: false), [whole, weights], [1, 2])
    b.graph.outputs = [product]
    #expect(ElidedConcatenations(Dataflow(b.graph)).tensors == [whole])
    b.graph.outputs = [product, b.make(.unary(.square), [whole], [1, 8])]
    #expect(ElidedConcatenations(Dataflow(b.graph)).tensors.isEmpty)
  }

  /// Two parts of three rows, one of them an input, that a product reads.
  private func joined() -> (builder: Builder, input: Int, computed: Int, whole: Int) {
    var b = Builder()
    let x = b.input([1, 3, 2])
    let computed = b.make(.unary(.square), [x], [1, 3, 2])
    let whole = b.make(.concatenation(axis: 2, .none), [computed, x], [1, 3, 4])
    let weights = b.constant([1, 4], [1, 2, 3, 4])
    let product = b.make(
      .fullyConnected(.none, keepsDimensions: true), [whole, weights], [1, 3, 1])
    b.graph.outputs = [product]
    return (b, x, computed, whole)
  }

  @Test func `equal parts that only float products read lie one after the other`() throws {
    let (builder, input, computed, whole) = joined()
    let plan = try FusionPlan(builder.graph)
    #expect(plan.segmented.parts == [whole: 2])
    // One part is computed there, the input is copied.
    #expect(
      plan.placements.placements.map { [$0.tensor, $0.owner, $0.offset] } == [[computed, whole, 0]])
    for instructionSet in InstructionSet.available {
      var network = try Network(builder.graph, instructionSet: instructionSet)
      #expect(network.stepNames == ["unary", "copy", "f32 gemm"])
      let x: [Float] = [1, 2, 3, 4, 5, 6]
      let name = { builder.graph.tensors[$0].name }
      let results = try network.run([(name(input), x)], reading: [name(builder.graph.outputs[0])])
      // (a, b) gives a² + 2 b² + 3 a + 4 b.
      #expect(results == [[20, 66, 136]])
    }
  }

  @Test func `parts of one row, or that others read, or of two lengths lie as they are`() throws {
    var (b, x, computed, whole) = joined()
    let square = b.make(.unary(.square), [whole], [1, 3, 4])
    b.graph.outputs.append(square)
    #expect(SegmentedConcatenations(Dataflow(b.graph)).parts.isEmpty)
    (b, x, computed, whole) = joined()
    b.graph.outputs.append(whole)
    #expect(SegmentedConcatenations(Dataflow(b.graph)).parts.isEmpty)
    (b, x, computed, whole) = joined()
    b.graph.tensors[x].shape = [1, 3, 1]
    b.graph.tensors[computed].shape = [1, 3, 3]
    #expect(SegmentedConcatenations(Dataflow(b.graph)).parts.isEmpty)
    (b, x, computed, whole) = joined()
    for (tensor, width) in [(x, 2), (computed, 2), (whole, 4)] {
      b.graph.tensors[tensor].shape = [1, 1, width]
    }
    #expect(SegmentedConcatenations(Dataflow(b.graph)).parts.isEmpty)
  }

  @Test func `parts are computed in their concatenation, and results over their operands`() throws {
    var b = Builder()
    let x = b.input([2, 4])
    let (top, bottom) = (
      b.make(.unary(.square), [x], [2, 4]), b.make(.unary(.exponential), [x], [2, 4])
    )
    let whole = b.make(.concatenation(axis: 0, .none), [top, bottom], [4, 4])
    let result = b.make(.unary(.tanh), [whole], [4, 4])
    b.graph.outputs = [result]
    let placements = try FusionPlan(b.graph).placements.placements
    #expect(
      placements.map { [$0.tensor, $0.owner, $0.offset] }
        == [[whole, result, 0], [top, whole, 0], [bottom, whole, 32]])
    // The input of the network is not written over.
    #expect(!placements.contains { $0.tensor == x })
  }

  @Test func `a tensor that a later operator reads is not overwritten`() throws {
    var b = Builder()
    let x = b.input([4])
    let inner = b.make(.unary(.square), [x], [4])
    let first = b.make(.unary(.exponential), [inner], [4])
    let second = b.make(.binary(.add, .none), [inner, first], [4])
    b.graph.outputs = [second]
    let placements = try FusionPlan(b.graph).placements.placements
    #expect(placements.map { [$0.tensor, $0.owner, $0.offset] } == [[first, second, 0]])
  }

  /// x + W x, and what may read the product as well.
  private func residual(readsInside: Bool = false, clamps: Bool = false) -> Graph {
    var b = Builder()
    let x = b.input([2, 4])
    let weights = b.constant([4, 4], (0..<16).map { Float($0) / 8 - 1 })
    let product = b.make(
      .fullyConnected(.relu, keepsDimensions: false), [x, weights], [2, 4])
    let sum = b.make(.binary(.add, .none), [x, product], [2, 4])
    let output = clamps ? b.make(.unary(.relu), [sum], [2, 4]) : sum
    b.graph.outputs = readsInside ? [output, product] : [output]
    return b.graph
  }

  @Test func `a residual sum becomes a part of the product before it`() throws {
    let graph = residual()
    let plan = try FusionPlan(graph)
    let sum = try #require(plan.sums.byProduct[0])
    #expect(sum.addend == 0 && sum.output == graph.outputs[0])
    #expect(plan.absorbed == [1])
    var network = try Network(graph)
    #expect(network.stepNames == ["f32 gemm"])
    let x = (0..<8).map { Float($0) * 0.75 - 2 }
    let input = unsafe try network.input(named: graph.tensors[0].name)
    for (index, value) in x.enumerated() { unsafe input[index] = value }
    network.run()
    let name = graph.tensors[graph.outputs[0]].name
    let result = unsafe Array(try network.output(named: name))
    for (index, value) in x.enumerated() {
      let row = index / 4 * 4
      let product = (0..<4).reduce(Float(0)) { sum, k in
        sum + x[row + k] * (Float(index % 4 * 4 + k) / 8 - 1)
      }
      #expect(result[index] == value + max(product, 0))
    }
  }

  @Test(arguments: [(true, false), (false, true)])
  func `a residual sum stays where its inside is read or a clamp follows`(
    readsInside: Bool, clamps: Bool
  ) throws {
    let plan = try FusionPlan(residual(readsInside: readsInside, clamps: clamps))
    #expect(plan.sums.byProduct.isEmpty)
  }
}
