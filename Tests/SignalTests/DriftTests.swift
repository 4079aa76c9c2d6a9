import CAllocationCount
import Foundation
import Seeded
import QDSignal
import Testing

/// Two clocks in simulated time: a microphone that pushes hops and an output that pulls fragments.
private struct TwoClocks {
  static let sampleRate = 48000
  static let hop = 480
  static let target = 960.0

  /// How far the output's clock is off, in millionths, at a time in seconds.
  var drift: (Double) -> Double
  /// Callbacks come up to this much late, in seconds.
  var jitter = 1e-3
  var generator = SeededGenerator(seed: 7)

  struct Outcome {
    /// Largest distance of the true fill from the target, in seconds, after the first minute.
    var worstFill = 0.0
    /// Largest change of the ratio in one hop.
    var worstStep = 0.0
    var estimate = 0.0
  }

  /// Runs the control and the clock estimate without the sound: what the converter makes of a hop
  /// is hop times ratio, in whole samples.
  mutating func run(hops: Int) -> Outcome {
    var outcome = Outcome()
    var control = DriftControl(
      target: Self.target, sampleRate: Self.sampleRate)
    var output = ClockEstimate(sampleRate: Double(Self.sampleRate))
    let hopSeconds = Double(Self.hop) / Double(Self.sampleRate)
    var converted = Self.target
    var played = 0.0
    var pulled = 0.0
    var lastRatio = 1.0
    for index in 0..<hops {
      let time = Double(index) * hopSeconds
      // The output's clock goes on, and asks for a fragment whenever one is through.
      played += hopSeconds * Double(Self.sampleRate) * (1 + drift(time) * 1e-6)
      while pulled + Double(Self.hop) <= played {
        pulled += Double(Self.hop)
        let rate = Double(Self.sampleRate) * (1 + drift(time) * 1e-6)
        let late = Double.random(in: 0...jitter, using: &generator)
        let moment = time + hopSeconds - (played - pulled) / rate + late
        output.update(position: pulled, microseconds: Int64(moment * 1e6))
      }
      let now = time + hopSeconds + Double.random(in: 0...jitter, using: &generator)
      let position = output.position(microseconds: Int64(now * 1e6)) ?? 0
      let ratio = control.update(
        fill: converted.rounded(.down) - position, hop: Self.hop)
      outcome.worstStep = max(outcome.worstStep, abs(ratio - lastRatio))
      lastRatio = ratio
      if time > 60 {
        outcome.worstFill = max(
          outcome.worstFill, abs(converted - played - Self.target) / Double(Self.sampleRate))
      }
      converted += Double(Self.hop) * ratio
    }
    outcome.estimate = control.driftPartsPerMillion
    return outcome
  }
}

@Suite struct DriftTests {
  private static let day = 24 * 3600 * 100

  @Test(arguments: [-300.0, 0, 300])
  func `a day of drift keeps the fill within 2 ms`(partsPerMillion: Double) {
    var clocks = TwoClocks(drift: { _ in partsPerMillion })
    let outcome = clocks.run(hops: Self.day)
    #expect(outcome.worstFill < 2e-3)
    #expect(outcome.worstStep < 50e-6)
    #expect(abs(outcome.estimate - partsPerMillion) < 20)
  }

  @Test func `a clock that wanders with the temperature is followed`() {
    var clocks = TwoClocks(drift: { 300 * sin(2 * .pi * $0 / 3600) })
    let outcome = clocks.run(hops: Self.day)
    #expect(outcome.worstFill < 2e-3)
    #expect(outcome.worstStep < 50e-6)
  }

  @Test func `a clock estimate sees the rate through jitter`() throws {
    var generator = SeededGenerator(seed: 3)
    var estimate = ClockEstimate(sampleRate: 48000)
    for event in 0..<12000 {
      let time = Double(event) * 0.01 / 1.0002 + Double.random(in: 0...2e-3, using: &generator)
      estimate.update(position: Double(event * 480), microseconds: Int64(time * 1e6))
    }
    #expect(abs(estimate.partsPerMillion - 200) < 30)
    let position = try #require(estimate.position(microseconds: 120_000_000))
    #expect(abs(position - 120 * 48000 * 1.0002) < 100)
  }

  @Test func `a clock estimate starts anew after a gap`() throws {
    var estimate = ClockEstimate(sampleRate: 48000)
    for event in 0..<100 {
      estimate.update(position: Double(event * 480), microseconds: Int64(event * 10_000))
    }
    estimate.update(position: 48000, microseconds: 5_000_000)
    #expect(estimate.position(microseconds: 5_000_000) == 48000)
    #expect(estimate.partsPerMillion == 0)
  }

  @Test func `a tone passes the drift resampler without a break`() {
    var resampler = DriftResampler(hop: 480, sampleRate: 48000, target: 0)
    var output: [Float] = []
    var piece = [Float](repeating: 0, count: 600)
    for hop in 0..<500 {
      let samples = (hop * 480..<(hop + 1) * 480).map {
        0.5 * Float(sin(2 * .pi * 1000 * Double($0) / 48000))
      }
      // A fill that is said to be too high or too low pushes the ratio to and fro.
      resampler.push(samples, samples.count, outside: hop % 200 < 100 ? 200 : -200)
      let taken = resampler.pull(into: &piece, count: piece.count)
      output += piece.prefix(taken)
    }
    // In a sine of 1 kHz, y[n+1] + y[n-1] is 2 cos(w) y[n]; a step anywhere breaks that.
    let factor = 2 * Float(cos(2 * Double.pi * 1000 / 48000))
    var worst: Float = 0
    for n in 2000..<output.count - 1 {
      worst = max(worst, abs(output[n + 1] + output[n - 1] - factor * output[n]))
    }
    #expect(worst < 1e-4)
    #expect(resampler.dropped == 0)
  }

  @Test func `push and pull allocate nothing`() {
    var resampler = DriftResampler(hop: 480, sampleRate: 48000, target: 960)
    let samples = [Float](repeating: 0.25, count: 480)
    var output = [Float](repeating: 0, count: 480)
    let before = allocation_count()
    for _ in 0..<200 {
      resampler.push(samples, samples.count, outside: 0)
      _ = resampler.pull(into: &output, count: 480)
    }
    #expect(allocation_count() == before)
  }

  @Test func `a ring that nobody empties drops and counts`() {
    var resampler = DriftResampler(hop: 480, sampleRate: 48000, target: 0)
    let samples = [Float](repeating: 0.25, count: 480)
    for _ in 0..<20 { resampler.push(samples, samples.count, outside: 0) }
    #expect(resampler.dropped > 0)
    resampler.reset()
    #expect(resampler.available == 0)
  }
}
