import Glibc
import Kernels
internal import Memory
internal import Signal

/// A sound to plot.
public struct Recording: Sendable {
  public var title: String
  /// One channel.
  public var samples: [Float]
  /// Samples a second.
  public var sampleRate: Int

  public init(title: String, samples: [Float], sampleRate: Int) {
    self.title = title
    self.samples = samples
    self.sampleRate = sampleRate
  }

  var seconds: Double { Double(samples.count) / Double(sampleRate) }
}

/// The levels of a recording over time and frequency, in dB of a full-scale sine, for a picture of
/// given size.
package struct Spectrogram {
  let columns: Int
  let rows: Int
  /// Column by column, the lowest frequency first.
  package private(set) var levels: [Float]

  /// Half the length of a window: 16 ms.
  private static let halfWindowSeconds = 0.016
  package static let silence: Float = -200

  /// - Parameters:
  ///   - seconds: what the columns stand for; what the recording lacks is silence.
  ///   - scale: where the rows lie.
  package init(
    _ recording: Recording, seconds: Double, columns: Int, rows: Int, scale: FrequencyScale
  ) {
    self.columns = columns
    self.rows = rows
    levels = [Float](repeating: Spectrogram.silence, count: columns * rows)
    let half = Spectrogram.halfLength(
      near: Int(Spectrogram.halfWindowSeconds * Double(recording.sampleRate)))
    var transform = FourierTransform(length: 2 * half)
    let root = squareRootHann(length: 2 * half)
    var windowed = [Float](repeating: 0, count: 2 * half)
    var spectrum = [Float](repeating: 0, count: 2 * (half + 1))
    let samplesPerColumn = seconds * Double(recording.sampleRate) / Double(columns)
    for column in 0..<columns {
      var power = [Float](repeating: 0, count: half + 1)
      // Long recordings have several windows to a column; their mean is drawn.
      let windows = max(1, Int(samplesPerColumn / Double(half)))
      for window in 0..<windows {
        let position = Double(column) + (Double(window) + 0.5) / Double(windows)
        let start = Int(position * samplesPerColumn) - half
        for n in 0..<2 * half {
          let index = start + n
          // A Hann window; its sum is `half`, of which a sine gets one half.
          windowed[n] =
            recording.samples.indices.contains(index)
            ? recording.samples[index] * root[n] * root[n] * 2 / Float(half) : 0
        }
        unsafe transform.forward(windowed, into: &spectrum)
        for bin in 0...half {
          let (re, im) = (spectrum[2 * bin], spectrum[2 * bin + 1])
          power[bin] += (re * re + im * im) / Float(windows)
        }
      }
      let bandwidth = Double(recording.sampleRate) / 2
      for row in 0..<rows {
        let low = scale.frequency(row: Double(row), of: rows) / bandwidth * Double(half)
        let high = scale.frequency(row: Double(row + 1), of: rows) / bandwidth * Double(half)
        guard high <= Double(half) + 0.5 else { break }
        levels[column * rows + row] = Spectrogram.level(power, from: low, to: high)
      }
    }
  }

  /// The loudest of the bins between two positions, or what lies between the two nearest.
  private static func level(_ power: [Float], from low: Double, to high: Double) -> Float {
    let first = Int(low.rounded(.up))
    let last = min(Int(high.rounded(.down)), power.count - 1)
    if first <= last { return decibels(meanSquare: power[first...last].max() ?? 0) }
    let middle = (low + high) / 2
    let index = min(Int(middle), power.count - 2)
    let share = Float(middle - Double(index))
    return (1 - share) * decibels(meanSquare: power[index])
      + share * decibels(meanSquare: power[index + 1])
  }

  private static func halfLength(near length: Int) -> Int {
    var result = max(length, 8)
    while !FourierTransform.supports(length: 2 * result) { result += 1 }
    return result
  }
}

/// Where frequencies lie on the vertical axis: evenly in mel (2595 log10(1 + f / 700)), so that
/// speech has the room that it has for the ear.
package struct FrequencyScale {
  /// Hz.
  package var highest: Double

  package init(highest: Double) { self.highest = highest }

  package func frequency(row: Double, of rows: Int) -> Double {
    700 * (pow(10, row / Double(rows) * mel(highest) / 2595) - 1)
  }

  /// 0 for the lowest frequency, 1 for the highest.
  package func position(_ frequency: Double) -> Double { mel(frequency) / mel(highest) }

  private func mel(_ frequency: Double) -> Double { 2595 * log10(1 + frequency / 700) }
}
