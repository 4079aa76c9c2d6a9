public import Engine
internal import Kernels

/// The ranges of a float network's activations on representative data, by tensor.
///
/// int16 activations get twice the range that was seen: they have steps enough, and what lies
/// outside would be lost.
///
/// - Parameters:
///   - samples: in order; states go on from one to the next.
///   - method: where left out, the one that loses least in cross-validation: on each quarter of the
///     samples, with ranges from the others. Which one that is depends on the network, and on how
///     much of what there is the samples show.
///   - progress: is told which part is done, 0 to 1.
public func calibrate(
  _ graph: CanonicalGraph, on samples: [Sample], states: [StatePair] = [],
  method: Calibrator.Method? = nil, settings: IntegerSettings = IntegerSettings(),
  progress: (Double) -> Void = { _ in }
) throws(QuantizerError) -> [Int: ClosedRange<Float>] {
  let isInt16 = settings.activations == .int16
  let isSymmetric = settings.activations == .symmetric
  let isTried = method == nil && !isInt16 && samples.count >= partCount
  let parts = isTried ? partCount : 1
  let calibrator = try Calibrator(graph.graph, states: states, parts: parts)
  for (index, sample) in samples.enumerated() {
    progress(Double(index) / Double(samples.count) / Double(parts))
    try calibrator.observe(sample, part: index * parts / samples.count)
  }
  if isInt16 {
    return try calibrator.ranges(.minmax).mapValues { 2 * $0.lowerBound...2 * $0.upperBound }
  }
  var best = (method: method ?? .smooth, quality: -Double.infinity)
  for (place, candidate) in Calibrator.Method.allCases.enumerated() where isTried {
    var deviations: [Deviation] = []
    for part in 0..<parts {
      progress((1 + Double(place * parts + part) / 4) / Double(parts))
      let ranges = try calibrator.ranges(candidate, isSymmetric: isSymmetric, without: part)
      let held = samples.indices.filter { $0 * parts / samples.count == part }
      let comparison = try Comparison(
        graph.graph, try quantize(graph, ranges: ranges, states: states, settings: settings),
        samples: held.prefix(mostHeldSamples).map { samples[$0] }, states: states,
        instructionSets: (.reproducible, .reproducible))
      if part == 0 { deviations = comparison.outputs.map { _ in Deviation() } }
      for (index, output) in comparison.outputs.enumerated() {
        deviations[index].add(output.deviation)
      }
    }
    let quality = deviations.map(\.signalToNoise).min() ?? .infinity
    if quality > best.quality { best = (candidate, quality) }
  }
  return try calibrator.ranges(best.method, isSymmetric: isSymmetric)
}

private let partCount = 4
/// Of a part; more say no more about which method is best.
private let mostHeldSamples = 64
