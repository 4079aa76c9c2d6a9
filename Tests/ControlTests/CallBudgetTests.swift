import QDControl
import Testing

/// What a caller on the bus may take of the daemon's time.
struct CallBudgetTests {
  private struct Call: Equatable {
    var caller: String
    var time: UInt64
    var takes: UInt64 = 1
  }

  /// Which of the calls are answered.
  private func answered(_ calls: [Call]) -> [Bool] {
    var budget = CallBudget()
    return calls.map { call in
      let isAdmitted = budget.admits(call.caller, at: call.time)
      budget.charge(call.takes)
      return isAdmitted
    }
  }

  @Test func `a caller has so many calls a second, and others have theirs`() {
    let flood = (0..<CallBudget.most + 1).map { Call(caller: "a", time: 5_000_000 + UInt64($0)) }
    let after = [
      Call(caller: "b", time: 5_900_000), Call(caller: "a", time: 5_900_001),
      Call(caller: "a", time: 6_000_000),
    ]
    let expected = [Bool](repeating: true, count: CallBudget.most) + [false, true, false, true]
    #expect(answered(flood + after) == expected)
  }

  @Test func `a caller whose calls take long has fewer`() {
    let calls = [
      Call(caller: "a", time: 0, takes: CallBudget.longest - 1), Call(caller: "a", time: 1),
      // What is charged where nobody was admitted is nobody's.
      Call(caller: "a", time: 2, takes: CallBudget.longest), Call(caller: "b", time: 3),
    ]
    #expect(answered(calls) == [true, true, false, true])
  }
}
