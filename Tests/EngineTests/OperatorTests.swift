import CAllocationCount
import QDEngine
import EngineSupport
import Foundation
import QDKernels
import QDTFLite
import Testing

/// Each operator alone against LiteRT, on every instruction set of this machine; what
/// Tests/Fixtures/make_operator_fixtures.py made.
struct OperatorTests {
  @Test(arguments: try OperatorFixture.all)
  func `an operator computes what LiteRT computes, and allocates nothing`(
    fixture: OperatorFixture
  ) throws {
    let graph = try TFLiteFile.read(fixture.model, name: fixture.name)
    for instructionSet in InstructionSet.available {
      var network = try Network(graph, instructionSet: instructionSet)
      var golden = fixture.golden[...]
      func next(_ count: Int) -> [UInt8] {
        defer { golden = golden.dropFirst(count) }
        return Array(golden.prefix(count))
      }
      for _ in 0..<next(4)[0] {
        for input in graph.callerInputs.map({ graph.tensors[$0] }) {
          let buffer = try network.inputBytes(named: input.name)
          buffer.copyBytes(from: next(buffer.count))
        }
        let before = allocation_count()
        network.run()
        #expect(allocation_count() == before)
        for output in graph.callerOutputs.map({ graph.tensors[$0] }) {
          let values = Array(try network.outputBytes(named: output.name))
          try expect(output, values, next(values.count), fixture.name)
        }
      }
      #expect(golden.isEmpty)
    }
  }

  private func expect(
    _ output: Tensor, _ values: [UInt8], _ expected: [UInt8], _ name: String
  ) throws {
    var output = output
    if output.type == .complex64 { output.type = .float32 }
    if output.type == .float32 {
      // LiteRT quantizes what this filter takes in; here its weights become floats.
      let tolerance: Float = name == "SVDF, dynamic" ? 0.02 : 1e-6
      #expect(largestError(output.numbers(values), output.numbers(expected)) <= tolerance)
    } else if output.quantization != nil {
      // LiteRT rounds the halves of its fixed-point sums up, and has states of integers.
      let isNear = ["SUM, int8", "SVDF, int8", "UNIDIRECTIONAL_SEQUENCE_LSTM, int8"].contains(name)
      let steps = zip(output.numbers(values), output.numbers(expected)).map { abs($0 - $1) }
      #expect(steps.allSatisfy { $0 <= (isNear ? 1 : 0) })
    } else {
      #expect(values == expected)
    }
  }

  @Test(arguments: try OperatorFixture.all)
  func `what is written of an operator is read again as it was`(fixture: OperatorFixture) throws {
    let graph = try TFLiteFile.read(fixture.model, name: fixture.name)
    // Variables have handles in a file, and none in a graph.
    guard graph.variables.isEmpty else { return }
    #expect(try TFLiteFile.read(try TFLiteFile.write(graph), name: fixture.name) == graph)
  }
}
