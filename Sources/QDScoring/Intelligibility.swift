import Foundation
import QDKernels

/// Short-time objective intelligibility of denoised speech relative to the clean speech.
///
/// STOI: Taal, Hendriks, Heusdens, Jensen, "An Algorithm for Intelligibility Prediction of
/// Time-Frequency Weighted Noisy Speech", IEEE TASLP 19(7), 2011. ESTOI: Jensen, Taal, "An
/// Algorithm for Predicting the Intelligibility of Speech Masked by Modulated Noise Maskers", IEEE
/// TASLP 24(11), 2016. Both use segments of 384 ms in 15 third-octave bands from 150 Hz, at 10 kHz,
/// without frames more than 40 dB below the loudest frame of the clean speech.
public struct Intelligibility: Sendable, Equatable {
  public let stoi: Double
  /// The extended one.
  public let estoi: Double

  static let sampleRate = 10_000
  private static let frame = 256
  private static let hop = 128
  private static let transform = 512
  private static let bands = 15
  private static let lowestCenter = 150.0
  /// Frames of a segment.
  private static let segment = 30
  private static let dynamicRange = 40.0
  /// The lower limit of the signal-to-distortion ratio of a band's envelope, in dB.
  private static let lowestRatio = -15.0

  /// - Returns: `nil` if there is less than one segment of speech.
  public init?(of estimate: [Float], to reference: [Float], sampleRate: Int) {
    precondition(estimate.count == reference.count)
    let resampler = RationalResampler(from: sampleRate, to: Self.sampleRate)
    let (clean, processed) = Self.withoutSilence(
      resampler.resample(reference), resampler.resample(estimate))
    let (x, y) = (Self.envelopes(clean), Self.envelopes(processed))
    guard x.count >= Self.segment else { return nil }
    var (plain, extended) = (0.0, 0.0)
    let segments = x.count - Self.segment + 1
    for start in 0..<segments {
      let (a, b) = (
        Self.rows(x[start..<start + Self.segment]), Self.rows(y[start..<start + Self.segment])
      )
      plain += Self.meanCorrelation(a, b)
      extended += Self.spectralCorrelation(a, b)
    }
    stoi = plain / Double(segments)
    estoi = extended / Double(segments)
  }

  // MARK: Frames

  /// A Hann window without the zeros at its ends.
  private static let window = (1...frame).map {
    0.5 - 0.5 * cos(2 * Double.pi * Double($0) / Double(frame + 1))
  }

  private static func frames(_ samples: [Double]) -> [[Double]] {
    stride(from: 0, to: samples.count - frame, by: hop).map { start in
      (0..<frame).map { samples[start + $0] * window[$0] }
    }
  }

  /// Both signals, overlap-added from the frames in which the clean speech is not silent.
  private static func withoutSilence(
    _ clean: [Double], _ processed: [Double]
  ) -> ([Double], [Double]) {
    let (a, b) = (frames(clean), frames(processed))
    let levels = a.map { frame in
      20 * log10(frame.reduce(0) { $0 + $1 * $1 }.squareRoot() + .ulpOfOne)
    }
    let limit = (levels.max() ?? 0) - dynamicRange
    let kept = levels.indices.filter { levels[$0] > limit }
    func joined(_ frames: [[Double]]) -> [Double] {
      if kept.isEmpty { return [] }
      var result = Array(repeating: 0.0, count: (kept.count - 1) * hop + frame)
      for (place, index) in kept.enumerated() {
        for sample in 0..<frame { result[place * hop + sample] += frames[index][sample] }
      }
      return result
    }
    return (joined(a), joined(b))
  }

  /// By frame: the magnitudes of the bands.
  private static func envelopes(_ samples: [Double]) -> [[Double]] {
    var fourier = FourierTransform(length: transform, instructionSet: .scalar)
    var spectrum = [Float](repeating: 0, count: transform + 2)
    return frames(samples).map { frame in
      let padded = frame.map(Float.init) + [Float](repeating: 0, count: transform - frame.count)
      unsafe fourier.forward(padded, into: &spectrum)
      return bins.map { range in
        range.reduce(0.0) { sum, bin in
          let (re, im) = (Double(spectrum[2 * bin]), Double(spectrum[2 * bin + 1]))
          return sum + re * re + im * im
        }.squareRoot()
      }
    }
  }

  /// The bins nearest to each band's edges.
  private static let bins: [Range<Int>] = (0..<bands).map { band in
    func bin(_ sixths: Int) -> Int {
      let frequency = lowestCenter * exp2(Double(sixths) / 6)
      return Int((frequency * Double(transform) / Double(sampleRate)).rounded())
    }
    return bin(2 * band - 1)..<bin(2 * band + 1)
  }

  // MARK: Segments

  /// [bands][frames] of a segment.
  private static func rows(_ frames: ArraySlice<[Double]>) -> [[Double]] {
    (0..<bands).map { band in frames.map { $0[band] } }
  }

  /// STOI's intermediate measure: equations 3 to 5 of the paper, averaged over the bands.
  private static func meanCorrelation(_ x: [[Double]], _ y: [[Double]]) -> Double {
    let ceiling = 1 + pow(10, -lowestRatio / 20)
    var sum = 0.0
    for (x, y) in zip(x, y) {
      let gain = norm(x) / (norm(y) + .ulpOfOne)
      let limited = zip(x, y).map { min($1 * gain, $0 * ceiling) }
      sum += product(normalized(x), normalized(limited))
    }
    return sum / Double(bands)
  }

  /// ESTOI's: correlation of spectra, after rows and then columns have mean 0 and norm 1.
  private static func spectralCorrelation(_ x: [[Double]], _ y: [[Double]]) -> Double {
    func columns(_ rows: [[Double]]) -> [[Double]] {
      let normalizedRows = rows.map(normalized)
      return (0..<segment).map { frame in normalized(normalizedRows.map { $0[frame] }) }
    }
    return zip(columns(x), columns(y)).reduce(0) { $0 + product($1.0, $1.1) } / Double(segment)
  }

  private static func norm(_ values: [Double]) -> Double { product(values, values).squareRoot() }

  private static func product(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += a[index] * b[index] }
    return sum
  }

  private static func normalized(_ values: [Double]) -> [Double] {
    let mean = values.reduce(0, +) / Double(values.count)
    let centered = values.map { $0 - mean }
    let length = norm(centered) + .ulpOfOne
    return centered.map { $0 / length }
  }
}
