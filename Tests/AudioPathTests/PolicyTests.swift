import QDDenoise
import Synchronization
import Testing

import QDAudioPath

@Suite final class `Resynchronization policy` {
  private var policy = ResynchronizationPolicy()

  /// Feeds one excess every 10 ms and gives the times, in ms, at which something is to be done.
  private func actions(
    _ milliseconds: Range<UInt64>, _ excess: (UInt64) -> Int
  ) -> [(UInt64, ResynchronizationPolicy.Action)] {
    stride(from: milliseconds.lowerBound, to: milliseconds.upperBound, by: 10).compactMap { time in
      let action = policy.record(excess: excess(time), at: time * 1000)
      return action == .nothing ? nil : (time, action)
    }
  }

  @Test func `an excess of 10 ms in the mean is left alone`() {
    #expect(actions(0..<100_000) { time in time % 20 == 0 ? 19_000 : 1_000 }.isEmpty)
  }

  @Test func `an excess that stays is left out within a second`() throws {
    let done = try #require(actions(0..<5000) { time in time < 1000 ? 0 : 20_000 }.first)
    #expect(1500...2000 ~= done.0)
    guard case .skip(let microseconds) = done.1 else { return #expect(done.1 == .nothing) }
    #expect(17_000...20_000 ~= microseconds)
  }

  @Test func `an excess that passes within half a second is jitter`() {
    #expect(actions(0..<20_000) { time in time % 2000 < 300 ? 90_000 / 3 : 0 }.isEmpty)
  }

  @Test func `more than 100 ms goes at once`() {
    #expect(policy.record(excess: 100_001, at: 0) == .empty)
    #expect(policy.record(excess: 0, at: 10_000) == .nothing)
    #expect(policy.excess == 0)
  }
}

@Suite struct `What was thrown away` {
  @Test func `within a second of an incident only a longer stall is told`() {
    let link = AudioLink(DenoiserSettings(), Ladder(top: .full, hasLight: false))
    var log = IncidentLog(link)
    func told(_ kind: Incident.Kind, _ milliseconds: UInt64, at now: UInt64) -> UInt64? {
      log.note(kind, milliseconds * 1000, at: now)
      return Incident(packed: link.incident.load(ordering: .relaxed))?.milliseconds
    }
    #expect(told(.stall, 60, at: 5_000_000) == 60)
    #expect(told(.piledUp, 30, at: 5_300_000) == 60)
    #expect(told(.stall, 50, at: 5_600_000) == 60)
    #expect(told(.stall, 90, at: 5_900_000) == 90)
    #expect(told(.piledUp, 30, at: 6_950_000) == 30)
  }
}

@Suite struct `Atomic words` {
  @Test(arguments: Incident.Kind.allCases)
  func `an incident survives packing`(kind: Incident.Kind) {
    let incident = Incident(kind, milliseconds: 2987, time: 1_000_000_000)
    #expect(Incident(packed: incident.packed) == incident)
    #expect(Incident(packed: 0) == nil)
  }

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
