import Foundation
import Seeded
import QDSignal
import Testing

@Suite struct RateConverterTests {
  /// Everything that a converter makes of `input`.
  private func converted(_ input: [Float], ratio: Double) -> [Float] {
    var converter = RateConverter(.best)
    var output: [Float] = []
    var piece = [Float](repeating: 0, count: 1000)
    var rest = input[...]
    while true {
      let progress = rest.withUnsafeBufferPointer { source in
        piece.withUnsafeMutableBufferPointer {
          converter.convert(source, into: $0, ratio: ratio, isLast: true)
        }
      }
      rest = rest.dropFirst(progress.used)
      output += piece.prefix(progress.made)
      if progress.made == 0 && progress.used == 0 { return output }
    }
  }

  @Test(arguments: [8000, 16000, 44100, 96000])
  func `there and back keeps a tone in its place`(rate: Int) {
    let input = (0..<rate).map { 0.5 * Float(sin(2 * .pi * 500 * Double($0) / Double(rate))) }
    let ratio = 48000 / Double(rate)
    let back = converted(converted(input, ratio: ratio), ratio: 1 / ratio)
    #expect(abs(back.count - input.count) <= 2)
    let middle = rate / 4..<rate / 2
    #expect(largestDifference(back[middle], input[middle]) < 1e-4)
  }

  @Test func `impossible ratios are known beforehand`() {
    #expect(RateConverter.supports(ratio: 1.0 / 6))
    #expect(!RateConverter.supports(ratio: 1000))
    #expect(!RateConverter.supports(ratio: 0))
  }
}
