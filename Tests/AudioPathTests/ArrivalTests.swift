import Testing

import QDAudioPath

@Suite final class `Arrival clock` {
  private var clock = ArrivalClock(sampleRate: 48_000)
  private var time: UInt64 = 1_000_000

  private func isBehind() -> Bool { clock.isBehind(by: 60_000, at: time) }

  private func run(milliseconds: Int, burst: Int) {
    for _ in 0..<milliseconds * 48 / burst {
      time += UInt64(burst) * 1_000_000 / 48_000
      clock.record(burst, at: time)
    }
  }

  @Test(arguments: [240, 256, 2048, 8192])
  func `the period is what comes at once`(burst: Int) {
    #expect(clock.period == 0)
    run(milliseconds: 2000, burst: burst)
    #expect(clock.period == burst)
    // One that was held up changes nothing.
    time += 60_000
    clock.record(48 * 60, at: time)
    run(milliseconds: 200, burst: burst)
    #expect(clock.period == burst)
  }

  @Test func `another quantum is known after three bursts`() {
    run(milliseconds: 1000, burst: 256)
    run(milliseconds: 4 * 171, burst: 8192)
    #expect(clock.period == 8192)
    run(milliseconds: 22, burst: 256)
    #expect(clock.period == 256)
  }

  @Test func `pieces that come together are one burst`() {
    for _ in 0..<50 {
      time += 10_000
      for piece in [1, 239, 200, 40] { clock.record(piece, at: time) }
    }
    #expect(clock.period == 480)
  }

  @Test func `a backlog is late until the last of it is there`() {
    run(milliseconds: 1000, burst: 240)
    time += 3_000_000
    var remaining = 144_000
    while remaining > 480 {
      clock.record(480, at: time)
      remaining -= 480
      time += 100
      if remaining > 12_000 { #expect(isBehind()) }
    }
    #expect(!isBehind())
    #expect(clock.lateness(at: time) < 50_000)
  }

  @Test func `samples that were lost are not waited for`() {
    run(milliseconds: 1000, burst: 240)
    time += 3_000_000
    clock.record(240, at: time)
    #expect(isBehind())
    for _ in 0..<20 {
      time += 5_000
      clock.record(240, at: time)
      _ = isBehind()
    }
    #expect(!isBehind())
    #expect(clock.lateness(at: time) < 5_000)
  }

  @Test func `a clock that is slower than ours is not late`() {
    // 500 parts per million.
    for _ in 0..<20_000 {
      time += 5_002
      time += UInt64.random(in: 0...1)
      clock.record(240, at: time)
    }
    #expect(clock.lateness(at: time) < 3_000)
  }
}

@Suite final class `Hop budget` {
  private var budget = HopBudget()

  private func give(_ wanted: Int, at now: UInt64, period: UInt64 = 0) -> Int {
    let given = min(wanted, budget.hops(at: now, hop: 10_000, period: period))
    for _ in 0..<given { budget.spend(hop: 10_000) }
    return given
  }

  @Test func `as much may be given as time passes, and five hops more`() {
    budget.start(at: 0)
    var given = 0
    for time in stride(from: UInt64(0), to: 10_000_000, by: 5_000) { given += give(10, at: time) }
    // A microphone may be faster by 0.2 %.
    #expect(1004...1008 ~= given)
  }

  @Test func `time in which nothing was given is not saved up`() {
    budget.start(at: 0)
    #expect(give(1, at: 10_000) == 1)
    #expect(give(300, at: 3_000_000) == HopBudget.credit)
    #expect(give(300, at: 3_000_000) == 0)
  }

  @Test func `a source that gives much at once may go on doing so`() {
    budget.start(at: 0)
    for burst in 1...100 {
      #expect(give(17, at: UInt64(burst) * 170_667, period: 170_667) == 17)
    }
  }

  @Test func `a microphone that is a little faster loses nothing`() {
    budget.start(at: 0)
    for hop in 1...100_000 { #expect(give(1, at: UInt64(hop) * 9_990) == 1) }
  }
}

@Suite struct `Sample queue` {
  private func contents(_ queue: inout SampleQueue) -> [Float] {
    var all: [Float] = []
    while queue.count > 0 {
      let piece = queue.oldest
      all += piece
      queue.drop(piece.count)
    }
    return all
  }

  @Test func `it gives what it took, in order, round its end`() {
    var queue = SampleQueue(capacity: 8)
    for start in stride(from: Float(0), to: 40, by: 5) {
      #expect(queue.append([start, start + 1, start + 2, start + 3, start + 4], 5) == 0)
      #expect(contents(&queue) == (0..<5).map { start + Float($0) })
    }
  }

  @Test func `it keeps the newest and says what it lost`() {
    var queue = SampleQueue(capacity: 4)
    #expect(queue.append([1, 2, 3], 3) == 0)
    #expect(queue.append([4, 5], 2) == 1)
    #expect(queue.append(nil, 1) == 1)
    #expect(contents(&queue) == [3, 4, 5, 0])
    #expect(queue.append([1, 2, 3, 4, 5, 6], 6) == 2)
    #expect(contents(&queue) == [3, 4, 5, 6])
  }
}
