import Testing

import QDAudioPath

@Suite final class `Silence clock` {
  private var clock = SilenceClock(hopMicroseconds: 10_000)

  @Test func `nothing is due while nobody listens`() {
    #expect(clock.due(at: 1_000_000) == 0)
    #expect(clock.next == nil)
    clock.heard(at: 1_000_000, period: 0)
    #expect(clock.next == nil)
  }

  @Test func `fragments that come in time keep it quiet`() {
    clock.start(at: 0)
    for time in stride(from: UInt64(10_000), to: 1_000_000, by: 10_000) {
      clock.heard(at: time, period: 0)
      #expect(clock.due(at: time) == 0)
    }
  }

  @Test func `silence starts when a fragment is overdue and goes on at the hop's pace`() {
    clock.start(at: 0)
    clock.heard(at: 100_000, period: 0)
    var given = 0
    for time in stride(from: UInt64(100_000), through: 1_100_000, by: 1_000) {
      given += clock.due(at: time)
    }
    // One second, less the 30 ms until the first.
    #expect(given == 98)
  }

  @Test func `what is due at once is counted once`() {
    clock.start(at: 0)
    #expect(clock.due(at: 5_000_000) == 498)
    #expect(clock.due(at: 5_000_000) == 0)
    #expect(clock.due(at: 5_010_000) == 1)
  }

  @Test func `a source that gives much at once is waited for longer`() {
    clock.start(at: 0)
    clock.heard(at: 10_000, period: 170_000)
    #expect(clock.due(at: 209_999) == 0)
    #expect(clock.due(at: 210_000) == 1)
  }
}
