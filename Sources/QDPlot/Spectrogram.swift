import Glibc

/// A sound to plot, read once from beginning to end.
public struct Recording {
  public var title: String
  /// Samples of its single channel.
  public var length: Int
  /// Samples a second.
  public var sampleRate: Int
  /// Returns up to this many of the next samples, fewer at the end.
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

/// The part of a recording under the current window, which moves from the beginning to the end.
private struct Passage {
  let read: (Int) throws -> [Float]
  private var samples: [Float] = []
  /// Their position in the recording.
  private var start = 0
  private var isAtEnd = false

  init(_ recording: Recording) { read = recording.read }

  /// Moves forward to a range at or after the last one.
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

  /// 0 outside the recording.
  subscript(index: Int) -> Float {
    samples.indices.contains(index - start) ? samples[index - start] : 0
  }
}

/// The levels of a recording over time and frequency, in dB relative to a full-scale sine, for a
/// picture of a given size.
package struct Spectrogram {
  let columns: Int
  let rows: Int
  /// Column by column, the lowest frequency first.
  package private(set) var levels: [Float]

  package static let silence: Float = -200

  /// - Parameters:
  ///   - seconds: the duration of all columns; missing parts of the recording are silence.
  ///   - scale: the frequencies of the rows.
  package init(
    _ recording: Recording, seconds: Double, columns: Int, rows: Int, scale: FrequencyScale
  ) throws {
    self.columns = columns
    self.rows = rows
    levels = [Float](repeating: Spectrogram.silence, count: columns * rows)
    var analysis = ColumnAnalysis(sampleRate: recording.sampleRate, rows: rows, scale: scale)
    let half = analysis.half
    var passage = Passage(recording)
    let samplesPerColumn = seconds * Double(recording.sampleRate) / Double(columns)
    for column in 0..<columns {
      // In long recordings a column is the mean of several windows.
      let windows = max(1, Int(samplesPerColumn / Double(half)))
      for window in 0..<windows {
        let position = Double(column) + (Double(window) + 0.5) / Double(windows)
        let start = Int(position * samplesPerColumn) - half
        try passage.move(to: start..<start + 2 * half)
        analysis.add(oneOf: windows) { passage[start + $0] }
      }
      analysis.finish { levels[column * rows + $0] = $1 }
    }
  }
}

/// The frequencies of the vertical axis: evenly spaced in mel (2595 log10(1 + f / 700)), which
/// gives speech as much room as hearing does.
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
