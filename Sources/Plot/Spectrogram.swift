import Glibc
import Kernels
internal import Memory
internal import Signal

/// A sound to plot, which is read once from its beginning to its end.
public struct Recording {
  public var title: String
  /// Samples of its one channel.
  public var length: Int
  /// Samples a second.
  public var sampleRate: Int
  /// Gives so many of the next samples, fewer at the end.
  var read: (Int) throws -> [Float]

  public init(
    title: String, length: Int, sampleRate: Int, read: @escaping (Int) throws -> [Float]
  ) {
    self.title = title
    self.length = length
    self.sampleRate = sampleRate
    self.read = read
  }

  public init(title: String, samples: [Float], sampleRate: Int) {
    var rest = samples[...]
    self.init(title: title, length: samples.count, sampleRate: sampleRate) { count in
      defer { rest = rest.dropFirst(count) }
      return Array(rest.prefix(count))
    }
  }

  var seconds: Double { Double(length) / Double(sampleRate) }
}

/// The part of a recording that a window sees, on its way from the beginning to the end.
private struct Passage {
  let read: (Int) throws -> [Float]
  private var samples: [Float] = []
  /// Where they stand in the recording.
  private var start = 0
  private var isAtEnd = false

  init(_ recording: Recording) { read = recording.read }

  /// Goes on to a place at or behind the last one.
  mutating func move(to place: Range<Int>) throws {
    let passed = min(max(place.lowerBound - start, 0), samples.count)
    samples.removeFirst(passed)
    start += passed
    while !isAtEnd, start + samples.count < place.upperBound {
      let piece = try read(max(place.upperBound - start - samples.count, 4096))
      isAtEnd = piece.isEmpty
      samples += piece
      let passed = min(max(place.lowerBound - start, 0), samples.count)
      samples.removeFirst(passed)
      start += passed
    }
  }

  /// 0 where there is none.
  subscript(index: Int) -> Float {
    samples.indices.contains(index - start) ? samples[index - start] : 0
  }
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
  ) throws {
    self.columns = columns
    self.rows = rows
    levels = [Float](repeating: Spectrogram.silence, count: columns * rows)
    let half = Spectrogram.halfLength(
      near: Int(Spectrogram.halfWindowSeconds * Double(recording.sampleRate)))
    var transform = FourierTransform(length: 2 * half)
    let root = squareRootHann(length: 2 * half)
    var windowed = [Float](repeating: 0, count: 2 * half)
    var spectrum = [Float](repeating: 0, count: 2 * (half + 1))
    var passage = Passage(recording)
    let samplesPerColumn = seconds * Double(recording.sampleRate) / Double(columns)
    for column in 0..<columns {
      var power = [Float](repeating: 0, count: half + 1)
      // Long recordings have several windows to a column; their mean is drawn.
      let windows = max(1, Int(samplesPerColumn / Double(half)))
      for window in 0..<windows {
        let position = Double(column) + (Double(window) + 0.5) / Double(windows)
        let start = Int(position * samplesPerColumn) - half
        try passage.move(to: start..<start + 2 * half)
        for n in 0..<2 * half {
          // A Hann window; its sum is `half`, of which a sine gets one half.
          windowed[n] = passage[start + n] * root[n] * root[n] * 2 / Float(half)
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
