import Engine
import TFLite
import Testing

/// A loaded model may be shared by threads, a network belongs to one at a time; `make test-threads`
/// runs this under ThreadSanitizer.
struct SharedModelTests {
  @Test(arguments: ["streaming_int8", "gru_int8", "conv_3x3_int8", "net_mobile_int8"])
  func `threads share a model, each with a network of its own`(name: String) async throws {
    let graph = try TFLiteFile.read(try HostileModelTests.bytes(name), name: name)
    let states = streamingStates(graph)
    let results = try await withThrowingTaskGroup(of: [[UInt8]].self) { group in
      for _ in 0..<4 {
        group.addTask {
          var network = try Network(graph, states: states)
          for _ in 0..<20 { network.run() }
          return try graph.outputs.map { graph.tensors[$0].name }
            .filter { name in !states.contains { $0.output == name } }
            .map { Array(try network.outputBytes(named: $0)) }
        }
      }
      var results: [[[UInt8]]] = []
      for try await result in group { results.append(result) }
      return results
    }
    #expect(results.count == 4)
    #expect(results.allSatisfy { $0 == results[0] })
    #expect(results[0].contains { $0.contains { $0 != 0 } })
  }
}
