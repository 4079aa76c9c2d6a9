/// The latency from the microphone to the application, stage by stage, against a budget.
public struct LatencyLedger: Equatable, Sendable, Codable {
  /// One stage of the path.
  public struct Stage: Equatable, Sendable, Codable {
    public var name: String
    public var microseconds: Int
    /// Whether the value was measured while running, rather than declared.
    public var isMeasured: Bool

    public init(name: String, microseconds: Int, isMeasured: Bool) {
      self.name = name
      self.microseconds = microseconds
      self.isMeasured = isMeasured
    }
  }

  /// The sum compared with the budget.
  public enum Verdict: Equatable, Sendable, Codable {
    case within(spareMicroseconds: Int)
    /// `stage` is the largest one.
    case over(excessMicroseconds: Int, stage: String)
  }

  public private(set) var stages: [Stage] = []
  public var budgetMicroseconds: Int

  public init(budgetMicroseconds: Int) {
    self.budgetMicroseconds = budgetMicroseconds
  }

  /// Enters a stage whose latency is fixed by design, in samples.
  public mutating func declare(_ name: String, samples: Int, sampleRate: Int) {
    enter(
      Stage(name: name, microseconds: samples * 1_000_000 / sampleRate, isMeasured: false))
  }

  /// Enters a stage whose latency was measured.
  public mutating func measure(_ name: String, microseconds: Int) {
    enter(Stage(name: name, microseconds: microseconds, isMeasured: true))
  }

  /// Replaces the stage of the same name, or appends.
  private mutating func enter(_ stage: Stage) {
    if let index = stages.firstIndex(where: { $0.name == stage.name }) {
      stages[index] = stage
    } else {
      stages.append(stage)
    }
  }

  public var sumMicroseconds: Int { stages.reduce(0) { $0 + $1.microseconds } }

  public var verdict: Verdict {
    let excess = sumMicroseconds - budgetMicroseconds
    guard excess > 0, let largest = stages.max(by: { $0.microseconds < $1.microseconds }) else {
      return .within(spareMicroseconds: -excess)
    }
    return .over(excessMicroseconds: excess, stage: largest.name)
  }
}
