/// Limits the work per hop: down a step when hops are late, up again when they have been on time
/// for long enough.
///
/// A step down happens at once, as soon as `lateHops` of the last `window` hops were late. A step
/// up needs `patience` hops on time; a step up that does not last doubles the patience of the next,
/// so that it is tried ever more rarely on a machine that is too slow.
/// Thread: audio.
public struct Governor: Sendable {
  /// The processing, from the most work to the least.
  public enum Level: Int, CaseIterable, Sendable, Comparable, Codable {
    /// The low-latency model is above the others, and its next level is the gate, because a model
    /// with another hop would make the sound jump.
    case lowLatency
    case full
    case light
    case gate
    case bypass

    public static func < (a: Level, b: Level) -> Bool { a.rawValue < b.rawValue }
  }

  /// A change of level that the caller carries out.
  public struct Change: Equatable, Sendable {
    public var from: Level
    public var to: Level
    /// A step down is taken at once; a step up may be warmed first.
    public var isDown: Bool { to > from }
  }

  /// Late hops within `window` that cause a step down.
  public static let lateHops = 3
  /// The number of recent hops that count; as many as bits in `recent`.
  public static let window = 64
  /// Seconds of hops on time before a step up.
  public static let patienceSeconds = 5.0
  /// The maximum factor of the patience: to 80 s.
  public static let longestPatience = 16

  public private(set) var level: Level
  /// The most work that is allowed: the user's choice of model.
  public let top: Level
  /// Whether there is a light model to step down to.
  public let hasLight: Bool
  /// Hops on time before a step up.
  public let patience: Int

  private var recent: UInt64 = 0
  private var hopsInTime = 0
  private var hopsSinceStepUp = Int.max
  private var currentPatience: Int

  public init(top: Level = .full, hasLight: Bool = true, hopSeconds: Double = 0.01) {
    precondition(hasLight || top != .light, "the top of the ladder is a model that there is not")
    self.top = top
    self.hasLight = hasLight
    level = top
    patience = Int((Governor.patienceSeconds / hopSeconds).rounded())
    currentPatience = patience
  }

  /// Records one hop and returns the resulting change. Call it once per hop.
  @_noAllocation @_noLocks
  public mutating func record(late: Bool) -> Change? {
    recent = recent << 1 | (late ? 1 : 0)
    hopsInTime = late ? 0 : hopsInTime + 1
    if hopsSinceStepUp < Int.max { hopsSinceStepUp += 1 }
    if recent.nonzeroBitCount >= Governor.lateHops, let below { return step(to: below) }
    if hopsInTime >= currentPatience, let above { return step(to: above) }
    return nil
  }

  private mutating func step(to next: Level) -> Change {
    let change = Change(from: level, to: next)
    if change.isDown {
      let failed = hopsSinceStepUp < 2 * patience
      currentPatience =
        failed ? min(2 * currentPatience, Governor.longestPatience * patience) : patience
      hopsSinceStepUp = Int.max
    } else {
      hopsSinceStepUp = 0
    }
    level = next
    recent = 0
    hopsInTime = 0
    return change
  }

  private var below: Level? {
    switch level {
    case .lowLatency: .gate
    case .full: hasLight ? .light : .gate
    case .light: .gate
    case .gate: .bypass
    case .bypass: nil
    }
  }

  private var above: Level? {
    if level == top { return nil }
    switch level {
    case .lowLatency, .full: return nil
    case .light: return .full
    case .gate where top == .lowLatency: return .lowLatency
    case .gate: return hasLight ? .light : .full
    case .bypass: return .gate
    }
  }
}
