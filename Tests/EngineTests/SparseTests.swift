import QDEngine
import EngineSupport
import Foundation
import QDKernels
import Seeded
import QDTFLite
import Testing

/// Networks whose file leaves out the zeros of weights.
struct SparseTests {
  /// A layer whose weights are zero but for every fifth or so.
  private func layer(_ kind: OperatorKind, rows: [Int], weights: [Int], isInt8: Bool) -> Graph {
    var random = SeededGenerator(seed: 12)
    let outputs = weights[0]
    let count = weights.reduce(1, *)
    let isKept = (0..<count).map { _ in Int.random(in: 0..<5, using: &random) == 0 }
    var graph = Graph(
      name: "sparse", tensors: [Tensor(name: "x", shape: rows + [weights.last!], type: .float32)])
    var tensor = Tensor(name: "w", shape: weights, type: .float32)
    if isInt8 {
      tensor.type = .int8
      tensor.quantization = Quantization(
        scales: random.floats(outputs, in: 0.01...0.02),
        zeroPoints: Array(repeating: 0, count: outputs), axis: 0)
      tensor.data = isKept.map { $0 ? UInt8.random(in: 1...127, using: &random) : 0 }
    } else {
      tensor.data = isKept.flatMap { kept -> [UInt8] in
        let bits = (kept ? Float.random(in: -1...1, using: &random) : 0).bitPattern
        return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
      }
    }
    graph.tensors.append(tensor)
    graph.tensors.append(Tensor(name: "b", shape: [outputs], values: random.floats(outputs)))
    graph.tensors.append(Tensor(name: "y", shape: rows + [outputs], type: .float32))
    graph.operators = [Operator(kind, inputs: [0, 1, 2], outputs: [3], version: isInt8 ? 5 : 1)]
    (graph.inputs, graph.outputs) = ([0], [3])
    return graph
  }

  private static let pointwise = OperatorKind.convolution(Window(padding: .same), .relu)

  @Test(arguments: InstructionSet.available, [false, true])
  func `a sparse file has the bits of the dense one, with any number of threads`(
    instructionSet: InstructionSet, isInt8: Bool
  ) throws {
    let layers: [(OperatorKind, [Int], [Int])] = [
      (.fullyConnected(.none, keepsDimensions: false), [37], [50, 300]),
      (.fullyConnected(.none, keepsDimensions: false), [1], [50, 64]),
      (Self.pointwise, [1, 9, 11], [33, 1, 1, 70]),
    ]
    for (kind, rows, weights) in layers {
      var dense = layer(kind, rows: rows, weights: weights, isInt8: isInt8)
      let denseBytes = try TFLiteFile.write(dense)
      dense.tensors[1].isSparseInFile = true
      let bytes = try TFLiteFile.write(dense)
      #expect(bytes.count < denseBytes.count)
      let read = try TFLiteFile.read(bytes, name: "sparse")
      let place = try #require(read.tensors.firstIndex { $0.name == "w" })
      #expect(read.tensors[place].isSparseInFile)
      #expect(read.tensors[place].data == dense.tensors[1].data)
      var random = SeededGenerator(seed: 13)
      let x = random.floats(dense.tensors[0].count!)
      var expected: [[Float]]?
      for (graph, threads) in [
        (try TFLiteFile.read(denseBytes, name: "dense"), 1), (read, 1), (read, 3),
      ] {
        var network = try Network(
          graph, instructionSet: instructionSet, threads: threads, leastSharedWork: 0)
        let result = try network.run([("x", x)], reading: ["y"])
        expected = expected ?? result
        #expect(result == expected)
      }
    }
  }
}
