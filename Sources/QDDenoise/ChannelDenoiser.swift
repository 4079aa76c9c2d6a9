public import QDKernels
internal import QDSignal

/// Denoises one channel of a recording, at any sample rate, in calls of any number of samples.
///
/// The output has as many samples as the input. Other rates than the model's are converted in both
/// directions at the best quality. The delay is compensated unless the caller keeps it. Not for the
/// audio path: it allocates.
public struct ChannelDenoiser: ~Copyable {
  /// Whether a sample rate can be converted to the model's.
  public static func supports(sampleRate: Int, model: Model) -> Bool {
    sampleRate > 0
      && RateConverter.supports(ratio: Double(model.sampleRate) / Double(sampleRate))
  }

  private var denoiser: Denoiser
  private let ratio: Double
  private var toModel: RateConverter
  private var fromModel: RateConverter
  /// Input that the first converter has not consumed, input of the model, output of the model.
  private var arrived: [Float] = []
  private var noisy: [Float] = []
  private var clean: [Float] = []
  private var hopOutput: [Float]
  private let givesSpeech: Bool
  private var speech: [Float] = []
  /// Samples at the model's rate that remain to be dropped from the output.
  private var excess: Int
  private var taken = 0
  private var given = 0

  /// - Parameters:
  ///   - lowCut: whether rumble below the voice is removed.
  ///   - keepsDelay: whether the output has the delay of a live stream.
  public init(
    _ model: Model, sampleRate: Int, mode: Mode = .standard, strength: Float? = nil,
    lowCut: Bool = true, keepsDelay: Bool = false, instructionSet: InstructionSet = .best
  ) throws(DenoiseError) {
    precondition(ChannelDenoiser.supports(sampleRate: sampleRate, model: model))
    // Sound at the rate of the network needs no decimation.
    let model = sampleRate == model.networkRate ? model.undecimated() : model
    denoiser = try Denoiser(
      model, mode: mode, strength: strength, lowCut: lowCut, instructionSet: instructionSet)
    ratio = Double(model.sampleRate) / Double(sampleRate)
    toModel = RateConverter(.best)
    fromModel = RateConverter(.best)
    givesSpeech = model.givesSpeech
    hopOutput = [Float](repeating: 0, count: model.hop)
    excess = keepsDelay ? 0 : model.latency
  }

  /// Takes samples and appends what is ready to `output`.
  public mutating func process(_ samples: some Collection<Float>, into output: inout [Float]) {
    taken += samples.count
    arrived.append(contentsOf: samples)
    run(isLast: false, into: &output)
  }

  /// Appends the rest to `output`, so that it has as many samples as the input. The last call.
  public mutating func finish(into output: inout [Float]) {
    run(isLast: true, into: &output)
    output.append(contentsOf: repeatElement(0, count: taken - given))
    given = taken
  }

  /// The probabilities of speech since the last call, one for each hop of the input at the model's
  /// rate and for those that `finish` adds; none if the network has no such output.
  public mutating func takeSpeech() -> [Float] {
    defer { speech.removeAll(keepingCapacity: true) }
    return speech
  }

  private mutating func run(isLast: Bool, into output: inout [Float]) {
    ChannelDenoiser.convert(&arrived, with: &toModel, ratio: ratio, isLast: isLast, into: &noisy)
    if isLast {
      // The last samples need their hop, the delay, and another hop for the converter's filter to
      // see beyond the end.
      noisy.append(
        contentsOf: repeatElement(0, count: excess + 3 * denoiser.hop + denoiser.latency))
    }
    denoiseHops()
    var converted: [Float] = []
    ChannelDenoiser.convert(
      &clean, with: &fromModel, ratio: 1 / ratio, isLast: isLast, into: &converted)
    let wanted = min(converted.count, taken - given)
    output.append(contentsOf: converted.prefix(wanted))
    given += wanted
  }

  private mutating func denoiseHops() {
    let hop = denoiser.hop
    var start = 0
    while noisy.count - start >= hop {
      unsafe noisy.withUnsafeBufferPointer { input in
        unsafe hopOutput.withUnsafeMutableBufferPointer {
          unsafe denoiser.process(input.baseAddress! + start, $0.baseAddress!)
        }
      }
      start += hop
      if givesSpeech { speech.append(denoiser.levels.speech ?? .nan) }
      let dropped = min(excess, hop)
      excess -= dropped
      clean.append(contentsOf: hopOutput.dropFirst(dropped))
    }
    noisy.removeFirst(start)
  }

  /// Moves `samples` into `output` at another rate; samples that the converter did not consume
  /// stay.
  private static func convert(
    _ samples: inout [Float], with converter: inout RateConverter, ratio: Double, isLast: Bool,
    into output: inout [Float]
  ) {
    guard ratio != 1 else {
      output.append(contentsOf: samples)
      samples.removeAll()
      return
    }
    var piece = [Float](repeating: 0, count: 4096)
    var used = 0
    while true {
      let progress = unsafe samples.withUnsafeBufferPointer { input in
        unsafe piece.withUnsafeMutableBufferPointer {
          unsafe converter.convert(
            UnsafeBufferPointer(rebasing: input[used...]), into: $0, ratio: ratio, isLast: isLast)
        }
      }
      used += progress.used
      output.append(contentsOf: piece.prefix(progress.made))
      if progress.used == 0 && progress.made == 0 { break }
    }
    samples.removeFirst(used)
  }
}
