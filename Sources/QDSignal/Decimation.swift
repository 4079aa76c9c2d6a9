import Glibc
internal import QDKernels
internal import QDMemory

/// A linear-phase low-pass between a sample rate and a fraction of it, in both directions.
///
/// A sinc with a Kaiser window: its transition band is from 0.9125 to 1 of the lower rate's Nyquist
/// frequency, its stopband attenuation follows from its length (Kaiser, 1974).
public struct DecimationFilter: Sendable {
  /// The higher rate over the lower one.
  public let factor: Int
  /// Samples of the higher rate by which each direction delays.
  public let delay: Int
  /// Coefficient `factor` i + p is element i of phase p, padded with zeros.
  fileprivate let phases: [[Float]]

  fileprivate var taps: Int { phases[0].count }

  public init(factor: Int, delay: Int) {
    self.factor = factor
    self.delay = delay
    let nyquist = 1 / (2 * Double(factor)), edge = 0.9125
    let attenuation = 8 + 2.285 * 2 * .pi * (1 - edge) * nyquist * Double(2 * delay)
    let beta = DecimationFilter.shape(attenuation)
    let cutoff = (1 + edge) / 2 * nyquist
    var values = (-delay...delay).map { index in
      let x = 2 * cutoff * Double(index)
      let sinc = index == 0 ? 1 : sin(.pi * x) / (.pi * x)
      let place = Double(index) / Double(delay)
      return sinc * DecimationFilter.bessel(beta * (1 - place * place).squareRoot())
    }
    let sum = values.reduce(0, +)
    while values.count % factor != 0 { values.append(0) }
    phases = (0..<factor).map { phase in
      stride(from: phase, to: values.count, by: factor).map { Float(values[$0] / sum) }
    }
  }

  /// The parameter of the window for an attenuation in dB.
  private static func shape(_ attenuation: Double) -> Double {
    if attenuation > 50 { return 0.1102 * (attenuation - 8.7) }
    return 0.5842 * pow(max(0, attenuation - 21), 0.4) + 0.07886 * max(0, attenuation - 21)
  }

  /// The modified Bessel function of order zero, by its series.
  private static func bessel(_ x: Double) -> Double {
    var (sum, term, index) = (1.0, 1.0, 1.0)
    while term > 1e-18 * sum {
      term *= (x / 2 / index) * (x / 2 / index)
      sum += term
      index += 1
    }
    return sum
  }
}

/// State of both directions: the polyphase filter, and the samples that it still reads.
private struct Polyphase: ~Copyable {
  let factor: Int
  let taps: Int
  /// Samples of a hop at the lower rate.
  let count: Int
  let coefficients: AlignedBuffer<Float>
  /// By row: `taps` - 1 earlier samples, then the hop.
  var samples: AlignedBuffer<Float>
  /// The output of a phase of the filter.
  let piece: AlignedBuffer<Float>

  /// `hop` in samples of the higher rate, a multiple of the factor.
  init(_ filter: DecimationFilter, hop: Int, rows: Int, gain: Float) {
    precondition(hop % filter.factor == 0)
    factor = filter.factor
    taps = filter.taps
    count = hop / filter.factor
    coefficients = AlignedBuffer(filter.phases.flatMap { $0.map { gain * $0 } })
    samples = AlignedBuffer(count: rows * (filter.taps - 1 + count))
    piece = AlignedBuffer(count: count)
  }

  /// Filters a hop, which `taps` - 1 earlier samples precede, by a phase into `piece`.
  func filter(_ hop: UnsafePointer<Float>, by phase: Int) {
    unsafe SignalKernels.filter(
      hop, by: coefficients.pointer + phase * taps, taps: taps, count: count, into: piece.pointer)
  }
}

/// Decimates a stream: low-pass, then every `factor`-th sample. Thread: audio.
public struct Decimator: ~Copyable {
  /// With a row of samples for each phase.
  private var state: Polyphase

  /// `hop` in samples of the higher rate, a multiple of the factor.
  public init(_ filter: DecimationFilter, hop: Int) {
    state = Polyphase(filter, hop: hop, rows: filter.factor, gain: 1)
  }

  /// Takes a hop and writes the `hop` / `factor` samples that it completes.
  public mutating func push(
    _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    let (factor, taps, count) = (state.factor, state.taps, state.count)
    unsafe output.update(repeating: 0, count: count)
    for phase in 0..<factor {
      let row = unsafe state.samples.pointer + phase * (taps - 1 + count)
      // Phase p holds x[factor j - p]; the first of these came with the hop before.
      let first = phase == 0 ? 0 : 1
      let new = unsafe row + taps - 1
      for index in first..<count { unsafe new[index] = input[factor * index - phase] }
      unsafe state.filter(new, by: phase)
      unsafe SignalKernels.add(state.piece.pointer, count: count, to: output)
      unsafe row.update(from: row + count, count: taps - 1)
      if phase > 0 { unsafe new[0] = input[factor * count - phase] }
    }
  }

  /// Clears all earlier samples.
  public mutating func reset() { state.samples.fill(with: 0) }
}

/// Interpolates a stream to `factor` times its rate. Thread: audio.
public struct Interpolator: ~Copyable {
  /// With one row of samples.
  private var state: Polyphase

  /// `hop` in samples of the higher rate, a multiple of the factor.
  public init(_ filter: DecimationFilter, hop: Int) {
    state = Polyphase(filter, hop: hop, rows: 1, gain: Float(filter.factor))
  }

  /// Takes `hop` / `factor` samples and writes a hop.
  public mutating func push(
    _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    let (factor, taps, count) = (state.factor, state.taps, state.count)
    let row = unsafe state.samples.pointer
    let new = unsafe row + taps - 1
    unsafe new.update(from: input, count: count)
    for phase in 0..<factor {
      unsafe state.filter(new, by: phase)
      for index in 0..<count { unsafe output[factor * index + phase] = state.piece[index] }
    }
    unsafe row.update(from: row + count, count: taps - 1)
  }

  /// Clears all earlier samples.
  public mutating func reset() { state.samples.fill(with: 0) }
}
