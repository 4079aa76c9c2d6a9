public import QDEngine
internal import QDKernels

/// Observes the values of a float network while it runs on representative data.
public final class Calibrator {
  /// How a range follows from the observed values.
  public enum Method: String, CaseIterable, Sendable {
    /// The range with the minimum mean squared error of quantization.
    case mse
    /// The same on a smoothed histogram, which also expects values near the observed ones.
    case smooth
    /// The observed range.
    case minmax
  }

  private let graph: Graph
  private var network: Network
  /// By part of the samples, and by tensor.
  private var histograms: [[Int: Histogram]]
  private let inputs: [(name: String, place: String, count: Int)]
  private let states: [(input: String, output: String)]
  public private(set) var sampleCount = 0

  /// - Parameters:
  ///   - states: fed back from run to run, so that their values are observed as well.
  ///   - parts: the number of parts of the samples; `ranges` can leave out any of them.
  public init(
    _ graph: Graph, states: [StatePair] = [], parts: Int = 1
  ) throws(QuantizerError) {
    self.graph = graph
    // The output of a shift register has the range of its rows, and is large.
    let moves = Set(graph.stateMoves(states))
    let computed = graph.operators.indices.filter { !moves.contains($0) }
      .flatMap { graph.operators[$0].outputs }.filter { graph.tensors[$0].type == .float32 }
    var observed = graph
    observed.metadata = [:]
    observed.signatures = []
    observed.variables = []
    let stateOutputs = graph.outputs.filter { index in
      states.contains { $0.output == graph.tensors[index].name }
    }
    observed.outputs = Array(Set(computed + stateOutputs)).sorted()
    // Names need not be unique; indices are.
    for index in observed.tensors.indices { observed.tensors[index].name = "\(index)" }
    var seen: [Int: Histogram] = [:]
    let stateInputs = Set(states.map(\.input))
    for index in computed { seen[index] = Histogram() }
    for index in graph.inputs where !stateInputs.contains(graph.tensors[index].name) {
      seen[index] = Histogram()
    }
    histograms = Array(repeating: seen, count: parts)
    func index(_ name: String, among indices: [Int]) throws(QuantizerError) -> Int {
      guard let found = indices.first(where: { graph.tensors[$0].name == name }) else {
        throw .noLayer(graph: graph.name, tensor: name)
      }
      return found
    }
    var pairs: [(input: String, output: String)] = []
    for state in states {
      pairs.append(
        (
          "\(try index(state.input, among: graph.inputs))",
          "\(try index(state.output, among: graph.outputs))"
        ))
    }
    self.states = pairs
    let stated = Set(states.map(\.input))
    inputs = graph.inputs.filter { !stated.contains(graph.tensors[$0].name) }
      .map { (graph.tensors[$0].name, "\($0)", graph.tensors[$0].count ?? 0) }
    // The same sums, and so the same file, on every machine.
    do { network = try Network(observed, instructionSet: .reproducible) } catch {
      throw .engine(error.description)
    }
  }

  /// Runs once more; states continue from the run before.
  /// - Parameter part: the part to which the sample belongs.
  public func observe(_ sample: Sample, part: Int = 0) throws(QuantizerError) {
    do {
      for (name, place, count) in inputs {
        guard let values = sample[name], values.count == count else {
          throw QuantizerError.wrongSample(
            input: name, count: sample[name]?.count ?? 0, expected: count)
        }
        guard values.allSatisfy(\.isFinite) else {
          throw QuantizerError.notFiniteValues(graph: graph.name, tensor: name)
        }
        let buffer = unsafe try network.input(named: place)
        for (index, value) in values.enumerated() { unsafe buffer[index] = value }
      }
      network.run()
      for index in graph.inputs where histograms[part][index] != nil {
        let values = unsafe try network.input(named: "\(index)")
        unsafe histograms[part][index]?.add(UnsafeBufferPointer(values))
      }
      for index in histograms[part].keys where !graph.inputs.contains(index) {
        unsafe histograms[part][index]?.add(try network.output(named: "\(index)"))
      }
      for (input, output) in states {
        let values = unsafe try network.output(named: output)
        let memory = unsafe try network.input(named: input)
        for index in 0..<values.count { unsafe memory[index] = values[index] }
      }
      sampleCount += 1
    } catch let error as QuantizerError {
      throw error
    } catch {
      throw .engine("\(error)")
    }
  }

  /// The range of every observed activation, by tensor.
  /// - Parameter leftOut: the part of the samples that does not count.
  public func ranges(
    _ method: Method, isSymmetric: Bool = false, without leftOut: Int? = nil
  ) throws(QuantizerError) -> [Int: ClosedRange<Float>] {
    var result: [Int: ClosedRange<Float>] = [:]
    for index in histograms[0].keys {
      var histogram = Histogram()
      for part in histograms.indices where part != leftOut {
        if let seen = histograms[part][index] { histogram.add(seen) }
      }
      guard histogram.isFinite else {
        throw .notFiniteValues(graph: graph.name, tensor: graph.tensors[index].name)
      }
      result[index] =
        switch method {
        case .minmax: histogram.lower...histogram.upper
        case .mse, .smooth:
          histogram.leastErrorRange(isSymmetric: isSymmetric, isSmooth: method == .smooth)
        }
    }
    return result
  }
}
