import QDEngine
import EngineSupport
import Foundation
import QDTFLite

/// A model of Tests/Fixtures with integers at its ends or inside, and what LiteRT computes from it.
struct IntegerFixture {
  var graph: Graph
  var runs: [Run]

  /// Elements of every input and output, little-endian, in the model's order.
  struct Run {
    var inputs: [(name: String, bytes: [UInt8])]
    var outputs: [(tensor: Tensor, bytes: [UInt8])]
  }

  init(_ name: String) throws {
    func file(_ suffix: String) throws -> [UInt8] {
      Array(try Data(contentsOf: ModelFixture.folder.appending(path: "\(name).\(suffix)")))
    }
    let graph = try TFLiteFile.read(try file("tflite"), name: name)
    var golden = try file("golden")[...]
    func next(_ count: Int) -> [UInt8] {
      defer { golden = golden.dropFirst(count) }
      return Array(golden.prefix(count))
    }
    func bytes(_ tensor: Int) -> [UInt8] {
      next(graph.tensors[tensor].count! * graph.tensors[tensor].type.size)
    }
    let count = next(4).reversed().reduce(0) { $0 << 8 | Int($1) }
    self.graph = graph
    runs = []
    for _ in 0..<count {
      let inputs = graph.callerInputs.map { (graph.tensors[$0].name, bytes($0)) }
      runs.append(
        Run(inputs: inputs, outputs: graph.callerOutputs.map { (graph.tensors[$0], bytes($0)) }))
    }
    precondition(golden.isEmpty, "\(name).golden is of another model")
  }

  /// The real value of a step of an output, if integers are at it: its own, or those of what it
  /// is computed from.
  func step(_ output: Tensor) -> Float? {
    if output.type != .float32 { return 1 }
    let source = graph.operators.first {
      $0.outputs.first.map { graph.tensors[$0].name } == output.name
    }
    // What floats are computed from, back to where they were integers.
    let steps = source?.inputs.compactMap { input -> Float? in
      guard let input, !graph.tensors[input].isConstant else { return nil }
      let tensor = graph.tensors[input]
      return tensor.type == .float32 ? step(tensor) : tensor.quantization?.scales.first
    }
    return steps?.max()
  }
}

extension Tensor {
  /// The numbers that elements of this tensor's type are.
  func numbers(_ bytes: [UInt8]) -> [Float] {
    func word(_ index: Int, _ size: Int) -> UInt32 {
      (0..<size).reduce(0) { $0 | UInt32(bytes[size * index + $1]) << UInt32(8 * $1) }
    }
    return (0..<bytes.count / type.size).map { index in
      switch type {
      case .float32: Float(bitPattern: word(index, 4))
      case .float16: Float(Float16(bitPattern: UInt16(word(index, 2))))
      case .int8: Float(Int8(bitPattern: bytes[index]))
      case .uint8: Float(bytes[index])
      case .int16: Float(Int16(truncatingIfNeeded: word(index, 2)))
      default: .nan
      }
    }
  }
}

extension Network {
  /// Writes the inputs, runs, and reads the outputs, of any type.
  mutating func run(
    bytes inputs: [(name: String, bytes: [UInt8])], reading outputs: [String]
  ) throws -> [[UInt8]] {
    for input in inputs {
      let buffer = try inputBytes(named: input.name)
      precondition(buffer.count == input.bytes.count)
      buffer.copyBytes(from: input.bytes)
    }
    run()
    return try outputs.map { Array(try outputBytes(named: $0)) }
  }
}
