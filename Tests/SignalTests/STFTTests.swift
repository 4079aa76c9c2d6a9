import Seeded
import CAllocationCount
import Foundation
import Testing

import QDSignal

@Suite struct STFTTests {
  /// Analysis and synthesis in a row, hop by hop.
  private func roundTrip(_ input: [Float], hop: Int) -> [Float] {
    var analysis = Analysis(hop: hop)
    var synthesis = Synthesis(hop: hop)
    var spectrum = [Float](repeating: 0, count: 2 * analysis.bins)
    var output = [Float](repeating: 0, count: input.count)
    for start in stride(from: 0, to: input.count, by: hop) {
      input.withUnsafeBufferPointer { analysis.push($0.baseAddress! + start, into: &spectrum) }
      output.withUnsafeMutableBufferPointer {
        synthesis.push(spectrum, into: $0.baseAddress! + start)
      }
    }
    return output
  }

  @Test(arguments: [48, 160, 480])
  func `analysis then synthesis is a pure delay of one hop`(hop: Int) {
    var generator = SeededGenerator(seed: 1)
    let input = generator.floats(20 * hop)
    let output = roundTrip(input, hop: hop)
    #expect(output.prefix(hop).allSatisfy { abs($0) < 1e-6 })
    #expect(largestDifference(output.dropFirst(hop), input) < 2e-6)
  }

  @Test func `silence has no spectrum and comes back as silence`() {
    let output = roundTrip([Float](repeating: 0, count: 4800), hop: 480)
    #expect(output.allSatisfy { $0 == 0 })
  }

  @Test func `a sine stands in its bin`() {
    let hop = 480
    var analysis = Analysis(hop: hop)
    var spectrum = [Float](repeating: 0, count: 2 * analysis.bins)
    for start in [0, hop] {
      let samples = (start..<start + hop).map { Float(sin(2 * .pi * 20 * Double($0) / 960)) }
      analysis.push(samples, into: &spectrum)
    }
    // The window's sum is 960 x 2/π; half of it is on the positive frequency.
    let peak = (spectrum[40] * spectrum[40] + spectrum[41] * spectrum[41]).squareRoot()
    #expect(abs(peak - 960 / .pi) < 0.1)
  }

  @Test func `a hop through analysis and synthesis allocates nothing`() {
    let hop = 480
    var analysis = Analysis(hop: hop)
    var synthesis = Synthesis(hop: hop)
    var spectrum = [Float](repeating: 0, count: 2 * analysis.bins)
    var samples = [Float](repeating: 0.1, count: hop)
    let before = allocation_count()
    for _ in 0..<10 {
      analysis.push(samples, into: &spectrum)
      synthesis.push(spectrum, into: &samples)
    }
    #expect(allocation_count() == before)
  }
}
