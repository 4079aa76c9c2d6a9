import QDEngine
import EngineSupport
import Foundation
import QDKernels
import QDTFLite
import Testing

/// Small files in the forms that other people's converters write, where they lie beside the project.
@Suite(.enabled(if: ForeignModel.areThere))
struct ForeignModelTests {
  @Test(arguments: [
    "call_once_int8_zero_point", "lstm_cell_clip_10", "shape_of_open_batch", "reshape_to_scalar",
    "strided_slice_backwards", "run_output_name_of_310_characters",
  ])
  func `a network runs twice`(name: String) throws {
    var network = try Network(try ForeignModel.graph(name))
    network.run()
    network.run()
  }

  @Test func `a reshape to a scalar doubles its input`() throws {
    let graph = try ForeignModel.graph("reshape_to_scalar")
    var network = try Network(graph)
    let (input, output) = (graph.callerInputs[0], graph.callerOutputs[0])
    let values = try network.run(
      [(graph.tensors[input].name, [3])], reading: [graph.tensors[output].name])
    #expect(values == [[6]])
  }

  @Test func `a variable of int8 begins with its zero point`() throws {
    let graph = try ForeignModel.graph("call_once_int8_zero_point")
    var network = try Network(graph)
    let name = graph.tensors[graph.callerOutputs[0]].name
    // Steps of 0.1 from -7: 10 is 1.7, and added twice 3.4.
    let input: [(String, [UInt8])] = [
      (graph.tensors[graph.callerInputs[0]].name, [10, 10, 10, 10])
    ]
    #expect(try network.run(bytes: input, reading: [name]) == [[10, 10, 10, 10]])
    #expect(try network.run(bytes: input, reading: [name]) == [[27, 27, 27, 27]])
    network.reset()
    #expect(try network.run(bytes: input, reading: [name]) == [[10, 10, 10, 10]])
  }
}

extension ForeignModelTests {
  @Test(arguments: InstructionSet.available)
  func `a sum just below a half is rounded down, as XNNPACK does it`(
    instructionSet: InstructionSet
  ) throws {
    let graph = try ForeignModel.graph("uint8_conv_rounding")
    let (input, output) = (
      graph.tensors[graph.callerInputs[0]].name, graph.tensors[graph.callerOutputs[0]].name
    )
    var network = try Network(graph, instructionSet: instructionSet)
    let count = try network.inputBytes(named: input).count
    // What is behind the header of a NumPy file.
    let x = Array(try ForeignModel.bytes("uint8_conv_rounding_x.npy").suffix(count))
    #expect(try network.run(bytes: [(input, x)], reading: [output]) == [[39]])
  }
}

enum ForeignModel {
  private static let folder = ModelFixture.folder
    .appending(path: "../../../shared/tools/foreign-models").standardizedFileURL

  static var areThere: Bool { FileManager.default.fileExists(atPath: folder.path) }

  static func bytes(_ file: String) throws -> [UInt8] {
    Array(try Data(contentsOf: folder.appending(path: file)))
  }

  static func graph(_ name: String) throws -> Graph {
    try TFLiteFile.read(try bytes("\(name).tflite"), name: name)
  }
}
