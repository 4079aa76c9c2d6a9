public import QDEngine
public import QDKernels

/// A comparison of two graphs on the same inputs.
public struct Comparison: Sendable {
  /// By output, in the first graph's order.
  public private(set) var outputs: [(name: String, deviation: Deviation)] = []

  /// Runs both on the samples in order, with continuous states.
  ///
  /// - Throws: if an output of the first is not one of the second.
  public init(
    _ first: Graph, _ second: Graph, samples: [Sample], states: [StatePair] = [],
    instructionSets: (InstructionSet, InstructionSet) = (.best, .best)
  ) throws(QuantizerError) {
    try second.requireInputs(of: first)
    let a = try ObservedNetwork(first, states: states, instructionSet: instructionSets.0)
    let b = try ObservedNetwork(second, states: states, instructionSet: instructionSets.1)
    let stated = Set(states.map(\.output))
    let names = first.outputs.map { first.tensors[$0].name }.filter { !stated.contains($0) }
    outputs = names.map { ($0, Deviation()) }
    for sample in samples {
      let (wanted, found) = (try a.run(sample), try b.run(sample))
      for (index, name) in names.enumerated() {
        guard let wanted = wanted[name], let found = found[name], wanted.count == found.count
        else { throw .noLayer(graph: second.name, tensor: name) }
        outputs[index].deviation.add(found, expected: wanted)
      }
    }
  }

  /// The minimum signal-to-noise ratio of an output, in dB.
  public var worst: Double { outputs.map(\.deviation.signalToNoise).min() ?? .infinity }
}

extension Graph {
  /// Fails if an input of another form of this network is missing here or has another size.
  func requireInputs(of original: Graph) throws(QuantizerError) {
    for index in original.callerInputs {
      let input = original.tensors[index]
      let own = callerInputs.map { tensors[$0] }.first { $0.name == input.name }
      guard own?.count == input.count else {
        throw .otherInputs(
          graph: name, original: original.name, input: input.name, shape: input.shape)
      }
    }
  }

  /// Bytes of constants by element type.
  public var constantBytes: [ElementType: Int] {
    tensors.reduce(into: [:]) { sums, tensor in
      if let data = tensor.data { sums[tensor.type, default: 0] += data.count }
    }
  }
}
