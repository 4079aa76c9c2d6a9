import Foundation
import QDSignal
import Testing

/// Between 48 and 16 kHz in hops of 384 samples.
struct DecimationTests {
  private let hop = 384
  private let filter = DecimationFilter(factor: 3, delay: 120)

  /// Sixty hops of a sine, decimated.
  private func decimated(_ frequency: Double, hop: Int = 384) -> [Float] {
    var decimator = Decimator(filter, hop: hop)
    var output = [Float](repeating: 0, count: hop / 3)
    return (0..<60 * 384 / hop).flatMap { number in
      let input = (0..<hop).map {
        Float(sin(2 * .pi * frequency * Double(number * hop + $0) / 48000))
      }
      decimator.push(input, into: &output)
      return output
    }
  }

  @Test(arguments: [100.0, 1000, 4000, 7000])
  func `what both rates have passes, later by the delay`(frequency: Double) {
    let output = decimated(frequency)
    for index in 200..<output.count {
      let wanted = sin(2 * .pi * frequency * Double(3 * index - filter.delay) / 48000)
      #expect(abs(Double(output[index]) - wanted) < 2e-3)
    }
    // However the hops are cut.
    #expect(zip(decimated(frequency, hop: 48), output).allSatisfy { abs($0 - $1) < 1e-6 })
  }

  @Test(arguments: [8000.0, 9000, 15_000, 23_000])
  func `what the lower rate has no room for is taken out`(frequency: Double) {
    let worst = decimated(frequency).dropFirst(200).reduce(0) { max($0, abs($1)) }
    // 8 + 2.285 · 0.0916 · 240 = 58 dB.
    #expect(20 * log10(worst) < -55)
  }

  @Test func `there and back are twice the delay`() {
    var decimator = Decimator(filter, hop: hop)
    var interpolator = Interpolator(filter, hop: hop)
    var (low, output) = ([Float](repeating: 0, count: hop / 3), [Float](repeating: 0, count: hop))
    func input(_ index: Int) -> Float {
      (1...6).reduce(0) { $0 + Float(sin(Double($1 * $1) * 0.02 * Double(index))) }
    }
    for number in 0..<40 {
      decimator.push((0..<hop).map { input(number * hop + $0) }, into: &low)
      interpolator.push(low, into: &output)
      guard number > 2 else { continue }
      for index in 0..<hop {
        #expect(abs(output[index] - input(number * hop + index - 2 * filter.delay)) < 0.02)
      }
    }
  }
}
