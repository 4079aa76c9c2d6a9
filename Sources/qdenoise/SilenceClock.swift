/// Decides when a listener is to be given silence because the microphone does not deliver.
///
/// Times are microseconds of the monotonic clock. Thread: audio.
package struct SilenceClock {
  /// A fragment that is overdue by this long is not waited for any more.
  package static let patience: UInt64 = 20_000
  /// Hops given at once when the thread itself was held up; the rest is forgotten.
  package static let longestBurst = 8

  package private(set) var hop: UInt64
  /// When the next hop of silence is due; nil while nobody listens.
  package private(set) var next: UInt64?
  /// Hops of silence given for sound that may still arrive late.
  package private(set) var debt = 0

  package init(hopMicroseconds: UInt64) { hop = hopMicroseconds }

  /// The hops that follow are of this length.
  package mutating func set(hopMicroseconds: UInt64) {
    debt = debt * Int(hop) / Int(hopMicroseconds)
    hop = hopMicroseconds
  }

  /// Somebody listens from now on.
  package mutating func start(at now: UInt64) {
    next = now + hop + Self.patience
    debt = 0
  }

  /// Nobody listens any more.
  package mutating func stop() { next = nil }

  /// A fragment arrived.
  package mutating func heard(at now: UInt64) {
    guard next != nil else { return }
    next = now + hop + Self.patience
  }

  /// How many hops of silence are due now.
  package mutating func due(at now: UInt64) -> Int {
    guard var due = next else { return 0 }
    var count = 0
    while due <= now {
      count += 1
      due += hop
    }
    next = due
    // The first hop after the patience makes up for the time waited, too.
    let given = min(count, Self.longestBurst)
    debt = min(debt + given, Self.longestBurst)
    return given
  }

  /// How many of `available` whole hops that arrived at once are to be thrown away, oldest first,
  /// because silence was given in their place.
  package mutating func late(of available: Int) -> Int {
    let late = min(debt, max(0, available - 1))
    debt = available <= 1 ? 0 : debt - late
    return late
  }
}
