import QDMemory
import QDSignal
import Testing

@Suite struct `The low cut` {
  /// The gain of a bin whose numbers are 1 and -1.
  private func gain(atHertz hertz: Int, hop: Int) -> Float {
    let lowCut = LowCut(bins: hop + 1, sampleRate: 48000)
    var spectrum = AlignedBuffer<Float>(count: 2 * (hop + 1))
    for index in 0..<spectrum.count { spectrum[index] = index % 2 == 0 ? 1 : -1 }
    unsafe lowCut.apply(to: spectrum.pointer)
    let bin = hertz * 2 * hop / 48000
    #expect(spectrum[2 * bin] == -spectrum[2 * bin + 1])
    return spectrum[2 * bin]
  }

  @Test(arguments: [240, 480]) func `takes rumble and leaves voices`(hop: Int) {
    #expect(gain(atHertz: 0, hop: hop) == 0)
    #expect(abs(gain(atHertz: 100, hop: hop) - 0.8423) < 1e-3)
    #expect(gain(atHertz: 400, hop: hop) > 0.999)
    #expect(gain(atHertz: 1000, hop: hop) == 1)
    #expect(gain(atHertz: 24000, hop: hop) == 1)
  }

  @Test func `takes most of the lowest bin of a window of 20 ms`() {
    #expect(abs(gain(atHertz: 50, hop: 480) - 0.3638) < 1e-3)
  }
}
