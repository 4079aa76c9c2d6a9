import Seeded
import Signal
import Testing

@Suite struct VoiceGateTests {
  private let hopSeconds = 0.01

  /// The gain after each hop of the given probabilities.
  private func gains(_ probabilities: [Float?], hopSeconds: Double = 0.01) -> [Float] {
    var gate = VoiceGate(hopSeconds: hopSeconds)
    return probabilities.map {
      gate.update(probability: $0)
      return gate.gain
    }
  }

  private func decibels(_ gain: Float) -> Float { Signal.decibels(meanSquare: gain * gain) }

  @Test func `it opens in the hop in which speech is likely`() {
    let gains = gains([Float](repeating: 0, count: 200) + [VoiceGate.opening])
    #expect(abs(decibels(gains[199]) - VoiceGate.closedDecibels) < 0.01)
    #expect(gains[200] == 1)
  }

  @Test(arguments: [0.005, 0.01])
  func `it stays open for a while, then closes steadily`(hopSeconds: Double) {
    let hops = Int(2 / hopSeconds)
    let gains = gains([1] + [Float](repeating: 0, count: hops), hopSeconds: hopSeconds)
    let held = Int((VoiceGate.hold / hopSeconds).rounded())
    #expect(gains[...held].allSatisfy { $0 == 1 })
    #expect(gains[held + 1] < 1)
    let step = VoiceGate.closingRate * Float(hopSeconds)
    for (before, after) in zip(gains[held...], gains[(held + 1)...]) {
      let expected = max(VoiceGate.closedDecibels, decibels(before) - step)
      #expect(abs(decibels(after) - expected) < 0.01)
    }
    #expect(abs(decibels(gains[hops]) - VoiceGate.closedDecibels) < 0.01)
  }

  @Test func `the pauses within a sentence do not move it`() {
    // Words of 300 ms with pauses of up to 250 ms.
    var generator = SeededGenerator(seed: 3)
    var probabilities: [Float?] = []
    for _ in 0..<50 {
      probabilities += [Float](repeating: 0.9, count: 30)
      probabilities += [Float](repeating: 0.02, count: .random(in: 1...25, using: &generator))
    }
    #expect(gains(probabilities).allSatisfy { $0 == 1 })
  }

  @Test func `steady noise leaves it closed`() {
    var generator = SeededGenerator(seed: 4)
    let probabilities = (0..<1000).map { _ in
      Float?(.random(in: 0..<VoiceGate.staying, using: &generator))
    }
    let gains = gains(probabilities)
    #expect(Set(gains[100...]).count == 1)
  }

  @Test func `what would keep it open does not open it`() {
    let between = (VoiceGate.opening + VoiceGate.staying) / 2
    let gains = gains(
      [Float?](repeating: between, count: 100) + [Float?](repeating: 0, count: 200)
        + [Float?](repeating: between, count: 100))
    #expect(gains[..<100].allSatisfy { $0 == 1 })
    #expect(gains[300...].allSatisfy { abs(decibels($0) - VoiceGate.closedDecibels) < 0.01 })
  }

  @Test func `what nobody knows is heard`() {
    #expect(gains([Float?](repeating: nil, count: 200)).allSatisfy { $0 == 1 })
  }

  @Test func `at the start and after a reset it is open`() {
    var gate = VoiceGate(hopSeconds: hopSeconds)
    gate.update(probability: 0)
    #expect(gate.isOpen)
    for _ in 0..<200 { gate.update(probability: 0) }
    #expect(!gate.isOpen)
    gate.reset()
    #expect(gate.isOpen && gate.gain == 1)
  }
}
