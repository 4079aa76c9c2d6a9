import Foundation
import Synchronization
public import Testing

/// A test that hears real time, which a machine with other work may not give it. Where the machine was
/// disturbed and an expectation failed, the test is retried after a rest; the third time counts
/// whatever the machine does, so that what is broken fails. What was forgiven is printed, and the
/// runner calls it a known issue. A program of ours that crashed is never forgiven.
public struct RealTime: TestTrait, SuiteTrait, TestScoping {
  private static let attempts = 3
  @TaskLocal private static var watched: Disturbance?

  /// What the machine did to the running test so far; its bounds are those of a machine at rest and that.
  public static var machine: Disturbance {
    guard let watched else { preconditionFailure("the test has no trait .realTime") }
    return watched
  }

  public var isRecursive: Bool { true }

  public func scopeProvider(for test: Test, testCase: Test.Case?) -> Self? {
    testCase == nil ? nil : self
  }

  public func provideScope(
    for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
  ) async throws {
    for attempt in 1...Self.attempts {
      let machine = Disturbance()
      defer { machine.stop() }
      let isForgiven = Atomic(false)
      try await withKnownIssue(
        "the machine was disturbed, the test is retried", isIntermittent: true
      ) {
        try await Self.$watched.withValue(machine, operation: function)
      } matching: { issue in
        // A test that was skipped has cancelled its task.
        guard attempt < Self.attempts, machine.isHeard, !Task.isCancelled, !(issue.error is Crash)
        else { return false }
        isForgiven.store(true, ordering: .relaxed)
        return true
      }
      print("measured: \(machine)")
      guard isForgiven.load(ordering: .relaxed) else { return }
      print("➜ \(test.name) is retried: attempt \(attempt) of \(Self.attempts) failed")
      Disturbance.waitForRest(seconds: 20)
    }
  }
}

extension Trait where Self == RealTime {
  /// Heard again where the machine was disturbed; see `RealTime`.
  public static var realTime: Self { RealTime() }
}

/// A program of ours that a signal ended which nobody sends.
struct Crash: Error, CustomStringConvertible {
  var description: String

  /// Records an issue where `child` is ours and crashed.
  static func check(_ child: Child) {
    let ours = [Piece.built("qdenoise"), Piece.built("denoisectl")]
    let signals = [SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV]
    guard ours.contains(child.program), let status = child.poll(), signals.contains(status - 128)
    else { return }
    Issue.record(
      Crash(description: "\(child.program): signal \(status - 128): \(child.output.suffix(2000))"))
  }
}
