import Glibc

/// Spectrograms below each other on common axes, as a picture: time, frequency in kHz and a colour
/// bar for the levels in dB.
public struct SpectrogramPlot {
  private static let plotWidth = 1120
  private static let plotHeight = 300
  /// Room for the longest label, "22.028 kHz".
  private static let left = 126
  private static let right = 120
  private static let top = 48
  private static let gap = 52
  private static let bottom = 62
  private static let titleFont = Font(pitch: 2.4)
  private static let labelFont = Font(pitch: 1.85)
  /// dB between the darkest and the lightest colour.
  static let range: Float = 80

  private let recordings: [Recording]
  private let seconds: Double
  private let scale: FrequencyScale
  private var canvas: Canvas

  /// Draws the recordings and returns a PNG file.
  public static func png(_ recordings: [Recording]) throws -> [UInt8] {
    guard recordings.contains(where: { $0.length > 0 }) else { throw PlotError.nothingToPlot }
    var plot = SpectrogramPlot(recordings)
    try plot.draw()
    return try plot.canvas.png()
  }

  private init(_ recordings: [Recording]) {
    self.recordings = recordings
    seconds = recordings.map(\.seconds).max() ?? 0
    scale = FrequencyScale(highest: Double(recordings.map(\.sampleRate).max() ?? 0) / 2)
    let panels = recordings.count * (Self.plotHeight + Self.gap) - Self.gap
    canvas = Canvas(
      width: Self.left + Self.plotWidth + Self.right, height: Self.top + panels + Self.bottom)
  }

  private mutating func draw() throws {
    let spectrograms = try recordings.map {
      try Spectrogram(
        $0, seconds: seconds, columns: Self.plotWidth, rows: Self.plotHeight, scale: scale)
    }
    let loudest = spectrograms.flatMap(\.levels).max() ?? 0
    let highest = max((loudest / 10).rounded(.up) * 10, Spectrogram.silence + Self.range)
    for (index, spectrogram) in spectrograms.enumerated() {
      let top = Self.top + index * (Self.plotHeight + Self.gap)
      canvas.write(recordings[index].title, x: Self.left, y: top - 28, font: Self.titleFont)
      draw(spectrogram, top: top, highest: highest)
      drawFrequencies(top: top)
      drawTimes(top: top, withLabels: index == spectrograms.count - 1)
    }
    drawBar(highest: highest)
  }

  private mutating func draw(_ spectrogram: Spectrogram, top: Int, highest: Float) {
    for column in 0..<spectrogram.columns {
      for row in 0..<spectrogram.rows {
        let level = spectrogram.levels[column * spectrogram.rows + row]
        canvas[Self.left + column, top + spectrogram.rows - 1 - row] =
          .level(1 + (level - highest) / Self.range)
      }
    }
  }

  /// The number of letters that fit a frequency's label.
  package static var labelRoom: Int { (left - labelDistance) / labelFont.advance }
  private static let labelDistance = 12

  /// A frequency in kHz.
  package static func label(_ frequency: Double, withUnit: Bool) -> String {
    text(frequency / 1000) + (withUnit ? " kHz" : "")
  }

  private mutating func drawFrequencies(top: Int) {
    let candidates: [Double] = [16000, 8000, 4000, 2000, 1000, 500, 0]
    var lastY = Int.min
    for frequency in [scale.highest] + candidates where frequency <= scale.highest {
      let y = top + Self.plotHeight - Int(scale.position(frequency) * Double(Self.plotHeight))
      guard y - max(lastY, -1000) >= 24 else { continue }
      let label = Self.label(frequency, withUnit: lastY == Int.min)
      lastY = y
      canvas.fill(x: Self.left - 7..<Self.left - 1, y: y - 1..<y, .faintInk)
      canvas.write(
        label, x: Self.left - Self.labelDistance, y: y - Self.labelFont.height / 2,
        font: Self.labelFont, colour: .faintInk, align: .right)
    }
  }

  private mutating func drawTimes(top: Int, withLabels: Bool) {
    let step = Self.niceStep(seconds / 10)
    let bottom = top + Self.plotHeight
    var count = 0
    while Double(count) * step <= seconds * 1.0001 {
      let time = Double(count) * step
      let x = Self.left + Int(time / seconds * Double(Self.plotWidth))
      canvas.fill(x: x..<x + 1, y: bottom + 1..<bottom + 7, .faintInk)
      if withLabels {
        canvas.write(
          Self.text(time), x: x, y: bottom + 13, font: Self.labelFont, colour: .faintInk,
          align: .centre)
      }
      count += 1
    }
    if withLabels {
      canvas.write(
        "seconds", x: Self.left + Self.plotWidth / 2, y: bottom + 37, font: Self.labelFont,
        align: .centre)
    }
  }

  private mutating func drawBar(highest: Float) {
    let x = Self.left + Self.plotWidth + 22
    let top = Self.top
    let height = Self.plotHeight
    for row in 0..<height {
      canvas.fill(
        x: x..<x + 16, y: top + row..<top + row + 1, .level(1 - Float(row) / Float(height - 1)))
    }
    for step in 0...4 {
      let y = top + min(step * height / 4, height - 1)
      canvas.fill(x: x + 17..<x + 23, y: y..<y + 1, .faintInk)
      canvas.write(
        Self.text(Double(highest - Float(step) * Self.range / 4)) + (step == 0 ? " dB" : ""),
        x: x + 28,
        y: y - Self.labelFont.height / 2, font: Self.labelFont, colour: .faintInk)
    }
  }

  /// The smallest step of 1, 2 or 5 times a power of ten that is at least `least`.
  package static func niceStep(_ least: Double) -> Double {
    let power = pow(10, log10(max(least, 1e-6)).rounded(.down))
    return [1, 2, 5, 10].map { $0 * power }.first { $0 >= least * 0.999 } ?? 10 * power
  }

  /// A number without unneeded digits.
  package static func text(_ value: Double) -> String {
    let rounded = (value * 1000).rounded() / 1000
    return rounded == rounded.rounded() ? "\(Int(rounded))" : "\(rounded)"
  }
}
