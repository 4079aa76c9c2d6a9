import Seeded
import QDSignal
import Testing

@Suite struct VoiceActivityTests {
  /// What is said of each hop of the given probabilities.
  private func judgements(_ probabilities: [Float?], hopSeconds: Double = 0.01) -> [Bool] {
    var activity = VoiceActivity(hopSeconds: hopSeconds)
    return probabilities.map {
      activity.update(probability: $0)
      return activity.isActive
    }
  }

  @Test func `it begins in the hop in which speech is likely`() {
    let judgements = judgements([Float](repeating: 0, count: 200) + [VoiceActivity.opening])
    #expect(!judgements[199])
    #expect(judgements[200])
  }

  @Test(arguments: [0.005, 0.01])
  func `it outlasts speech for a while`(hopSeconds: Double) {
    let judgements = judgements([1] + [Float](repeating: 0, count: 400), hopSeconds: hopSeconds)
    let held = Int((VoiceActivity.hold / hopSeconds).rounded())
    #expect(judgements[...held].allSatisfy { $0 })
    #expect(judgements[(held + 1)...].allSatisfy { !$0 })
  }

  @Test func `the pauses within a sentence are none`() {
    // Words of 300 ms with pauses of up to 250 ms.
    var generator = SeededGenerator(seed: 3)
    var probabilities: [Float?] = []
    for _ in 0..<50 {
      probabilities += [Float](repeating: 0.9, count: 30)
      probabilities += [Float](repeating: 0.02, count: .random(in: 1...25, using: &generator))
    }
    #expect(judgements(probabilities).allSatisfy { $0 })
  }

  @Test func `steady noise is a pause`() {
    var generator = SeededGenerator(seed: 4)
    let probabilities = (0..<1000).map { _ in
      Float?(.random(in: 0..<VoiceActivity.staying, using: &generator))
    }
    #expect(judgements(probabilities)[100...].allSatisfy { !$0 })
  }

  @Test func `what would keep it up does not begin it`() {
    let between = (VoiceActivity.opening + VoiceActivity.staying) / 2
    let judgements = judgements(
      [Float?](repeating: between, count: 100) + [Float?](repeating: 0, count: 200)
        + [Float?](repeating: between, count: 100))
    #expect(judgements[..<100].allSatisfy { $0 })
    #expect(judgements[300...].allSatisfy { !$0 })
  }

  @Test func `what nobody knows is no pause`() {
    #expect(judgements([Float?](repeating: nil, count: 200)).allSatisfy { $0 })
  }

  @Test func `at the start and after a reset it is active`() {
    var activity = VoiceActivity(hopSeconds: 0.01)
    activity.update(probability: 0)
    #expect(activity.isActive)
    for _ in 0..<200 { activity.update(probability: 0) }
    #expect(!activity.isActive)
    activity.reset()
    #expect(activity.isActive)
  }
}
