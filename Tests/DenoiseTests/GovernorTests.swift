import QDDenoise
import Testing

@Suite struct GovernorTests {
  /// Records hops until something changes.
  private func next(_ governor: inout Governor, late: Bool, within hops: Int) -> Governor.Change? {
    for _ in 0..<hops {
      if let change = governor.record(late: late) { return change }
    }
    return nil
  }

  @Test func `a hop that is late now and then changes nothing`() {
    var governor = Governor()
    for hop in 0..<10_000 {
      #expect(governor.record(late: hop % 40 == 0) == nil)
    }
  }

  @Test func `late hops lead down the whole ladder and no further`() {
    var governor = Governor()
    var levels: [Governor.Level] = []
    while let change = next(&governor, late: true, within: 10) {
      #expect(change.isDown)
      levels.append(change.to)
    }
    #expect(levels == [.light, .gate, .bypass])
  }

  @Test func `without a light model the gate is next`() {
    var governor = Governor(hasLight: false)
    #expect(next(&governor, late: true, within: 3)?.to == .gate)
    #expect(next(&governor, late: false, within: governor.patience)?.to == .full)
  }

  @Test(arguments: [true, false])
  func `below low latency there is no model with a longer hop`(hasLight: Bool) {
    var governor = Governor(top: .lowLatency, hasLight: hasLight, hopSeconds: 0.005)
    #expect(next(&governor, late: true, within: 3)?.to == .gate)
    #expect(next(&governor, late: true, within: 3)?.to == .bypass)
    // Five seconds each, which are a thousand hops.
    #expect(next(&governor, late: false, within: 999) == nil)
    #expect(governor.record(late: false)?.to == .gate)
    #expect(next(&governor, late: false, within: 1000)?.to == .lowLatency)
    #expect(next(&governor, late: false, within: 10_000) == nil)
  }

  @Test func `it goes up again after patience, up to what the user chose`() {
    var governor = Governor(top: .light)
    _ = next(&governor, late: true, within: 3)
    #expect(governor.level == .gate)
    #expect(next(&governor, late: false, within: governor.patience - 1) == nil)
    #expect(governor.record(late: false)?.to == .light)
    #expect(next(&governor, late: false, within: 100_000) == nil)
  }

  @Test func `a step up that does not last makes the next one wait twice as long`() {
    var governor = Governor()
    _ = next(&governor, late: true, within: 3)
    var patience = governor.patience
    for _ in 0..<6 {
      #expect(next(&governor, late: false, within: patience - 1) == nil)
      #expect(governor.record(late: false)?.to == .full)
      #expect(next(&governor, late: true, within: 3)?.to == .light)
      patience = min(2 * patience, Governor.longestPatience * governor.patience)
    }
    #expect(patience == 16 * governor.patience)
  }
}

@Suite struct LatencyLedgerTests {
  @Test func `stages add up and are replaced by name`() {
    var ledger = LatencyLedger(budgetMicroseconds: 40_000)
    ledger.declare("window", samples: 960, sampleRate: 48000)
    ledger.measure("fragment", microseconds: 12_000)
    ledger.measure("fragment", microseconds: 10_000)
    #expect(ledger.stages.map(\.name) == ["window", "fragment"])
    #expect(ledger.stages.map(\.isMeasured) == [false, true])
    #expect(ledger.sumMicroseconds == 30_000)
    #expect(ledger.verdict == .within(spareMicroseconds: 10_000))
  }

  @Test func `a budget that is exceeded names the largest stage`() {
    var ledger = LatencyLedger(budgetMicroseconds: 25_000)
    ledger.declare("window", samples: 960, sampleRate: 48000)
    ledger.measure("fragment", microseconds: 10_000)
    #expect(ledger.verdict == .over(excessMicroseconds: 5_000, stage: "window"))
  }
}
