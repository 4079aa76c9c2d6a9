import QDEngine

/// Times of a network: of whole runs, in batches, and of its operators.
struct Benchmark {
  /// Mean microseconds of a run, by batch, ascending.
  private(set) var batches: [Double] = []
  private(set) var runsPerBatch = 1
  /// Minimum microseconds by operator of the graph, over all of its steps.
  private(set) var operators: [Int: Double] = [:]

  static let batchSeconds = 0.1

  init(_ network: inout Network, seconds: Double) {
    let clock = ContinuousClock()
    func time(_ runs: Int) -> Double {
      let duration = clock.measure { for _ in 0..<runs { network.run() } }
      return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    }
    var spent = 0.0
    while spent < seconds || batches.isEmpty {
      let batch = time(runsPerBatch)
      guard batch >= Self.batchSeconds else {
        // Grows the first batches, and again when the machine gets faster.
        let wanted = Double(runsPerBatch) * Self.batchSeconds * 1.05 / max(batch, 1e-9)
        runsPerBatch = max(Int(min(wanted, 20 * Double(runsPerBatch))), runsPerBatch + 1)
        batches = []
        continue
      }
      spent += batch
      batches.append(batch / Double(runsPerBatch) * 1e6)
    }
    batches.sort()
    measureOperators(&network)
  }

  /// A percentile of the batches, in microseconds.
  func percentile(_ share: Double) -> Double {
    batches[min(Int(share * Double(batches.count)), batches.count - 1)]
  }

  private mutating func measureOperators(_ network: inout Network) {
    let none = Array(repeating: 0.0, count: network.stepOperators.count)
    var least = none.map { _ in Double.infinity }
    for _ in 0..<runsPerBatch {
      var seconds = none
      network.run(addingSecondsTo: &seconds)
      for step in least.indices { least[step] = min(least[step], seconds[step]) }
    }
    for (step, seconds) in least.enumerated() {
      operators[network.stepOperators[step], default: 0] += seconds * 1e6
    }
  }
}
