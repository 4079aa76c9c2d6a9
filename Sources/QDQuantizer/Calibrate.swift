public import QDEngine
internal import QDKernels

/// The ranges of a float network's activations on representative data, by tensor.
///
/// int16 activations get twice the observed range: they have enough steps, and values outside would
/// be clipped.
///
/// - Parameters:
///   - samples: in order; states continue from one to the next.
///   - method: by default the one with the smallest loss in cross-validation: on each quarter of
///     the samples, with ranges from the others. It depends on the network, and on how
///     representative the samples are.
///   - progress: called with the finished share, 0 to 1.
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
/// The maximum of each part; more samples do not improve the choice of the method.
private let mostHeldSamples = 64
