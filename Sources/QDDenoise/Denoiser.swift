internal import QDEngine
public import QDKernels
internal import QDMemory
import QDSignal
import QDMessages

/// Removes noise from a stream, one hop in and one hop out.
///
/// The output is the input `latency` samples later, with the noise attenuated as the mode says. NaN
/// and infinite samples count as silence and samples beyond ±16 are clipped, so that they cannot
/// corrupt the states; the output is not clipped. Digital silence stays digital silence. `process`
/// and `set` allocate nothing. Thread: audio.
@safe public struct Denoiser: ~Copyable, @unchecked Sendable {
  /// The processing of a hop.
  public enum Path: Sendable {
    /// Through the network.
    case network
    /// By an energy gate: for machines that are too slow for a network.
    case gate
    /// Without denoising, for hops that come late. Mute stays mute.
    case dry
  }

  /// Levels of the latest hop, as mean squares.
  public struct Levels: Sendable {
    public var input: Float = 0
    public var output: Float = 0
    /// The probability that the hop contains speech, 0 to 1; nil if the network has no such output
    /// or did not run.
    public var speech: Float?
    /// Whether the hop is a pause: by the probability of speech, else by an energy gate.
    public var isPause = true
  }

  /// How a denoiser replaces another one; `Crossover` does it.
  public enum Entrance: Sendable {
    /// After it has run for a while without being heard.
    case warm
    /// As soon as possible, because the other one's network overloads the machine.
    case atOnce
  }

  /// Samples of a hop.
  public let hop: Int
  /// Delay of the output in samples, counted from the end of the hop.
  public let latency: Int
  /// Samples a second.
  public let sampleRate: Int
  public private(set) var mode: Mode
  /// The limit of attenuation that overrides the mode's, in dB.
  public private(set) var strength: Float?
  /// Whether rumble below the voice is removed; never in bypass.
  /// A change cross-fades like one of the mode.
  public var hasLowCut: Bool
  public private(set) var levels = Levels()
  /// Hops in which the network output a NaN; it was reset and the hop is silent.
  public private(set) var faults = 0

  public var entrance = Entrance.warm
  /// An identifier for the owner.
  public var tag = 0

  private let filter: SpectralFilter
  private let lowCut: LowCut
  private var mix: Mix
  private var network: Network
  private let ports: Ports
  private var front: FrontEnd
  /// Hops until the network's output refers to a hop that existed.
  private var hopsAhead: Int
  /// The spectrum output of the network.
  private var given: Given?
  /// The spectra after the gains, if the filter runs over them.
  private var masked: SpectrumHistory?
  private var synthesis: Synthesis
  /// Adds the band above the network's.
  private var join: BandJoin?
  /// Whether its gain follows the network, and the gain of the latest hop.
  private let aboveFollows: Bool
  private var aboveGain: Float = 0
  private let bins: Int
  private var gate: EnergyGate
  private var voice: VoiceActivity
  private var clean: AlignedBuffer<Float>
  /// The denoised hop at the network's rate, if that is another one.
  private var lower: AlignedBuffer<Float>
  private var denoised: AlignedBuffer<Float>

  /// The buffers of the network's inputs and outputs; valid while it lives.
  @unsafe private struct Ports {
    var features: FrontEnd.Ports
    /// Nil if the network outputs a spectrum.
    var filter: UnsafePointer<Float>?
    var gains: UnsafePointer<Float>?
    var spectrum: UnsafePointer<Float>?
    /// Nil if the network has no probability of speech.
    var speech: UnsafePointer<Float>?
  }

  private struct Given: Sendable {
    var bins: Int
    var scale: Float
  }

  /// Louder input is clipped, 24 dB above full scale.
  private static let loudest: Float = 16

  public init(
    _ model: Model, mode: Mode = .standard, strength: Float? = nil, lowCut hasLowCut: Bool = true,
    instructionSet: InstructionSet = .best
  ) throws(DenoiseError) {
    let network = try Denoiser.compile(model, instructionSet)
    let ports = try unsafe Denoiser.ports(of: network, model)
    hop = model.hop
    latency = model.latency
    sampleRate = model.sampleRate
    let taps = model.frontEnd.taps
    filter = SpectralFilter(
      ages: taps?.ages ?? [], bins: taps?.bins ?? 0, lookAhead: model.lookAhead)
    if let spectrum = model.frontEnd.spectrum {
      given = Given(bins: spectrum.bins, scale: 1 / model.frontEnd.scale)
    }
    hopsAhead = model.lookAhead
    self.mode = mode
    self.strength = strength
    self.hasLowCut = hasLowCut
    lowCut = LowCut(bins: model.bins, sampleRate: model.networkRate)
    mix = Mix(mode, strength: strength)
    self.network = network
    unsafe self.ports = ports
    front = FrontEnd(model, depth: filter.depth, instructionSet: instructionSet)
    if taps?.source == .masked {
      masked = SpectrumHistory(bins: model.bins, depth: filter.depth)
    }
    synthesis = Synthesis(
      hop: model.networkHop, hops: model.networkWindow / model.networkHop,
      window: model.frontEnd.window, instructionSet: instructionSet)
    if let decimation = model.frontEnd.decimation {
      join = BandJoin(
        DecimationFilter(factor: decimation.factor, delay: decimation.delay), hop: model.hop,
        latency: model.latency - model.decimationDelay)
    }
    aboveFollows = model.frontEnd.decimation?.above == .follows
    bins = model.bins
    gate = EnergyGate(hopSeconds: model.hopSeconds)
    voice = VoiceActivity(hopSeconds: model.hopSeconds)
    clean = AlignedBuffer(count: model.hop)
    lower = AlignedBuffer(count: model.frontEnd.decimation == nil ? 0 : model.networkHop)
    denoised = AlignedBuffer(count: 2 * model.bins)
  }

  /// Changes the attenuation. The next hop cross-fades from the old to the new.
  /// - Parameter strength: the limit in dB that overrides the mode's; nil for the mode's own.
  public mutating func set(mode: Mode, strength: Float? = nil) {
    self.mode = mode
    self.strength = strength
    mix = Mix(mode, strength: strength)
  }

  /// Denoises one hop; `input` may be `output`.
  public mutating func process(
    _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>
  ) {
    unsafe process(input, output, path: .network)
  }

  /// Processes one hop along a path. A change of path cross-fades over one hop.
  public mutating func process(
    _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, path: Path
  ) {
    let floatMode = Denormals.flush()
    defer { Denormals.restore(floatMode) }
    let samples = unsafe clean.pointer
    unsafe SignalKernels.sanitize(input, count: hop, limit: Denoiser.loudest, into: samples)
    levels.input = unsafe SignalKernels.meanSquare(samples, count: hop)
    gate.update(meanSquare: levels.input)
    levels.isPause = !gate.isOpen
    levels.speech = nil
    unsafe front.push(samples)
    switch path {
    case .network:
      runNetwork()
      cutLow()
    case .gate:
      scale(by: mix.wet * gate.gain + mix.dry)
      cutLow()
    case .dry: scale(by: mix.wet + mix.dry)
    }
    hopsAhead = max(0, hopsAhead - 1)
    unsafe synthesize(into: output)
    levels.output = unsafe SignalKernels.meanSquare(output, count: hop)
    if !levels.output.isFinite { unsafe recover(output) }
  }

  /// Clears all states.
  public mutating func reset() {
    network.reset()
    front.reset()
    masked?.reset()
    hopsAhead = filter.lookAhead
    synthesis.reset()
    join?.reset()
    gate.reset()
    voice.reset()
    levels = Levels()
  }

  private static func compile(
    _ model: Model, _ instructionSet: InstructionSet
  ) throws(DenoiseError) -> Network {
    do {
      return try Network(
        model.graph, states: model.states, instructionSet: instructionSet)
    } catch {
      throw .engine(model: model.name, problem: UserMessage(describing: error))
    }
  }

  @unsafe private static func ports(
    of network: borrowing Network, _ model: Model
  ) throws(DenoiseError) -> Ports {
    func output(_ name: String?) throws -> UnsafePointer<Float>? {
      guard let name else { return nil }
      return unsafe UnsafePointer(try network.output(named: name).baseAddress!)
    }
    do {
      var features = unsafe FrontEnd.Ports()
      for input in model.frontEnd.inputs {
        unsafe features[input.feature] = try network.input(named: input.name).baseAddress!
      }
      return unsafe Ports(
        features: features,
        filter: try output(model.frontEnd.taps?.name),
        gains: try output(model.frontEnd.gains),
        spectrum: try output(model.frontEnd.spectrum?.name),
        speech: model.givesSpeech ? try network.output(named: "speech").baseAddress! : nil)
    } catch {
      throw .engine(model: model.name, problem: UserMessage(describing: error))
    }
  }

  private mutating func runNetwork() {
    let y = unsafe denoised.pointer
    unsafe front.computeFeatures(into: ports.features)
    // Outputs of a network with look-ahead that refer to the time before the first hop.
    if hopsAhead > 0 {
      unsafe y.update(repeating: 0, count: 2 * bins)
      aboveGain = 0
      return
    }
    network.run()
    hearSpeech()
    if masked != nil {
      unsafe filterMasked(into: y)
    } else if let given, let spectrum = unsafe ports.spectrum {
      unsafe take(spectrum, given, into: y)
    } else if let taps = unsafe ports.filter, let gains = unsafe ports.gains {
      unsafe filter.apply(
        filter: taps, gains: gains, to: front.history, bands: front.bands, into: y)
    }
    let x = unsafe front.history.pointer(age: filter.lookAhead)
    if join != nil {
      let gain = unsafe aboveFollows ? upperGain(of: y, over: x, bins: bins) : 0
      aboveGain = mix.wet * gain + mix.dry
    }
    unsafe SignalKernels.mix(y, by: mix.wet, with: x, by: mix.dry, count: 2 * bins)
  }

  /// The spectrum that the network outputs.
  private func take(
    _ spectrum: UnsafePointer<Float>, _ given: Given, into y: UnsafeMutablePointer<Float>
  ) {
    for index in 0..<2 * given.bins { unsafe y[index] = spectrum[index] * given.scale }
    unsafe (y + 2 * given.bins).update(repeating: 0, count: 2 * (bins - given.bins))
  }

  /// The gains first, then the filter over their result.
  private mutating func filterMasked(into y: UnsafeMutablePointer<Float>) {
    guard masked != nil, let taps = unsafe ports.filter, let gains = unsafe ports.gains else {
      return
    }
    masked!.advance()
    unsafe front.bands.apply(
      gains: gains, to: front.history.pointer(age: 0), into: masked!.pointer(age: 0))
    unsafe y.update(from: masked!.pointer(age: 0), count: 2 * bins)
    unsafe filter.apply(filter: taps, to: masked!, bands: front.bands, into: y)
  }

  private mutating func cutLow() {
    if hasLowCut && mix.wet > 0 { unsafe lowCut.apply(to: denoised.pointer) }
  }

  /// Takes the network's probability of speech, if it has one and it is no NaN.
  private mutating func hearSpeech() {
    guard let probability = unsafe ports.speech?.pointee else { return }
    levels.speech = probability.isNaN ? nil : min(max(probability, 0), 1)
    voice.update(probability: levels.speech)
    if levels.speech != nil { levels.isPause = !voice.isActive }
  }

  /// The noisy spectrum times a factor.
  private mutating func scale(by factor: Float) {
    aboveGain = factor
    let count = 2 * bins
    let y = unsafe denoised.pointer
    unsafe y.update(from: front.history.pointer(age: filter.lookAhead), count: count)
    unsafe SignalKernels.mix(y, by: factor, with: y, by: 0, count: count)
  }

  /// Synthesizes the hop that the newest spectrum completes.
  private mutating func synthesize(into output: UnsafeMutablePointer<Float>) {
    guard join != nil else {
      unsafe synthesis.push(denoised.pointer, into: output)
      return
    }
    unsafe synthesis.push(denoised.pointer, into: lower.pointer)
    unsafe join!.process(
      lower.pointer, decimated: front.decimated.pointer, input: clean.pointer, gain: aboveGain,
      into: output)
  }

  private mutating func recover(_ output: UnsafeMutablePointer<Float>) {
    faults += 1
    network.reset()
    synthesis.reset()
    join?.reset()
    unsafe output.update(repeating: 0, count: hop)
    levels.output = 0
  }
}
