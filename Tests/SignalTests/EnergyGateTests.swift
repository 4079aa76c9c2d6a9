import QDSignal
import Testing

@Suite struct EnergyGateTests {
  @Test func `it opens for what stands out, holds, and closes`() {
    var gate = EnergyGate(hopSeconds: 0.01)
    for _ in 0..<200 { gate.update(meanSquare: 1e-6) }
    #expect(!gate.isOpen)
    #expect(abs(gate.gain - linearGain(attenuation: 18)) < 1e-3)
    gate.update(meanSquare: 1e-3)
    #expect(gate.isOpen)
    #expect(gate.gain == 1)
    for _ in 0..<15 { gate.update(meanSquare: 1e-6) }
    #expect(gate.isOpen)
    for _ in 0..<100 { gate.update(meanSquare: 1e-6) }
    #expect(!gate.isOpen)
  }

  @Test func `the background follows a room that gets louder`() {
    var gate = EnergyGate(hopSeconds: 0.01)
    for _ in 0..<100 { gate.update(meanSquare: 1e-6) }
    // 20 dB more: within seconds it is background.
    for _ in 0..<1000 { gate.update(meanSquare: 1e-4) }
    #expect(!gate.isOpen)
    #expect(abs(gate.floor + 40) < 0.5)
  }

  @Test func `digital silence is no background`() {
    var gate = EnergyGate(hopSeconds: 0.01)
    for _ in 0..<150 { gate.update(meanSquare: 0) }
    for _ in 0..<50 { gate.update(meanSquare: 1e-3) }
    #expect(!gate.isOpen)
    #expect(abs(gate.floor + 30) < 0.1)
  }

  @Test func `a reset forgets the background`() {
    var gate = EnergyGate(hopSeconds: 0.01)
    for _ in 0..<100 { gate.update(meanSquare: 1e-8) }
    gate.reset()
    gate.update(meanSquare: 0.1)
    #expect(!gate.isOpen)
    #expect(abs(gate.floor + 10) < 0.1)
  }
}
