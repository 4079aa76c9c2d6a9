import QDEngine
import QDQuantizer
import QDTFLite
import Testing

/// Operators that conversions of weights leave as they are, whether the engine has them or not.
struct PassingOperatorTests {
  private static let width = 64

  /// Two layers, with operators from tensor 4 to tensor 5 between them.
  private static func graph(
    more: [Tensor] = [], _ operators: [Operator]
  ) -> Graph {
    func weights(_ name: String, _ phase: Float) -> Tensor {
      Tensor(
        name: name, shape: [width, width],
        values: (0..<width * width).map {
          (Float($0 * 37 % 101) / 50 - 1) * phase / Float(width).squareRoot()
        })
    }
    func computed(_ name: String) -> Tensor {
      Tensor(name: name, shape: [1, width], type: .float32)
    }
    var graph = Graph(
      name: "passing",
      tensors: [
        computed("x"), weights("v", 1), weights("w", -1), computed("y"), computed("h"),
        computed("g"),
      ] + more)
    func layer(_ input: Int, _ weights: Int, _ output: Int) -> Operator {
      Operator(
        .fullyConnected(.none, keepsDimensions: false), inputs: [input, weights, nil],
        outputs: [output])
    }
    graph.operators = [layer(0, 1, 4)] + operators + [layer(5, 2, 3)]
    (graph.inputs, graph.outputs) = ([0], [3])
    return graph
  }

  private static func run(_ graph: Graph, _ x: [Float]) throws -> [Float] {
    var network = try Network(graph)
    _ = try network.input(named: "x").update(fromContentsOf: x)
    network.run()
    return Array(try network.output(named: "y"))
  }

  private static func converted(_ graph: Graph, _ optimization: Optimization) throws -> Graph {
    let result = try quantize(graph, optimization)
    return try TFLiteFile.read(try TFLiteFile.write(result), name: graph.name)
  }

  // MARK: Operators that run

  private static let count = Tensor(name: "count", shape: [], integers: [1])
  private static func scalar(_ name: String, _ value: Float) -> Tensor {
    Tensor(name: name, shape: [1], values: [value])
  }
  private static func part(_ name: String, _ width: Int = width) -> Tensor {
    Tensor(name: name, shape: [1, width], type: .float32)
  }

  private static var running: [(name: String, graph: Graph)] {
    [
      ("GELU", graph([Operator(.builtin(code: 150, OptionFields()), inputs: [4], outputs: [5])])),
      (
        "CUMSUM",
        graph(
          more: [Tensor(name: "axis", shape: [], integers: [1])],
          [
            Operator(
              .builtin(code: 128, OptionFields([0: .byte(1)])), inputs: [4, 6], outputs: [5])
          ])
      ),
      (
        "LayerNorm",
        graph(
          more: [
            Tensor(name: "axes", shape: [1], integers: [1]), part("mean", 1), part("squares"),
            part("variance", 1), scalar("epsilon", 1e-3), part("sum", 1), part("factor", 1),
            part("centred"),
          ],
          [
            Operator(.mean(keepsDimensions: true), inputs: [4, 6], outputs: [7]),
            Operator(.binary(.squaredDifference, .none), inputs: [4, 7], outputs: [8]),
            Operator(.mean(keepsDimensions: true), inputs: [8, 6], outputs: [9]),
            Operator(.binary(.add, .none), inputs: [9, 10], outputs: [11]),
            Operator(.unary(.reciprocalSquareRoot), inputs: [11], outputs: [12]),
            Operator(.binary(.subtract, .none), inputs: [4, 7], outputs: [13]),
            Operator(.binary(.multiply, .none), inputs: [13, 12], outputs: [5]),
          ])
      ),
    ]
  }

  @Test(arguments: ["GELU", "CUMSUM", "LayerNorm"], [Optimization.default, .float16])
  func `an operator without weights stays, and the result is near`(
    name: String, optimization: Optimization
  ) throws {
    let original = try #require(Self.running.first { $0.name == name }).graph
    let result = try Self.converted(original, optimization)
    let kinds = original.operators.dropFirst().dropLast().map(\.kind)
    let left = result.operators.map(\.kind).filter { $0 != .dequantize }.dropFirst().dropLast()
    #expect(Array(left) == kinds)
    let x = (0..<Self.width).map { Float($0 * 29 % 64) / 32 - 1 }
    let (expected, actual) = (try Self.run(original, x), try Self.run(result, x))
    let noise = zip(expected, actual).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
    let signal = expected.reduce(0) { $0 + $1 * $1 }
    #expect(noise < 1e-3 * signal)
    #expect(actual != expected)
  }

  // MARK: Operators that the engine does not have

  /// By code and type of options, with values that are not the schema's defaults.
  private static let foreign: [StoredOperator] = [
    // LOCAL_RESPONSE_NORMALIZATION: radius, and bias, alpha and beta as floats.
    StoredOperator(
      code: 13, optionsType: 13,
      options: OptionFields([
        0: .int(5), 1: .int(Int32(bitPattern: Float(1.5).bitPattern)),
        2: .int(Int32(bitPattern: Float(0.1).bitPattern)), 3: .int(0),
      ])),
    // L2_POOL_2D: padding, strides, filter and activation.
    StoredOperator(
      code: 12, optionsType: 5,
      options: OptionFields([
        0: .byte(1), 1: .int(1), 2: .int(1), 3: .int(2), 4: .int(2), 5: .byte(1),
      ])),
    // BIDIRECTIONAL_SEQUENCE_LSTM: its second flag is true by default.
    StoredOperator(
      code: 52, optionsType: 69, options: OptionFields([0: .byte(4), 4: .byte(0), 5: .byte(1)])),
    // ATAN2 and REVERSE_SEQUENCE.
    StoredOperator(code: 156, optionsType: 122, options: OptionFields([:])),
    StoredOperator(
      code: 112, optionsType: 87, options: OptionFields([0: .int(1), 1: .int(0)])),
    // An operator without a table of options.
    StoredOperator(code: 156, optionsType: 0, options: OptionFields(isPresent: false)),
  ]

  @Test(arguments: foreign, [Optimization.default, .float16])
  func `an operator that the engine does not have is written as it was`(
    stored: StoredOperator, optimization: Optimization
  ) throws {
    var node = Operator(.unsupported(name: "FOREIGN"), inputs: [4, nil], outputs: [5], version: 3)
    node.stored = stored
    let file = try TFLiteFile.write(Self.graph([node]))
    let original = try TFLiteFile.read(file, name: "passing")
    let read = try #require(original.operators.first { $0.outputs == [5] })
    #expect(read.stored == stored && read.version == 3 && read.inputs == [4, nil])
    guard case .unsupported(let name) = read.kind else {
      Issue.record("\(read.kind)")
      return
    }
    #expect(name != "FOREIGN")
    #expect(throws: EngineError.self) { _ = try Network(original) }

    let result = try Self.converted(original, optimization)
    let passed = try #require(result.operators.first { $0.stored != nil })
    #expect(passed.stored == stored && passed.kind == read.kind && passed.version == 3)
    let types = Set(result.tensors.filter(\.isConstant).map(\.type))
    #expect(types == [optimization == .default ? .int8 : .float16])
  }

  @Test func `an operator whose options refer to more than numbers is named`() throws {
    let node = Operator(.unsupported(name: "STABLEHLO_SCATTER"), inputs: [4], outputs: [5])
    #expect(
      throws: TFLiteError.cannotWrite(
        name: "passing", index: 1, operator: "STABLEHLO_SCATTER")
    ) { try TFLiteFile.write(Self.graph([node])) }
  }
}
