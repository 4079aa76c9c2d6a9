import QDEngine
import EngineSupport
import QDFiles
import Foundation
import QDKernels
import Seeded
import QDTFLite
import Testing

/// Packed weights that are kept in files.
final class WeightCacheTests: Sendable {
  private let folder = FileManager.default.temporaryDirectory.path + "/qdenoise-weights-\(UUID())"

  deinit { try? FileManager.default.removeItem(atPath: folder) }

  private var cache: WeightCache {
    var cache = WeightCache(folder: folder)
    cache.leastByteCount = 0
    return cache
  }

  private var files: [String] {
    get throws {
      let names = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      return names.map { "\(folder)/\($0)" }
    }
  }

  /// Two layers of float32 weights.
  private func graph(rows: Int = 3, seed: UInt64 = 1) -> Graph {
    var random = SeededGenerator(seed: seed)
    func weights(_ name: String, _ shape: [Int]) -> Tensor {
      Tensor(
        name: name, shape: shape,
        values: (0..<shape.reduce(1, *)).map { _ in .random(in: -1...1, using: &random) })
    }
    var graph = Graph(
      name: "two layers",
      tensors: [
        Tensor(name: "x", shape: [rows, 70], type: .float32), weights("v", [90, 70]),
        Tensor(name: "h", shape: [rows, 90], type: .float32), weights("w", [33, 90]),
        weights("b", [33]), Tensor(name: "y", shape: [rows, 33], type: .float32),
      ])
    graph.operators = [
      Operator(.fullyConnected(.relu, keepsDimensions: false), inputs: [0, 1], outputs: [2]),
      Operator(.fullyConnected(.none, keepsDimensions: false), inputs: [2, 3, 4], outputs: [5]),
    ]
    (graph.inputs, graph.outputs) = ([0], [5])
    return graph
  }

  /// The outputs of two runs on seeded inputs, and where the weights came from.
  private func results(
    _ graph: Graph, _ instructionSet: InstructionSet = .best, cache: WeightCache?
  ) throws -> (bytes: [[UInt8]], outcome: WeightCache.Outcome) {
    var network = try Network(graph, instructionSet: instructionSet, cache: cache)
    var random = SeededGenerator(seed: 7)
    var results: [[UInt8]] = []
    for _ in 0..<2 {
      for place in 0..<network.inputCount {
        let bytes = network.inputBytes(at: place)
        if graph.tensors[graph.callerInputs[place]].type == .float32 {
          for index in 0..<bytes.count / 4 {
            bytes.storeBytes(
              of: Float.random(in: -1...1, using: &random), toByteOffset: 4 * index,
              as: Float.self)
          }
        } else {
          for index in bytes.indices { bytes[index] = .random(in: 0...63, using: &random) }
        }
      }
      network.run()
      results += (0..<network.outputCount).map { Array(network.outputBytes(at: $0)) }
    }
    return (results, network.cacheOutcome)
  }

  @Test(arguments: try ModelFixture.names, InstructionSet.available)
  func `results have the same bits with weights from a file`(
    name: String, instructionSet: InstructionSet
  ) throws {
    let path = ModelFixture.folder.appending(path: "\(name).tflite").path
    let graph = try TFLiteFile.read(try ModelFixture.bytes(name), name: path)
    let mapped = try TFLiteFile.read(try #require(try MappedFile(path)))
    #expect(mapped == graph)
    let expected = try results(graph, instructionSet, cache: nil)
    #expect(expected.outcome == .unused)
    let first = try results(mapped, instructionSet, cache: cache)
    let path2 = try #require(try files.first)
    #expect(first.outcome == .written(path: path2))
    // From the array and from the mapped file: the contents count.
    let second = try results(graph, instructionSet, cache: cache)
    #expect(second.outcome == .read(path: path2))
    #expect(first.bytes == expected.bytes && second.bytes == expected.bytes)
    #expect(try files == [path2])
  }

  @Test func `another graph or instruction set has another file`() throws {
    var graphs = [graph(), graph(rows: 4), graph(seed: 2), graph(), graph()]
    graphs[3].operators[0].kind = .fullyConnected(.none, keepsDimensions: false)
    graphs[4].tensors[3].data?[17] ^= 1
    let sets = InstructionSet.available
    for graph in graphs {
      let expected = try results(graph, cache: nil).bytes
      let first = try results(graph, cache: cache)
      #expect(first.bytes == expected)
      guard case .written = first.outcome else {
        Issue.record("\(first.outcome)")
        return
      }
    }
    for set in sets where set != .best { _ = try results(graphs[0], set, cache: cache) }
    #expect(try files.count == graphs.count + sets.count - 1)
  }

  @Test func `a small network is packed each time`() throws {
    var cache = cache
    cache.leastByteCount = 4 * (90 * 70 + 33 * 90 + 33) + 1
    #expect(try results(graph(), cache: cache).outcome == .unused)
    #expect(!FileManager.default.fileExists(atPath: folder))
    cache.leastByteCount -= 1
    #expect(try results(graph(), cache: cache).outcome != .unused)
  }

  // MARK: Damage

  /// Every damaged form of a file is replaced by a valid one, and never used.
  @Test func `a truncated or altered file is not used`() throws {
    let graph = graph()
    let expected = try results(graph, cache: cache).bytes
    let path = try #require(try files.first)
    let whole = Array(try Data(contentsOf: URL(filePath: path)))
    var damaged: [[UInt8]] = [[], Array(repeating: 0, count: whole.count), whole + [0]]
    for count in [1, 47, 48, 63, 64, 100, whole.count / 2, whole.count - 64, whole.count - 1] {
      damaged.append(Array(whole[..<count]))
    }
    // Every field of the header, every item, and places in both buffers.
    for place in Array(0..<96) + stride(from: 192, to: whole.count, by: 997) {
      var bytes = whole
      bytes[place] ^= 0x41
      damaged.append(bytes)
    }
    for (index, bytes) in damaged.enumerated() {
      try OutputFile.write(bytes, to: path)
      let again = try results(graph, cache: cache)
      #expect(again.outcome == .written(path: path), "\(index)")
      #expect(again.bytes == expected)
      #expect(try results(graph, cache: cache).outcome == .read(path: path))
    }
    #expect(Array(try Data(contentsOf: URL(filePath: path))) == whole)
  }

  @Test func `a file that others may write to is not used`() throws {
    let graph = graph()
    _ = try results(graph, cache: cache)
    let path = try #require(try files.first)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
    chmod(path, 0o622)
    #expect(try results(graph, cache: cache).outcome == .written(path: path))
    #expect(try results(graph, cache: cache).outcome == .read(path: path))
  }

  @Test func `a file of another graph under this name is not used`() throws {
    let (one, other) = (graph(), graph(seed: 2))
    _ = try results(one, cache: cache)
    let path = try #require(try files.first)
    let bytes = Array(try Data(contentsOf: URL(filePath: path)))
    let expected = try results(other, cache: cache).bytes
    let second = try #require(try files.first { $0 != path })
    try OutputFile.write(bytes, to: second)
    let again = try results(other, cache: cache)
    #expect(again.outcome == .written(path: second))
    #expect(again.bytes == expected)
  }

  // MARK: The folder

  @Test func `a folder that cannot be written to is no failure`() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try OutputFile.write([1], to: folder + "/file")
    var cache = cache
    cache.folder = folder + "/file/weights"
    let graph = graph()
    let (bytes, outcome) = try results(graph, cache: cache)
    #expect(
      outcome
        == .notWritten(
          reason: "\(cache.folder): cannot be written: Not a directory; choose another place"))
    #expect(try bytes == results(graph, cache: nil).bytes)
  }

  @Test func `a folder of a size limit keeps the files that were used last`() throws {
    let (first, second, third) = (graph(seed: 1), graph(seed: 2), graph(seed: 3))
    var cache = cache
    func path(_ graph: Graph) throws -> String {
      switch try results(graph, cache: cache).outcome {
      case .written(let path), .read(let path): return path
      case let outcome:
        Issue.record("\(outcome)")
        return ""
      }
    }
    let one = try path(first)
    let size = try FileManager.default.attributesOfItem(atPath: one)[.size] as? Int ?? 0
    cache.byteLimit = 2 * size
    let two = try path(second)
    // The first is used after the second was written.
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSinceNow: -60)], ofItemAtPath: two)
    #expect(try path(first) == one)
    let three = try path(third)
    #expect(try files == [one, three].sorted())
    cache.byteLimit = size - 1
    let outcome = try results(second, cache: cache).outcome
    #expect(
      outcome == .notWritten(reason: "0 MiB are more than the cache's limit of 0 MiB"))
  }

  @Test func `threads may use one folder at once`() async throws {
    let graph = graph()
    let expected = try results(graph, cache: nil).bytes
    let cache = cache
    let same = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<16 {
        group.addTask { try self.results(graph, cache: cache).bytes == expected }
      }
      return try await group.reduce(true) { $0 && $1 }
    }
    #expect(same)
    let path = try #require(try files.first)
    #expect(try files == [path])
    #expect(try results(graph, cache: cache).outcome == .read(path: path))
  }

  @Test func `weights of a model's file that changed meanwhile are not kept`() throws {
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    let path = folder + "/model.tflite"
    try OutputFile.write(try TFLiteFile.write(graph()), to: path)
    let mapped = try TFLiteFile.read(try #require(try MappedFile(path)))
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: [0])
    let (_, outcome) = try results(mapped, cache: cache)
    #expect(
      outcome == .notWritten(reason: "the model's file has changed while it was read"))
    #expect(try files == [path])
  }
}
