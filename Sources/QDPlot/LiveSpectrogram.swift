internal import QDSignal

/// The spectrogram of a continuing sound, column by column; each equals that of the ``Spectrogram``
/// of the whole.
package struct LiveSpectrogram: ~Copyable {
  package let rows: Int
  private let samplesPerColumn: Double
  private var analysis: ColumnAnalysis
  /// Samples that later columns still need, and their position in the sound.
  private var samples: [Float] = []
  private var start: Int
  private var next = 0
  private var levels: [Float]
  private static let palette = (0..<256).map { Colour.level(Float($0) / 255).packed }

  package init(sampleRate: Int, columnsPerSecond: Double, rows: Int, scale: FrequencyScale) {
    self.rows = rows
    samplesPerColumn = Double(sampleRate) / columnsPerSecond
    analysis = ColumnAnalysis(sampleRate: sampleRate, rows: rows, scale: scale)
    // Silence precedes the sound.
    start = -analysis.half
    samples = [Float](repeating: 0, count: analysis.half)
    levels = [Float](repeating: Spectrogram.silence, count: rows)
  }

  /// Takes the next samples and passes every column that they complete to `body`, the lowest
  /// frequency first, in dB.
  package mutating func append(_ piece: [Float], _ body: ([Float]) -> Void) {
    samples += piece
    while true {
      let first = Int((Double(next) + 0.5) * samplesPerColumn) - analysis.half
      guard first + 2 * analysis.half <= start + samples.count else { break }
      let offset = first - start
      analysis.add(oneOf: 1) { samples[offset + $0] }
      analysis.finish { levels[$0] = $1 }
      body(levels)
      next += 1
    }
    let kept = Int((Double(next) + 0.5) * samplesPerColumn) - analysis.half
    let passed = min(max(kept - start, 0), samples.count)
    samples.removeFirst(passed)
    start += passed
  }

  /// A level's colour as 0xRRGGBB; `loudest` dB has the lightest colour.
  package static func colour(_ level: Float, loudest: Float) -> UInt32 {
    let share = 1 + (level - loudest) / SpectrogramPlot.range
    return palette[Int(min(max(share, 0), 1) * 255)]
  }
}

/// The level of a continuing sound for a meter: rises at once, falls by 30 dB per second.
package struct Meter {
  /// The mean square in dB relative to a full-scale sine, -120 for silence.
  package private(set) var level: Float = -120

  package init() {}

  /// - Parameter rate: samples per second.
  package mutating func take(_ samples: [Float], rate: Int = 48_000) {
    guard !samples.isEmpty else { return }
    var sum: Float = 0
    for sample in samples { sum += sample * sample }
    let now = max(decibels(meanSquare: sum / Float(samples.count)), -120)
    level = max(now, level - 30 * Float(samples.count) / Float(rate))
  }
}
