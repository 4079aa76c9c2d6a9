import Foundation
import Testing

import QDPlot

@Suite struct PlotTests {
  @Test func `a tone stands at its time and frequency`() throws {
    // 1 kHz in the second half of one second.
    let samples = (0..<48000).map {
      $0 < 24000 ? 0 : Float(sin(2 * .pi * 1000 * Double($0) / 48000))
    }
    let scale = FrequencyScale(highest: 24000)
    let spectrogram = try Spectrogram(
      Recording(title: "tone", samples: samples, sampleRate: 48000), seconds: 1, columns: 100,
      rows: 200, scale: scale)
    let row = Int(scale.position(1000) * 200)
    func level(_ column: Int, _ row: Int) -> Float { spectrogram.levels[column * 200 + row] }
    #expect(abs(level(75, row)) < 1)
    #expect(level(75, 150) < -80)
    #expect(level(20, row) < -150)
  }

  @Test func `rows above a recording's bandwidth are silent`() throws {
    let spectrogram = try Spectrogram(
      Recording(title: "", samples: [Float](repeating: 1, count: 8000), sampleRate: 8000),
      seconds: 1, columns: 10, rows: 100, scale: FrequencyScale(highest: 24000))
    #expect(spectrogram.levels[599] == Spectrogram.silence)
  }

  @Test(arguments: [8000, 11_025, 22_050, 44_056, 44_100, 48_000, 88_200, 192_000])
  func `the label of the highest frequency has room`(sampleRate: Int) {
    let label = SpectrogramPlot.label(Double(sampleRate) / 2, withUnit: true)
    #expect(label.hasSuffix(" kHz"))
    #expect(label.count <= SpectrogramPlot.labelRoom)
  }

  @Test func `a recording is read once, a window's length at a time`() throws {
    let length = 20 * 48_000
    var next = 0
    var longest = 0
    let recording = Recording(title: "", length: length, sampleRate: 48_000) { count in
      longest = max(longest, count)
      let piece = (next..<min(next + count, length)).map { Float(sin(2 * .pi * Double($0) / 48)) }
      next += piece.count
      return piece
    }
    let whole = Recording(
      title: "", samples: (0..<length).map { Float(sin(2 * .pi * Double($0) / 48)) },
      sampleRate: 48_000)
    let scale = FrequencyScale(highest: 24_000)
    let levels = try [recording, whole].map {
      try Spectrogram($0, seconds: 20, columns: 100, rows: 50, scale: scale).levels
    }
    #expect(levels[0] == levels[1])
    #expect(next > length - 48_000 && longest <= 8192)
  }

  @Test func `a frequency scale goes there and back`() {
    let scale = FrequencyScale(highest: 24000)
    #expect(scale.position(0) == 0)
    #expect(scale.position(24000) == 1)
    for row in [0.0, 1, 50, 99, 100] {
      #expect(abs(scale.position(scale.frequency(row: row, of: 100)) - row / 100) < 1e-9)
    }
  }

  @Test func `the picture is a PNG that grows with the recordings`() throws {
    let recording = Recording(
      title: "noisy.wav", samples: [Float](repeating: 0.1, count: 4800), sampleRate: 48000)
    let one = try SpectrogramPlot.png([recording])
    let two = try SpectrogramPlot.png([recording, recording])
    #expect(one.prefix(8) == [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
    #expect(height(of: two) > height(of: one))
  }

  @Test func `without sound there is no picture`() {
    #expect(throws: PlotError.nothingToPlot) { try SpectrogramPlot.png([]) }
    #expect(throws: PlotError.nothingToPlot) {
      try SpectrogramPlot.png([Recording(title: "", samples: [], sampleRate: 48000)])
    }
  }

  @Test func `every printable letter has a drawing of its own`() {
    let font = Font(pitch: 2)
    let unknown = font.coverage(of: "\u{1f600}")
    #expect(unknown == font.coverage(of: "?"))
    for letter in "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,-_()" {
      #expect(font.coverage(of: letter) != unknown, "\(letter)")
    }
    #expect(font.coverage(of: " ").allSatisfy { $0 == 0 })
  }

  @Test func `steps between marks are round`() {
    #expect(SpectrogramPlot.niceStep(0.43) == 0.5)
    #expect(SpectrogramPlot.niceStep(1) == 1)
    #expect(SpectrogramPlot.niceStep(14) == 20)
    #expect(SpectrogramPlot.text(0.5) == "0.5")
    #expect(SpectrogramPlot.text(2) == "2")
  }

  /// The height in a PNG's header.
  private func height(of png: [UInt8]) -> Int {
    png[20..<24].reduce(0) { $0 << 8 | Int($1) }
  }

  @Test(arguments: [1, 480, 1584, 4000])
  func `a live spectrogram has the columns of the whole`(piece: Int) throws {
    let length = 48_000
    // A tone that rises from 200 Hz.
    let samples = (0..<length).map { n -> Float in
      let turns = (200 + Double(n) / 20) * Double(n) / 48000
      return 0.3 * Float(sin(2 * Double.pi * turns))
    }
    let scale = FrequencyScale(highest: 12_000)
    let whole = try Spectrogram(
      Recording(title: "", samples: samples, sampleRate: 48_000), seconds: 1, columns: 60,
      rows: 40, scale: scale)
    var live = LiveSpectrogram(sampleRate: 48_000, columnsPerSecond: 60, rows: 40, scale: scale)
    var levels: [Float] = []
    for start in stride(from: 0, to: length, by: piece) {
      live.append(Array(samples[start..<min(start + piece, length)])) { levels += $0 }
    }
    // What reaches beyond the last sample is still awaited.
    #expect(levels.count == 59 * 40)
    #expect(levels == Array(whole.levels.prefix(levels.count)))
  }

  @Test func `a meter rises at once and falls by 30 dB a second`() {
    var meter = Meter()
    #expect(meter.level == -120)
    meter.take([Float](repeating: 0.1, count: 480))
    #expect(abs(meter.level + 20) < 0.01)
    for _ in 0..<100 { meter.take([Float](repeating: 0, count: 480)) }
    #expect(abs(meter.level + 50) < 0.1)
  }
}
