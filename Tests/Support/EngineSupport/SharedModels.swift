import QDEngine
import QDKernels
import QDTFLite

/// One loaded model on several threads, each with a network of its own.
public enum SharedModels {
  public static let names = [
    "denoisers/streaming_int8", "recurrent/gru_int8", "operators/conv_3x3_int8",
    "networks/net_mobile_int8",
  ]

  /// What each of four threads computes, by output, after 20 runs. Every second one shares all steps
  /// with a worker.
  public static func results(_ name: String) async throws -> [[[UInt8]]] {
    let graph = try TFLiteFile.read(try ModelFixture.bytes(name), name: name)
    let states = streamingStates(graph)
    return try await withThrowingTaskGroup(of: [[UInt8]].self) { group in
      for index in 0..<4 {
        group.addTask {
          var network = try Network(
            graph, states: states, instructionSet: .best, threads: 1 + index % 2,
            leastSharedWork: 0)
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
  }
}
