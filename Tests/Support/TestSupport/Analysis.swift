import Foundation

/// What the tests measure in a recording.
public enum Analysis {
  /// Root mean square.
  public static func level<S: Collection<Float>>(_ samples: S) -> Double {
    samples.isEmpty
      ? 0
      : (samples.reduce(0.0) { $0 + Double($1) * Double($1) } / Double(samples.count)).squareRoot()
  }

  public static func decibels(_ ratio: Double) -> Double { 20 * log10(max(ratio, 1e-9)) }

  /// Where clicks begin: samples above `threshold` that come at least 50 ms after the last one.
  public static func clicks(in samples: [Float], threshold: Float = 0.2) -> [Int] {
    var found: [Int] = []
    for (index, sample) in samples.enumerated()
    where abs(sample) > threshold && index - (found.last ?? -2400) >= 2400 {
      found.append(index)
    }
    return found
  }

  /// How many samples `copy` lies behind `original`, within `range`; from 1 in 8 samples, then exact.
  public static func delay(
    of copy: [Float], behind original: [Float], within range: ClosedRange<Int>
  )
    -> Int
  {
    let step = 8
    func thinned(_ samples: [Float]) -> [Float] {
      stride(from: 0, to: samples.count - step, by: step).map { start in
        samples[start..<start + step].reduce(0, +)
      }
    }
    let coarse = best(
      thinned(copy), thinned(original), in: (range.lowerBound / step)...(range.upperBound / step))
    return best(copy, original, in: (coarse * step - 2 * step)...(coarse * step + 2 * step))
  }

  /// The scale-invariant signal to distortion ratio in dB of `copy`, which begins `delay` samples late.
  public static func signalToDistortion(of copy: [Float], reference: [Float], delay: Int) -> Double
  {
    let start = max(0, -delay)
    let count = min(reference.count, copy.count - delay) - start
    guard count > 0 else { return -.infinity }
    var cross = 0.0
    var power = 0.0
    for index in start..<start + count {
      cross += Double(reference[index]) * Double(copy[index + delay])
      power += Double(reference[index]) * Double(reference[index])
    }
    let scale = cross / max(power, 1e-12)
    var distortion = 0.0
    for index in start..<start + count {
      let rest = Double(copy[index + delay]) - scale * Double(reference[index])
      distortion += rest * rest
    }
    return 10 * log10(scale * scale * power / max(distortion, 1e-12))
  }

  /// What a steady tone suffered on its way, in pieces of 10 ms.
  public struct Continuity: Sendable, CustomStringConvertible {
    public var pieces = 0
    /// Pieces that hold (almost) nothing.
    public var silent = 0
    /// Pieces whose phase is more than 0.2 rad off that of the piece before.
    public var jumps = 0

    public var description: String { "\(silent) silent and \(jumps) jumps in \(pieces) pieces" }
  }

  /// Follows a tone whose period divides 480 samples, from the first piece that holds it to the last.
  public static func continuity(of samples: [Float], frequency: Double, amplitude: Double)
    -> Continuity
  {
    var result = Continuity()
    var silence = 0
    var last: Double?
    for start in stride(from: 0, to: samples.count - 479, by: 480) {
      var re = 0.0
      var im = 0.0
      for n in start..<start + 480 {
        let angle = 2 * .pi * frequency * Double(n) / 48000
        re += Double(samples[n]) * cos(angle)
        im -= Double(samples[n]) * sin(angle)
      }
      let measured = (re * re + im * im).squareRoot() / 240
      guard last != nil || measured > amplitude / 2 else { continue }
      guard measured >= amplitude / 10 else {
        silence += 1
        continue
      }
      result.silent += silence
      result.pieces += silence + 1
      silence = 0
      let phase = atan2(im, re)
      if let last, abs(remainder(phase - last, 2 * .pi)) > 0.2 { result.jumps += 1 }
      last = phase
    }
    return result
  }

  private static func best(_ copy: [Float], _ original: [Float], in range: ClosedRange<Int>) -> Int
  {
    copy.withUnsafeBufferPointer { copy in
      original.withUnsafeBufferPointer { original in
        var best = (lag: range.lowerBound, score: -Float.infinity)
        for lag in range {
          let start = max(0, -lag)
          let end = min(original.count, copy.count - lag)
          guard end > start else { continue }
          var sum = SIMD8<Float>.zero
          var index = start
          while index + 8 <= end {
            for lane in 0..<8 { sum[lane] += original[index + lane] * copy[index + lag + lane] }
            index += 8
          }
          if sum.sum() > best.score { best = (lag, sum.sum()) }
        }
        return best.lag
      }
    }
  }
}

/// The distribution of some figures.
public struct Distribution: Sendable, CustomStringConvertible {
  private let sorted: [Double]

  public init(_ values: [Double]) { sorted = values.sorted() }

  public var count: Int { sorted.count }
  public var p50: Double { quantile(0.5) }
  public var p90: Double { quantile(0.9) }
  public var p99: Double { quantile(0.99) }

  public func quantile(_ share: Double) -> Double {
    sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, Int(share * Double(sorted.count)))]
  }

  public var description: String {
    String(format: "p50 %.1f p99 %.1f of %d", p50, p99, count)
  }
}
