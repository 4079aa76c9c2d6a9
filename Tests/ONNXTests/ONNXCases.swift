import QDEngine
import Foundation
import QDONNX
import TestSupport
import Testing

/// Models that Python makes, with the outputs that they should have.
enum ONNXCases {
  private static let script = URL(filePath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Fixtures/onnx_cases.py")

  /// Skips the test where Python lacks a package.
  static func require(_ packages: [String]) throws {
    for package in packages {
      guard try status(["-c", "import \(package)"]) == 0 else {
        try Piece.skip("Python's \(package) is not installed")
      }
    }
  }

  /// The folder of an installed Python package, which is not loaded; skips the test without it.
  static func path(of package: String) throws -> URL {
    let code =
      "import importlib.util as u; print(list(u.find_spec('\(package)').submodule_search_locations)[0])"
    let found = try output(["-c", code]).trimmingCharacters(in: .whitespacesAndNewlines)
    guard !found.isEmpty else { try Piece.skip("Python's \(package) is not installed") }
    return URL(filePath: found)
  }

  static func folder() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "qdenoise-onnx-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  static func run(_ arguments: [String]) throws {
    #expect(try status([script.path()] + arguments) == 0)
  }

  private static func process(_ arguments: [String]) -> Process {
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = ["python3"] + arguments
    process.standardError = FileHandle.nullDevice
    process.standardOutput = FileHandle.nullDevice
    return process
  }

  private static func status(_ arguments: [String]) throws -> Int32 {
    let process = process(arguments)
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  private static func output(_ arguments: [String]) throws -> String {
    let process = process(arguments)
    let pipe = Pipe()
    process.standardOutput = pipe
    try process.run()
    let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The worst difference of an output, as a share of its largest value or of 1.
  static func difference(
    _ model: URL, golden: URL, options: ONNXImporter.Options = .init()
  ) throws -> Float {
    let graph = try ONNXImporter.network(
      Array(try Data(contentsOf: model)), name: model.lastPathComponent, options: options
    ).graph
    let bytes = Array(try Data(contentsOf: golden))
    var numbers = floats(bytes)[...]
    if let outputs = constants(graph) {
      numbers = numbers.suffix(outputs.count)
      return zip(outputs, numbers).reduce(0) { max($0, $1.0 == $1.1 ? 0 : abs($1.0 - $1.1)) }
    }
    var network = try Network(graph)
    for index in graph.inputs {
      let tensor = graph.tensors[index]
      let input = try network.inputBytes(named: tensor.name)
      for place in 0..<input.count / tensor.type.size {
        let value = numbers.popFirst() ?? .nan
        let bits =
          tensor.type == .float32 ? Int(value.bitPattern) : Int(value.isNaN ? 0 : value)
        for byte in 0..<tensor.type.size {
          input[place * tensor.type.size + byte] = UInt8(truncatingIfNeeded: bits >> (8 * byte))
        }
      }
    }
    network.run()
    var worst: Float = 0
    for index in graph.outputs {
      let output = elements(
        Array(try network.outputBytes(named: graph.tensors[index].name)),
        graph.tensors[index].type)
      let wanted = (0..<output.count).map { _ in numbers.popFirst() ?? .nan }
      let largest = wanted.reduce(Float(1)) { $1.isFinite ? max($0, abs($1)) : $0 }
      for (found, right) in zip(output, wanted) where found.bitPattern != right.bitPattern {
        if found.isNaN && right.isNaN || found == right { continue }
        let error = abs(found - right) / largest
        worst = error.isNaN ? .infinity : max(worst, error)
      }
    }
    #expect(numbers.isEmpty, "\(model.lastPathComponent)")
    return worst
  }

  private static func elements(_ bytes: [UInt8], _ type: ElementType) -> [Float] {
    guard type != .float32 else { return floats(bytes) }
    return stride(from: 0, to: bytes.count, by: type.size).map { start in
      var value = 0
      for byte in (0..<type.size).reversed() { value = value << 8 | Int(bytes[start + byte]) }
      let unused = Int.bitWidth - 8 * type.size
      return Float(type == .bool ? value : (value << unused) >> unused)
    }
  }

  private static func floats(_ bytes: [UInt8]) -> [Float] {
    stride(from: 0, to: bytes.count, by: 4).map { start in
      Float(
        bitPattern: bytes[start..<start + 4].reversed().reduce(UInt32(0)) { $0 << 8 | UInt32($1) })
    }
  }

  /// The outputs of a graph that computes nothing; `nil` for another.
  private static func constants(_ graph: Graph) -> [Float]? {
    var result: [Float] = []
    for output in graph.outputs {
      guard let node = graph.operators.first(where: { $0.outputs == [output] }),
        let input = node.inputs[0], let data = graph.tensors[input].data,
        node.kind == .reshape || node.kind == .squeeze(dimensions: [])
      else { return nil }
      result += floats(data)
    }
    return result
  }
}
