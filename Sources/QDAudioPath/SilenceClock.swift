/// Decides when a listener is to be given silence because the microphone does not deliver.
///
/// Times are microseconds of the monotonic clock. Thread: audio.
package struct SilenceClock {
  /// A fragment that is overdue by this long is not waited for any more.
  package static let patience: UInt64 = 20_000

  package private(set) var hop: UInt64
  /// When the next hop of silence is due; nil while nobody listens.
  package private(set) var next: UInt64?

  package init(hopMicroseconds: UInt64) { hop = hopMicroseconds }

  /// The hops that follow are of this length.
  package mutating func set(hopMicroseconds: UInt64) { hop = hopMicroseconds }

  /// Somebody listens from now on.
  package mutating func start(at now: UInt64) { next = now + hop + Self.patience }

  /// Nobody listens any more.
  package mutating func stop() { next = nil }

  /// A fragment arrived from a source that gives `period` microseconds at a time.
  package mutating func heard(at now: UInt64, period: UInt64) {
    guard next != nil else { return }
    next = now + hop + period + Self.patience
  }

  /// How many hops of silence are due now.
  package mutating func due(at now: UInt64) -> Int {
    guard let due = next, due <= now else { return 0 }
    let count = (now - due) / hop + 1
    next = due + count * hop
    return Int(count)
  }
}
