import Foundation
import QDKernels
import Seeded
import Testing

@Suite struct FourierTransformTests {
  /// The definition, in double precision.
  private func reference(_ samples: [Float]) -> [Float] {
    let length = samples.count
    return (0...length / 2).flatMap { k in
      var (real, imaginary) = (0.0, 0.0)
      for (n, sample) in samples.enumerated() {
        let angle = -2 * Double.pi * Double(k * n % length) / Double(length)
        real += Double(sample) * cos(angle)
        imaginary += Double(sample) * sin(angle)
      }
      return [Float(real), Float(imaginary)]
    }
  }

  /// Half lengths of every first pass, whole and broken vectors, and those of the models.
  private static let points = [
    1, 2, 3, 4, 5, 6, 8, 15, 24, 48, 60, 64, 72, 80, 120, 160, 240, 256, 375, 480, 600, 2048,
  ]

  @Test(arguments: points, InstructionSet.available)
  func `it is the definition, and comes back`(points: Int, instructionSet: InstructionSet) {
    let length = 2 * points
    var generator = SeededGenerator(seed: UInt64(points))
    let samples = generator.floats(length)
    var transform = FourierTransform(length: length, instructionSet: instructionSet)
    var spectrum = [Float](repeating: .nan, count: length + 2)
    unsafe transform.forward(samples, into: &spectrum)
    // The root mean square of the spectrum is that of the samples times √length.
    let bound = 1e-6 * Float(length).squareRoot()
    #expect(zip(spectrum, reference(samples)).allSatisfy { abs($0 - $1) < bound })
    var back = [Float](repeating: .nan, count: length)
    unsafe transform.inverse(spectrum, into: &back)
    #expect(zip(back, samples).allSatisfy { abs($0 / Float(length) - $1) < 1e-6 })
  }

  @Test func `the ends of a spectrum are real, whatever a filter made of them`() {
    var transform = FourierTransform(length: 960)
    var spectrum = [Float](repeating: 0, count: 962)
    spectrum[1] = 5
    spectrum[961] = -3
    var samples = [Float](repeating: .nan, count: 960)
    unsafe transform.inverse(spectrum, into: &samples)
    #expect(samples.allSatisfy { $0 == 0 })
  }

  @Test func `lengths that are odd or have large prime factors are refused`() {
    for length in [2, 480, 512, 960] { #expect(FourierTransform.supports(length: length)) }
    for length in [0, -2, 15, 2 * 7, 2 * 441] {
      #expect(!FourierTransform.supports(length: length))
    }
  }
}
