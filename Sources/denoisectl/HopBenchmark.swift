import QDDenoise
import QDEngine
import FoundationEssentials
import QDKernels
import QDMemory
import QDSignal

/// Times of hops through a denoiser, and of its stages, over the same sound.
///
/// The stages are those of `Denoiser.process` in a separate pipeline with a clock reading between
/// them, which costs some 30 ns each. For a front end with other stages than our own networks',
/// only the whole hop is timed.
struct HopBenchmark: Encodable {
  /// Microseconds of one hop.
  struct Times: Encodable {
    var minimum: Double
    var median: Double

    enum CodingKeys: String, CodingKey {
      case minimum = "min_us"
      case median = "median_us"
    }

    init(_ times: [Double]) {
      let sorted = times.sorted()
      minimum = (sorted[0] * 1000).rounded() / 1000
      median = (sorted[sorted.count / 2] * 1000).rounded() / 1000
    }
  }

  var model: String
  var instructionSet: String
  var hopMilliseconds: Double
  var hops: Int
  var whole: Times
  var analysis: Times?
  var features: Times?
  var network: Times?
  var filter: Times?
  var synthesis: Times?

  enum CodingKeys: String, CodingKey {
    case model, hops, whole, analysis, features, network, filter, synthesis
    case instructionSet = "instruction_set"
    case hopMilliseconds = "hop_ms"
  }

  /// Repeats `samples` until `seconds` have passed, in each of two loops.
  init(
    _ model: Model, _ samples: [Float], seconds: Double, instructionSet: InstructionSet
  ) throws {
    var denoiser = try Denoiser(model, mode: .strong, instructionSet: instructionSet)
    var output = [Float](repeating: 0, count: model.hop)
    // During its look-ahead the network does not run.
    for _ in 0...model.lookAhead { unsafe denoiser.process(samples, &output) }
    let wholes = unsafe HopBenchmark.time(1, samples, hop: model.hop, seconds: seconds) {
      input, times in
      let start = clockSeconds()
      unsafe denoiser.process(input, &output)
      times[0].append((clockSeconds() - start) * 1e6)
    }
    self.model = model.name
    self.instructionSet = instructionSet.rawValue
    hopMilliseconds = model.hopSeconds * 1000
    hops = wholes[0].count
    whole = Times(wholes[0])
    guard model.frontEnd.taps?.source == .noisy, model.frontEnd.decimation == nil else { return }
    var stages = try Stages(model, instructionSet)
    let parts = unsafe HopBenchmark.time(5, samples, hop: model.hop, seconds: seconds) {
      input, times in
      unsafe stages.process(input, addingTo: &times)
    }
    analysis = Times(parts[0])
    features = Times(parts[1])
    network = Times(parts[2])
    filter = Times(parts[3])
    synthesis = Times(parts[4])
  }

  private static func time(
    _ stages: Int, _ samples: [Float], hop: Int, seconds: Double,
    _ body: (UnsafePointer<Float>, inout [[Double]]) -> Void
  ) -> [[Double]] {
    var times = [[Double]](repeating: [], count: stages)
    for index in times.indices { times[index].reserveCapacity(Int(seconds * 100_000)) }
    let end = clockSeconds() + seconds
    while clockSeconds() < end {
      unsafe samples.withUnsafeBufferPointer { buffer in
        for start in stride(from: 0, through: samples.count - hop, by: hop) {
          unsafe body(buffer.baseAddress! + start, &times)
        }
      }
    }
    return times
  }

  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(self), as: UTF8.self)
  }

  var text: String {
    let all: [(String, Times?)] = [
      ("analysis", analysis), ("features", features), ("network", network), ("filter", filter),
      ("synthesis", synthesis), ("whole hop", whole),
    ]
    let stages = all.compactMap { name, times in times.map { (name, $0) } }
    let head = "\(model): \(instructionSet), \(hops) hops of \(hopMilliseconds) ms"
    return
      ([head]
      + stages.map { name, times in
        pad(name, to: 12) + leftPad("\(times.minimum)", to: 10) + " µs at least"
          + leftPad("\(times.median)", to: 10) + " at the median"
      }).joined(separator: "\n")
  }
}

/// The stages of `Denoiser`, with the clock read in between.
@safe private struct Stages: ~Copyable {
  private let filter: SpectralFilter
  private var network: Network
  private var front: FrontEnd
  private var synthesis: Synthesis
  private var denoised: AlignedBuffer<Float>
  private var output: AlignedBuffer<Float>
  private let inputs: FrontEnd.Ports
  private let taps: UnsafePointer<Float>
  private let gains: UnsafePointer<Float>

  init(_ model: Model, _ instructionSet: InstructionSet) throws {
    let network = try Network(
      model.graph, states: model.states, instructionSet: instructionSet)
    let description = model.frontEnd
    var inputs = unsafe FrontEnd.Ports()
    for input in description.inputs {
      unsafe inputs[input.feature] = try network.input(named: input.name).baseAddress!
    }
    guard let filtering = description.taps, let masking = description.gains else {
      throw ForeignDenoiserError("\(model.name): it gives spectra, whose stages are not timed")
    }
    let filter = unsafe try network.output(named: filtering.name).baseAddress!
    let factors = unsafe try network.output(named: masking).baseAddress!
    unsafe self.inputs = inputs
    unsafe taps = filter
    unsafe gains = factors
    self.network = network
    self.filter = SpectralFilter(
      ages: filtering.ages, bins: filtering.bins, lookAhead: model.lookAhead)
    front = FrontEnd(model, depth: self.filter.depth, instructionSet: instructionSet)
    synthesis = Synthesis(
      hop: model.hop, window: description.window, instructionSet: instructionSet)
    denoised = AlignedBuffer(count: 2 * (model.hop + 1))
    output = AlignedBuffer(count: model.hop)
  }

  /// Analysis, features, network, filter, synthesis: appends the microseconds of each.
  mutating func process(_ input: UnsafePointer<Float>, addingTo times: inout [[Double]]) {
    let mode = Denormals.flush()
    defer { Denormals.restore(mode) }
    let start = clockSeconds()
    unsafe front.push(input)
    let analysed = clockSeconds()
    unsafe front.computeFeatures(into: inputs)
    let seen = clockSeconds()
    network.run()
    let answered = clockSeconds()
    unsafe filter.apply(
      filter: taps, gains: gains, to: front.history, bands: front.bands, into: denoised.pointer)
    let filtered = clockSeconds()
    unsafe synthesis.push(denoised.pointer, into: output.pointer)
    let end = clockSeconds()
    times[0].append((analysed - start) * 1e6)
    times[1].append((seen - analysed) * 1e6)
    times[2].append((answered - seen) * 1e6)
    times[3].append((filtered - answered) * 1e6)
    times[4].append((end - filtered) * 1e6)
  }
}

/// Seconds of a monotonic clock.
private func clockSeconds() -> Double {
  let now = ContinuousClock.now - clockStart
  return Double(now.components.seconds) + Double(now.components.attoseconds) / 1e18
}

private let clockStart = ContinuousClock.now
