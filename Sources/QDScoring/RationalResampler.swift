import Foundation

/// Converts sample rates by a ratio of small integers, with a low-pass of 60 dB attenuation from
/// Kaiser's window (Oppenheim, Schafer, "Discrete-Time Signal Processing", 7.6). Without delay.
struct RationalResampler {
  private let up: Int
  private let down: Int
  /// Centred, at `up` times the input rate.
  private let filter: [Double]

  init(from source: Int, to target: Int) {
    var (a, b) = (source, target)
    while b != 0 { (a, b) = (b, a % b) }
    (up, down) = (target / a, source / a)
    let rejection = 60.0
    // Relative to the intermediate sample rate.
    let cutoff = 0.5 / Double(max(up, down))
    let half = Int((((rejection - 8) / (28.714 * cutoff / 10))).rounded(.up))
    let beta = 0.1102 * (rejection - 8.7)
    let taps = (-half...half).map { index in
      let t = 2 * cutoff * Double(index)
      let sinc = index == 0 ? 1 : sin(.pi * t) / (.pi * t)
      let place = Double(index) / Double(half)
      return sinc * Self.bessel(beta * max(0, 1 - place * place).squareRoot())
    }
    let sum = taps.reduce(0, +)
    let gain = Double(up) / sum
    filter = taps.map { $0 * gain }
  }

  func resample(_ samples: [Float]) -> [Double] {
    if up == down { return samples.map(Double.init) }
    let half = filter.count / 2
    let count = (samples.count * up + down - 1) / down
    return (0..<count).map { output in
      let center = output * down
      // The input samples under the filter at the intermediate rate.
      let first = max(0, (center - half + up - 1) / up)
      let last = min(samples.count - 1, (center + half) / up)
      if first > last { return 0 }
      var sum = 0.0
      for index in first...last {
        sum += Double(samples[index]) * filter[center - index * up + half]
      }
      return sum
    }
  }

  /// The modified Bessel function of the first kind, order 0, by its power series.
  private static func bessel(_ x: Double) -> Double {
    var (term, sum, k) = (1.0, 1.0, 1.0)
    while term > 1e-17 * sum {
      term *= (x / (2 * k)) * (x / (2 * k))
      sum += term
      k += 1
    }
    return sum
  }
}
