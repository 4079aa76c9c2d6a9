import Foundation
import QDScoring
import Testing

/// Scores beside those of pystoi 0.4.1 and NumPy on the same signals.
struct ScoringTests {
  /// One row of Tests/Fixtures/scoring/scoring.json; make_scoring_fixtures.py wrote it.
  struct Row: Decodable, Sendable, CustomTestStringConvertible {
    var name: String
    var rate: Int
    var stoi: Double
    var estoi: Double
    var si_sdr: Double

    var testDescription: String { "\(name) at \(rate) Hz" }
  }

  static let rows: [Row] = {
    let path = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .appending(path: "Fixtures/scoring/scoring.json")
    return try! JSONDecoder().decode([Row].self, from: Data(contentsOf: path))
  }()

  private static func noise(_ count: Int, seed: UInt32) -> [Double] {
    var state = seed
    return (0..<count).map { _ in
      state = 1_664_525 &* state &+ 1_013_904_223
      return Double(state >> 8) / 0x1p23 - 1
    }
  }

  /// The same as in the script.
  private static func speech(_ rate: Int) -> [Double] {
    (0..<3 * rate).map { index in
      let t = Double(index) / Double(rate)
      let phase = 2 * Double.pi * (120 * t + 15 * sin(2 * .pi * 0.7 * t) / (2 * .pi * 0.7))
      let tone = (1...20).reduce(0.0) { $0 + sin(Double($1) * phase) / Double($1) }
      let syllable = pow(max(0, sin(2 * .pi * 2.3 * t)), 2)
      let formant = 1 + 0.5 * sin(2 * .pi * 1.1 * t)
      let pause = fmod(t, 2) < 1.6 ? 1 : 1e-4
      return 0.1 * tone * syllable * formant * pause
    }
  }

  static func pair(_ row: Row) -> (clean: [Float], other: [Float]) {
    let clean = speech(row.rate)
    guard row.name != "modulated" else {
      let rest = noise(clean.count, seed: 9)
      let other = clean.indices.map { index in
        let gain = 0.5 + 0.5 * sin(2 * .pi * 9 * Double(index) / Double(row.rate))
        return Float(0.7 * clean[index] * gain + 0.01 * rest[index])
      }
      return (clean.map(Float.init), other)
    }
    let level = Double(row.name.dropFirst(6))!
    let rest = noise(clean.count, seed: 7)
    return (clean.map(Float.init), zip(clean, rest).map { Float($0 + level * $1) })
  }

  /// pystoi's resampler differs in how it ends; its sums are doubles throughout.
  @Test(arguments: rows)
  func `STOI and ESTOI are within 0.0005 of pystoi`(row: Row) throws {
    let (clean, other) = Self.pair(row)
    let score = try #require(Intelligibility(of: other, to: clean, sampleRate: row.rate))
    #expect(abs(score.stoi - row.stoi) < 0.0005, "\(score.stoi) \(row.stoi)")
    #expect(abs(score.estoi - row.estoi) < 0.0005, "\(score.estoi) \(row.estoi)")
  }

  @Test(arguments: rows)
  func `SI-SDR is that of the definition`(row: Row) {
    let (clean, other) = Self.pair(row)
    #expect(abs(scaleInvariantRatio(of: other, to: clean) - row.si_sdr) < 1e-4)
    let louder = other.map { 3 * $0 }
    #expect(abs(scaleInvariantRatio(of: louder, to: clean) - row.si_sdr) < 1e-3)
  }

  @Test func `silence, equality and too little speech are told apart`() throws {
    let clean = Self.speech(16000).map(Float.init)
    #expect(scaleInvariantRatio(of: clean, to: clean) == .infinity)
    let silence = [Float](repeating: 0, count: clean.count)
    #expect(scaleInvariantRatio(of: clean, to: silence) == -.infinity)
    let same = try #require(Intelligibility(of: clean, to: clean, sampleRate: 16000))
    #expect(abs(same.stoi - 1) < 1e-6 && abs(same.estoi - 1) < 1e-6)
    let short = Array(clean[..<4000])
    #expect(Intelligibility(of: short, to: short, sampleRate: 16000) == nil)
  }
}
