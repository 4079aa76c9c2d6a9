import QDEngine
import EngineSupport
import Foundation
import QDTFLite
import Testing

/// Shapes that follow from those of the inputs.
struct ResizingTests {
  /// Of what is computed, all shapes but those that a RESHAPE without a constant is to give.
  private func expectShapes(_ graph: Graph) throws {
    var blank = graph
    for node in graph.operators where node.kind != .reshape {
      for output in node.outputs { blank.tensors[output].shape = [] }
    }
    #expect(try blank.resized([:]) == graph)
  }

  @Test(arguments: try ModelFixture.names)
  func `the shapes of a network follow from its inputs`(name: String) throws {
    try expectShapes(try TFLiteFile.read(try ModelFixture.bytes(name), name: name))
  }

  @Test(arguments: try OperatorFixture.all)
  func `the shapes of an operator follow from its inputs`(fixture: OperatorFixture) throws {
    try expectShapes(try TFLiteFile.read(fixture.model, name: fixture.name))
  }

  @Test(arguments: ["depthwise_3x3_f32", "conv_3x3_f32", "images"])
  func `a file without dimensions of its images has those that follow`(name: String) throws {
    let graph = try Fixture("operators/\(name)").graph
    var blank = graph
    for node in graph.operators {
      for output in node.outputs { blank.tensors[output].shape = [] }
    }
    let read = try TFLiteFile.read(try TFLiteFile.write(blank), name: graph.name)
    #expect(read.tensors.map(\.shape) == graph.tensors.map(\.shape))
  }

  @Test(arguments: [ElementType.int8, .int16, .float32])
  func `nearest neighbours of half-pixel centers are repeated by an even factor`(
    type: ElementType
  ) throws {
    var graph = Graph(name: "nearest")
    let scale =
      type == .float32 ? nil : Quantization(scales: [0.5], zeroPoints: [0], axis: 0)
    graph.tensors = [
      Tensor(name: "x", shape: [1, 2, 3, 1], type: type, quantization: scale),
      Tensor(name: "size", shape: [2], integers: [4, 6]),
      Tensor(name: "y", shape: [1, 4, 6, 1], type: type, quantization: scale),
    ]
    graph.operators = [
      Operator(
        .resize(Resizing(isLinear: false, alignsCorners: false, hasHalfPixelCenters: true)),
        inputs: [0, 1], outputs: [2])
    ]
    (graph.inputs, graph.outputs) = ([0], [2])
    var network = try Network(graph)
    let bytes = { (values: [Int]) -> [UInt8] in
      values.flatMap { value -> [UInt8] in
        switch type {
        case .int8: [UInt8(value)]
        case .int16: [UInt8(value), 0]
        default:
          withUnsafeBytes(of: Float(value)) { Array($0) }
        }
      }
    }
    let outputs = try network.run(bytes: [("x", bytes([1, 2, 3, 4, 5, 6]))], reading: ["y"])
    let (first, second) = ([1, 1, 2, 2, 3, 3], [4, 4, 5, 5, 6, 6])
    let rows: [Int] = first + first + second + second
    #expect(outputs == [bytes(rows)])
  }

  @Test func `several rows at once are each computed as one alone`() throws {
    let fixture = try Fixture("operators/fc_m1_f32")
    let (name, row) = fixture.runs[0].inputs[0]
    let shape = fixture.graph.tensors[fixture.graph.inputs[0]].shape
    let graph = try fixture.graph.resized([name: [3] + shape.dropFirst()])
    var network = try Network(graph)
    let expected = fixture.runs[0].outputs[0]
    let outputs = try network.run([(name, row + row + row)], reading: [expected.name])
    #expect(outputs[0].count == 3 * expected.values.count)
    #expect(largestError(outputs[0], expected.values + expected.values + expected.values) <= 1e-6)
  }

  @Test func `an input that is not there and a shape that does not fit are named`() throws {
    let graph = try Fixture("operators/fc_m1_f32").graph
    #expect(throws: EngineError.self) { try graph.resized(["nothing": [1]]) }
    let name = graph.tensors[graph.inputs[0]].name
    #expect {
      try graph.resized([name: [1, 7]])
    } throws: {
      "\($0)".contains("operator 0 (FULLY_CONNECTED") && "\($0)".contains("new shapes")
    }
  }
}
