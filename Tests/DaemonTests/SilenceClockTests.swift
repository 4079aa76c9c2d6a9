import Testing

import qdenoise

@Suite final class `Silence clock` {
  private var clock = SilenceClock(hopMicroseconds: 10_000)

  @Test func `nothing is due while nobody listens`() {
    #expect(clock.due(at: 1_000_000) == 0)
    #expect(clock.next == nil)
    clock.heard(at: 1_000_000)
    #expect(clock.next == nil)
  }

  @Test func `fragments that come in time keep it quiet`() {
    clock.start(at: 0)
    for time in stride(from: UInt64(10_000), to: 1_000_000, by: 10_000) {
      clock.heard(at: time)
      #expect(clock.due(at: time) == 0)
    }
  }

  @Test func `silence starts when a fragment is overdue and goes on at the hop's pace`() {
    clock.start(at: 0)
    clock.heard(at: 100_000)
    var given = 0
    for time in stride(from: UInt64(100_000), through: 1_100_000, by: 1_000) {
      given += clock.due(at: time)
    }
    // One second, less the 30 ms until the first.
    #expect(given == 98)
  }

  @Test func `a thread that was held up does not give a flood`() {
    clock.start(at: 0)
    #expect(clock.due(at: 5_000_000) == SilenceClock.longestBurst)
    #expect(clock.due(at: 5_000_000) == 0)
  }

  @Test func `sound that comes late in place of silence given is thrown away`() {
    clock.start(at: 0)
    #expect(clock.due(at: 50_000) == 3)
    clock.heard(at: 50_500)
    #expect(clock.late(of: 5) == 3)
    #expect(clock.late(of: 5) == 0)
  }

  @Test func `sound that comes one hop at a time is never thrown away`() {
    clock.start(at: 0)
    #expect(clock.due(at: 50_000) == 3)
    #expect(clock.late(of: 1) == 0)
    #expect(clock.late(of: 5) == 0)
  }
}
