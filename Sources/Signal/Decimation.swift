import Glibc
internal import Kernels
internal import Memory

/// A linear-phase low-pass between a sample rate and a fraction of it, in both directions.
///
/// A Kaiser window over a sinc: from 0.9125 to 1 of the lower rate's Nyquist frequency it goes from pass to
/// stop, by as many dB as its length allows (Kaiser, 1974).
public struct DecimationFilter: Sendable {
  /// The higher rate over the lower one.
  public let factor: Int
  /// Samples of the higher rate by which each direction delays.
  public let delay: Int
  /// Coefficient `factor` i + p at i of phase p; zeros complete the last ones.
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

/// Every `factor`-th sample of a stream behind a `DecimationFilter`. Thread: audio.
public struct Decimator: ~Copyable {
  private let factor: Int
  private let taps: Int
  /// Samples of a hop behind it.
  private let count: Int
  private let coefficients: AlignedBuffer<Float>
  /// By phase: what came before, then the hop.
  private var samples: AlignedBuffer<Float>
  private var piece: AlignedBuffer<Float>

  /// `hop` in samples of the higher rate, a multiple of the factor.
  public init(_ filter: DecimationFilter, hop: Int) {
    precondition(hop % filter.factor == 0)
    factor = filter.factor
    taps = filter.taps
    count = hop / filter.factor
    coefficients = AlignedBuffer(filter.phases.flatMap { $0 })
    samples = AlignedBuffer(count: factor * (filter.taps - 1 + count))
    piece = AlignedBuffer(count: count)
  }

  /// Takes a hop and writes the `hop` / `factor` samples that it completes.
  public mutating func push(
    _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    let length = taps - 1 + count
    unsafe output.update(repeating: 0, count: count)
    for phase in 0..<factor {
      let row = unsafe samples.pointer + phase * length
      // Phase p holds x[factor j - p]; the first of these came with the hop before.
      let first = phase == 0 ? 0 : 1
      let new = unsafe row + taps - 1
      for index in first..<count { unsafe new[index] = input[factor * index - phase] }
      unsafe SignalKernels.filter(
        new, by: coefficients.pointer + phase * taps, taps: taps, count: count, into: piece.pointer)
      unsafe SignalKernels.add(piece.pointer, count: count, to: output)
      unsafe row.update(from: row + count, count: taps - 1)
      if phase > 0 { unsafe new[0] = input[factor * count - phase] }
    }
  }

  /// Forgets what came before.
  public mutating func reset() {
    unsafe samples.pointer.update(repeating: 0, count: samples.count)
  }
}

/// A stream at `factor` times its rate, behind a `DecimationFilter`. Thread: audio.
public struct Interpolator: ~Copyable {
  private let factor: Int
  private let taps: Int
  private let count: Int
  private let coefficients: AlignedBuffer<Float>
  private var samples: AlignedBuffer<Float>
  private var piece: AlignedBuffer<Float>

  /// `hop` in samples of the higher rate, a multiple of the factor.
  public init(_ filter: DecimationFilter, hop: Int) {
    precondition(hop % filter.factor == 0)
    factor = filter.factor
    taps = filter.taps
    count = hop / filter.factor
    coefficients = AlignedBuffer(filter.phases.flatMap { $0.map { Float(filter.factor) * $0 } })
    samples = AlignedBuffer(count: filter.taps - 1 + count)
    piece = AlignedBuffer(count: count)
  }

  /// Takes `hop` / `factor` samples and writes a hop.
  public mutating func push(
    _ input: UnsafePointer<Float>, into output: UnsafeMutablePointer<Float>
  ) {
    let new = unsafe samples.pointer + taps - 1
    unsafe new.update(from: input, count: count)
    for phase in 0..<factor {
      unsafe SignalKernels.filter(
        new, by: coefficients.pointer + phase * taps, taps: taps, count: count, into: piece.pointer)
      for index in 0..<count { unsafe output[factor * index + phase] = piece[index] }
    }
    unsafe samples.pointer.update(from: samples.pointer + count, count: taps - 1)
  }

  /// Forgets what came before.
  public mutating func reset() {
    unsafe samples.pointer.update(repeating: 0, count: samples.count)
  }
}
