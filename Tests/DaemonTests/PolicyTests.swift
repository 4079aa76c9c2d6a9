import Denoise
import Testing

import qdenoise

@Suite final class `Resynchronization policy` {
  private var policy = ResynchronizationPolicy()

  /// Feeds one measurement every 100 ms and gives the times, in ms, at which it says yes.
  private func times(_ seconds: ClosedRange<UInt64>, measured: Int) -> [UInt64] {
    var times: [UInt64] = []
    for tick in stride(from: seconds.lowerBound * 1000, to: seconds.upperBound * 1000, by: 100)
    where policy.record(measured: measured, expected: 5_000, at: tick * 1000) {
      times.append(tick)
    }
    return times
  }

  @Test func `latency within 10 ms of the expected is left alone`() {
    #expect(times(0...100, measured: 15_000).isEmpty)
  }

  @Test func `a second of excess is thrown away, and not again within 10 s`() {
    #expect(times(0...25, measured: 16_000) == [1_000, 11_000, 21_000])
  }

  @Test func `an excess that passes within a second is jitter`() {
    for second: UInt64 in 0..<20 {
      #expect(times(second...second + 1, measured: 40_000).isEmpty)
      let calm = policy.record(measured: 0, expected: 5_000, at: (second + 1) * 1_000_000 - 1)
      #expect(!calm)
    }
  }
}

@Suite final class `Feeding the watchdog` {
  private var watchdog = Watchdog()

  private func isWell(answer: Int, isRunning: Bool, hops: Int) -> Bool {
    watchdog.isWell(answer: answer, isRunning: isRunning, hops: hops)
  }

  @Test func `it is fed once for each answer`() {
    watchdog.ask(isRunning: false, hops: 0)
    #expect(!isWell(answer: 0, isRunning: false, hops: 0))
    #expect(isWell(answer: 1, isRunning: false, hops: 0))
    #expect(!isWell(answer: 1, isRunning: false, hops: 0))
  }

  @Test func `an audio loop that does not answer starves it`() {
    watchdog.ask(isRunning: false, hops: 0)
    watchdog.ask(isRunning: false, hops: 0)
    #expect(!isWell(answer: 0, isRunning: false, hops: 0))
    #expect(watchdog.question == 1)
  }

  @Test func `a stream whose hops stand still starves it until they go on`() {
    watchdog.ask(isRunning: true, hops: 7)
    #expect(!isWell(answer: 1, isRunning: true, hops: 7))
    #expect(isWell(answer: 1, isRunning: true, hops: 8))
  }

  @Test func `hops need not go on once nobody listens`() {
    watchdog.ask(isRunning: true, hops: 7)
    #expect(isWell(answer: 1, isRunning: false, hops: 7))
  }
}

@Suite struct `Atomic words` {
  @Test(arguments: Mode.allCases, [nil, 0, 12.5, 100] as [Float?])
  func `mode, strength and low cut survive packing`(mode: Mode, strength: Float?) {
    for lowCut in [false, true] {
      let settings = DenoiserSettings(mode: mode, strength: strength, lowCut: lowCut)
      #expect(DenoiserSettings(packed: settings.packed) == settings)
    }
  }

  @Test(arguments: Governor.Level.allCases, [false, true])
  func `a ladder survives packing`(top: Governor.Level, hasLight: Bool) {
    let ladder = Ladder(top: top, hasLight: hasLight)
    #expect(Ladder(packed: ladder.packed) == ladder)
  }
}
