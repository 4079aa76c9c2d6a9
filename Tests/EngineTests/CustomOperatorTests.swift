import CAllocationCount
import QDEngine
import QDTFLite
import Testing

/// Operators that the schema does not have, and what one can ask of a network.
struct CustomOperatorTests {
  static let graph: Graph = {
    var graph = Graph(
      name: "custom",
      tensors: ["x", "between", "y"].map { Tensor(name: $0, shape: [2, 3], type: .float32) })
    graph.operators = [
      Operator(.custom(name: "Double", options: [7]), inputs: [0], outputs: [1]),
      Operator(.unary(.negate), inputs: [1], outputs: [2]),
    ]
    (graph.inputs, graph.outputs) = ([0], [2])
    return graph
  }()

  static let double = CustomOperator("Double") { node in
    guard node.inputs[0].shape == node.outputs[0].shape, node.options == [7] else { return nil }
    return { buffers in
      let (x, y) = (buffers.floats(0), buffers.outputFloats(0))
      for index in y.indices { y[index] = 2 * x[index] }
    }
  }

  @Test func `a custom operator computes what its caller says, without allocating`() throws {
    var network = try Network(Self.graph, customs: [Self.double])
    let outputs = try network.run([("x", [0, 1, 2, 3, 4, 5])], reading: ["y"])
    #expect(outputs == [[0, -2, -4, -6, -8, -10]])
    let before = allocation_count()
    network.run()
    #expect(allocation_count() == before)
  }

  @Test func `a custom operator that nobody computes is refused with what would help`() {
    #expect {
      _ = try Network(Self.graph)
    } throws: {
      "\($0)".contains("operator 0 (CUSTOM Double, 'between')")
        && "\($0)".contains("`CustomOperator`")
    }
  }

  @Test func `a custom operator is written and read with its options`() throws {
    let bytes = try TFLiteFile.write(Self.graph)
    #expect(try TFLiteFile.read(bytes, name: "custom") == Self.graph)
  }

  @Test func `two inputs of one name are two inputs`() throws {
    var graph = Graph(
      name: "twins",
      tensors: ["x", "x", "y"].map { Tensor(name: $0, shape: [4], type: .float32) })
    graph.operators = [Operator(.binary(.subtract, .none), inputs: [0, 1], outputs: [2])]
    (graph.inputs, graph.outputs) = ([0, 1], [2])
    var network = try Network(graph)
    #expect(network.inputCount == 2 && network.outputCount == 1)
    for (place, value) in [(0, Float(5)), (1, 3)] {
      network.inputBytes(at: place).assumingMemoryBound(to: Float.self).update(repeating: value)
    }
    network.run()
    let result = network.outputBytes(at: 0).assumingMemoryBound(to: Float.self)
    #expect(Array(result) == [2, 2, 2, 2])
  }

  @Test func `each operator's time is its own`() throws {
    var network = try Network(Self.graph, customs: [Self.double])
    var seconds = [0.0, 0.0]
    for _ in 0..<10 { network.run(profiling: &seconds) }
    #expect(seconds.allSatisfy { $0 > 0 })
  }
}
