import QDEngine
import FoundationEssentials
import QDKernels

/// A benchmark's results as text and JSON.
struct BenchReport: Encodable {
  var model: String
  var instructionSet: String
  var threads: Int
  var minMicroseconds: Double
  var medianMicroseconds: Double
  var p99Microseconds: Double
  var batches: Int
  var runsPerBatch: Int
  var arenaBytes: Int
  /// From the file to a network that can run.
  var readyMicroseconds: Double
  /// The same to the first result.
  var loadMicroseconds: Double
  /// Where the packed weights came from.
  var weights: String
  /// In the order of the graph, without operators that were fused into others.
  var operators: [Timed]

  struct Timed: Encodable {
    var index: Int
    var name: String
    var output: String
    /// Measured step by step, which costs a few tens of nanoseconds each.
    var microseconds: Double

    enum CodingKeys: String, CodingKey {
      case index, name, output
      case microseconds = "us"
    }
  }

  enum CodingKeys: String, CodingKey {
    case model
    case instructionSet = "instruction_set"
    case threads
    case minMicroseconds = "min_us"
    case medianMicroseconds = "median_us"
    case p99Microseconds = "p99_us"
    case batches
    case runsPerBatch = "runs_per_batch"
    case arenaBytes = "arena_bytes"
    case readyMicroseconds = "ready_us"
    case loadMicroseconds = "load_us"
    case weights
    case operators
  }

  init(
    _ benchmark: Benchmark, _ graph: Graph, _ network: borrowing Network, readySeconds: Double,
    loadSeconds: Double
  ) {
    func rounded(_ value: Double) -> Double { (value * 1000).rounded() / 1000 }
    model = graph.name
    instructionSet = network.instructionSet.rawValue
    threads = network.threads
    minMicroseconds = rounded(benchmark.percentile(0))
    medianMicroseconds = rounded(benchmark.percentile(0.5))
    p99Microseconds = rounded(benchmark.percentile(0.99))
    batches = benchmark.batches.count
    runsPerBatch = benchmark.runsPerBatch
    arenaBytes = network.arenaByteCount
    readyMicroseconds = rounded(readySeconds * 1e6)
    weights = network.cacheOutcome.description
    loadMicroseconds = rounded(loadSeconds * 1e6)
    operators = benchmark.operators.sorted { $0.key < $1.key }.map { index, time in
      let node = graph.operators[index]
      return Timed(
        index: index, name: node.kind.name,
        output: node.outputs.first.map { graph.tensors[$0].name } ?? "",
        microseconds: rounded(time))
    }
  }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  var text: String {
    let all = max(operators.reduce(0) { $0 + $1.microseconds }, 1e-9)
    let lines = [
      "\(model): \(instructionSet), \(threads) "
        + "thread\(threads == 1 ? "" : "s"), arena \(arenaBytes) bytes",
      "ready after \((readyMicroseconds / 100).rounded() / 10) ms; \(weights)",
      "\(minMicroseconds) us at least, \(medianMicroseconds) at the median, \(p99Microseconds) at "
        + "the 99th percentile of \(batches) batches of \(runsPerBatch) runs",
    ]
    return
      (lines
      + operators.map { timed in
        let share = (timed.microseconds / all * 1000).rounded() / 10
        return leftPad("\(timed.microseconds)", to: 10) + " µs" + leftPad("\(share)", to: 6) + " %"
          + leftPad("\(timed.index)", to: 5) + " \(timed.name) '\(timed.output)'"
      }).joined(separator: "\n")
  }
}
