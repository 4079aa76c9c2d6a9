import QDKernels
internal import QDMemory
internal import QDSignal

/// Computes the columns of a spectrogram from windows of samples: the levels of its rows, in dB
/// relative to a full-scale sine.
struct ColumnAnalysis: ~Copyable {
  /// Half the length of a window, in samples.
  let half: Int
  let rows: Int
  /// The bins between which each row lies; `nil` above the bandwidth.
  private let places: [(low: Double, high: Double)?]
  /// A Hann window, so that a sine of full scale gets one half.
  private let hann: [Float]
  private var transform: FourierTransform
  private var windowed: [Float]
  private var spectrum: [Float]
  private var power: [Float]

  /// Half the length of a window: 16 ms.
  private static let halfWindowSeconds = 0.016

  init(sampleRate: Int, rows: Int, scale: FrequencyScale) {
    let half = Self.halfLength(near: Int(Self.halfWindowSeconds * Double(sampleRate)))
    self.half = half
    self.rows = rows
    let bandwidth = Double(sampleRate) / 2
    places = (0..<rows).map { row in
      let low = scale.frequency(row: Double(row), of: rows) / bandwidth * Double(half)
      let high = scale.frequency(row: Double(row + 1), of: rows) / bandwidth * Double(half)
      return high <= Double(half) + 0.5 ? (low, high) : nil
    }
    transform = FourierTransform(length: 2 * half)
    let root = squareRootHann(length: 2 * half)
    // The window's sum is `half`.
    hann = (0..<2 * half).map { root[$0] * root[$0] * 2 / Float(half) }
    windowed = [Float](repeating: 0, count: 2 * half)
    spectrum = [Float](repeating: 0, count: 2 * (half + 1))
    power = [Float](repeating: 0, count: half + 1)
  }

  /// Adds a window of samples, which `sample` returns, to the column as one of `count`.
  @inline(__always)
  mutating func add(oneOf count: Int, _ sample: (Int) -> Float) {
    for n in 0..<2 * half { windowed[n] = sample(n) * hann[n] }
    unsafe transform.forward(windowed, into: &spectrum)
    for bin in 0...half {
      let (re, im) = (spectrum[2 * bin], spectrum[2 * bin + 1])
      power[bin] += (re * re + im * im) / Float(count)
    }
  }

  /// Passes the levels of the rows to `body`, the lowest frequency first, and begins another
  /// column.
  mutating func finish(_ body: (_ row: Int, _ level: Float) -> Void) {
    for row in 0..<rows {
      guard let place = places[row] else { break }
      body(row, Self.level(power, from: place.low, to: place.high))
    }
    for bin in 0...half { power[bin] = 0 }
  }

  /// The maximum of the bins between two positions, or an interpolation of the two nearest.
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
