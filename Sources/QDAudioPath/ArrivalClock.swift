/// How late samples arrive, and in bursts of which size.
///
/// The position in the stream against the clock: samples that come later than the earliest of the
/// last two seconds did, by their position, were held somewhere on the way. A stream that lost
/// samples is late for good; one that catches up is late until it has. Times are microseconds of
/// the monotonic clock. Thread: audio.
package struct ArrivalClock {
  /// Arrivals that are closer than this are one burst.
  private static let burstGap: UInt64 = 2_000
  /// A burst takes no longer than this.
  private static let longestBurst: UInt64 = 4_000
  /// How long the earliest arrival is remembered, at least.
  private static let window: UInt64 = 1_000_000
  /// A stream that is late and has not caught up by `progress` in this time has lost samples.
  private static let patience: UInt64 = 30_000
  private static let progress: Int64 = 10_000

  private let sampleRate: Int
  private var received = 0
  /// The arrival of sample 0, by the earliest arrival of this window and of the one before.
  private var earliest = Int64.max
  private var earlierEarliest = Int64.max
  private var windowStart: UInt64 = 0
  private var last: UInt64 = 0
  private var burst = 0
  private var burstStart: UInt64 = 0
  private var isRegular = false
  private var bursts = InlineArray<5, Int>(repeating: 0)
  private var burstCount = 0
  private var lateSince: (time: UInt64, lateness: Int64)?

  package init(sampleRate: Int) { self.sampleRate = sampleRate }

  /// A new stream starts.
  package mutating func reset() { self = ArrivalClock(sampleRate: sampleRate) }

  /// Records that `count` samples had arrived by `now`.
  /// - Parameter isRegular: whether they were taken as soon as they were there, so that their
  ///   number says something about the source.
  package mutating func record(_ count: Int, at now: UInt64, isRegular: Bool = true) {
    received += count
    if now - last > Self.burstGap {
      endBurst()
      burst = 0
      burstStart = now
      self.isRegular = true
    }
    last = now
    burst += count
    self.isRegular = self.isRegular && isRegular
    if now - windowStart > Self.window {
      windowStart = now
      earlierEarliest = earliest
      earliest = .max
    }
    earliest = min(earliest, start(at: now))
  }

  private mutating func endBurst() {
    guard burst > 0, isRegular else { return }
    bursts[burstCount % bursts.count] = burst
    burstCount += 1
  }

  /// Samples that arrive at once: the median of the last bursts; 0 before the first.
  package var period: Int {
    let filled = min(burstCount, bursts.count)
    for index in 0..<filled {
      var below = 0
      var equal = 0
      for other in 0..<filled {
        if bursts[other] < bursts[index] { below += 1 }
        if bursts[other] == bursts[index] { equal += 1 }
      }
      if below <= filled / 2 && filled / 2 < below + equal { return bursts[index] }
    }
    return 0
  }

  /// Whether the rest of a burst is on its way.
  package func isIncomplete(at now: UInt64) -> Bool {
    burst < period && now - burstStart < Self.longestBurst
  }

  /// Microseconds by which the newest sample came later than it could have.
  package func lateness(at now: UInt64) -> Int64 {
    guard received > 0 else { return 0 }
    return start(at: now) - min(earliest, earlierEarliest)
  }

  /// Whether even the newest sample is older than `limit` microseconds, and newer ones are on their
  /// way. Call it after `record`.
  package mutating func isBehind(by limit: Int64, at now: UInt64) -> Bool {
    let lateness = lateness(at: now)
    guard lateness > limit else {
      lateSince = nil
      return false
    }
    guard let since = lateSince else {
      lateSince = (now, lateness)
      return true
    }
    guard now - since.time >= Self.patience else { return true }
    if since.lateness - lateness < Self.progress {
      earliest = start(at: now)
      earlierEarliest = .max
      lateSince = nil
      return false
    }
    lateSince = (now, lateness)
    return true
  }

  /// When sample 0 would have arrived if all had come as late as the newest.
  private func start(at now: UInt64) -> Int64 {
    Int64(now) - Int64(received) * 1_000_000 / Int64(sampleRate)
  }
}
