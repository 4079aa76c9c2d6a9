import Foundation
import QDKernels
import QDMemory
import Seeded
import QDSignal
import Testing

/// The Swift front end against the training script's, in double precision.
@Suite struct FrontEndTests {
  private static let hop = 480

  @Test(arguments: InstructionSet.available)
  func `features equal the training script's`(instructionSet: InstructionSet) throws {
    let samples = try frontEndVector("samples")
    let expected = try frontEndVector("features")
    let bands = Bands(low: 64, edges: try frontEndBandEdges())!
    var analysis = Analysis(hop: Self.hop)
    var history = SpectrumHistory(bins: bands.bins, depth: 1)
    var features = Features(
      bins: bands.bins, compression: 0.3, instructionSet: instructionSet)
    var row = [Float](repeating: 0, count: 3 * bands.positions)
    for hop in 0..<samples.count / Self.hop {
      history.advance()
      samples.withUnsafeBufferPointer {
        analysis.push($0.baseAddress! + hop * Self.hop, into: history.pointer(age: 0))
      }
      features.compute(history.pointer(age: 0), bands: bands, into: &row)
      for (index, value) in row.enumerated() {
        let wanted = expected[hop * row.count + index]
        #expect(
          abs(value - wanted) <= 1e-5 * (1 + abs(wanted)),
          "hop \(hop), value \(index): \(value) \(wanted)")
      }
    }
  }

  @Test func `taps and gains make the training script's output`() throws {
    let samples = try frontEndVector("samples")
    let taps = try frontEndVector("taps")
    let gains = try frontEndVector("gains")
    let expected = try frontEndVector("output")
    let bands = Bands(low: 64, edges: try frontEndBandEdges())!
    let filter = SpectralFilter(taps: 3, lookAhead: 0)
    var analysis = Analysis(hop: Self.hop)
    var synthesis = Synthesis(hop: Self.hop)
    var history = SpectrumHistory(bins: bands.bins, depth: filter.depth)
    var spectrum = [Float](repeating: 0, count: 2 * bands.bins)
    var output = [Float](repeating: 0, count: samples.count)
    for hop in 0..<samples.count / Self.hop {
      history.advance()
      samples.withUnsafeBufferPointer {
        analysis.push($0.baseAddress! + hop * Self.hop, into: history.pointer(age: 0))
      }
      filter.apply(
        filter: Array(taps[hop * 384..<(hop + 1) * 384]),
        gains: Array(gains[hop * 32..<(hop + 1) * 32]), to: history, bands: bands,
        into: &spectrum)
      output.withUnsafeMutableBufferPointer {
        synthesis.push(spectrum, into: $0.baseAddress! + hop * Self.hop)
      }
    }
    #expect(largestDifference(output, expected) < 1e-5)
  }

  @Test func `a filter with look-ahead answers for an older hop`() throws {
    let bands = Bands(low: 1, edges: [1, 5])!
    let filter = SpectralFilter(taps: 1, lookAhead: 2)
    var history = SpectrumHistory(bins: bands.bins, depth: filter.depth)
    var output = [Float](repeating: -1, count: 10)
    var answers: [Float] = []
    for hop in 1...4 {
      history.advance()
      history.pointer(age: 0).update(repeating: Float(hop), count: 10)
      filter.apply(filter: [1, 0], gains: [0.5], to: history, bands: bands, into: &output)
      answers.append(output[0])
      #expect(output[2...].allSatisfy { $0 == output[0] / 2 })
    }
    #expect(answers == [0, 0, 1, 2])
  }

  @Test func `bands that do not rise are refused`() {
    for edges in [[], [64], [63, 70], [64, 64], [64, 80, 70]] {
      let isRefused = Bands(low: 64, edges: edges) == nil
      #expect(isRefused, "\(edges)")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `compression is right from the floor to the loudest`(instructionSet: InstructionSet) {
    let kernels = SignalKernels(instructionSet)
    for count in [1, 15, 16, 17, 481] {
      var generator = SeededGenerator(seed: UInt64(count))
      let room = (count + 15) / 16 * 16
      var spectrum = [Float](repeating: 0, count: 2 * room)
      for index in 2..<2 * count {
        let exponent = Float.random(in: -7...4.2, using: &generator)
        spectrum[index] = powf(10, exponent) * (Bool.random(using: &generator) ? 1 : -1)
      }
      var magnitudes = [Float](repeating: 0, count: room)
      var (reals, imaginaries) = (magnitudes, magnitudes)
      kernels.compress(
        spectrum, bins: count, exponent: 0.3, floor: 1e-5, magnitude: &magnitudes, real: &reals,
        imaginary: &imaginaries)
      for bin in 0..<count {
        let (re, im) = (Double(spectrum[2 * bin]), Double(spectrum[2 * bin + 1]))
        let magnitude = max((re * re + im * im).squareRoot(), 1e-5)
        let direction = pow(magnitude, -0.7)
        let wanted = [magnitude * direction, re * direction, im * direction]
        for (plane, value) in zip([magnitudes, reals, imaginaries], wanted) {
          #expect(abs(Double(plane[bin]) - value) <= 2e-6 * abs(value), "bin \(bin) of \(count)")
        }
      }
    }
  }

  @Test func `what is not a number becomes silence and what is too loud is clipped`() {
    let input: [Float] = [0.5, .nan, .infinity, -.infinity, 1e30, -1e30, -16]
    var output = [Float](repeating: 9, count: input.count)
    SignalKernels.sanitize(input, count: input.count, limit: 16, into: &output)
    #expect(output == [0.5, 0, 0, 0, 16, -16, -16])
  }

  @Test func `denormals are flushed inside and not outside`() {
    var tiny = Float.leastNormalMagnitude
    let inside = Denormals.flushed { withUnsafeMutablePointer(to: &tiny) { halved($0) } }
    let outside = withUnsafeMutablePointer(to: &tiny) { halved($0) }
    #expect(inside == 0)
    #expect(outside > 0)
  }
}

@inline(never) private func halved(_ value: UnsafeMutablePointer<Float>) -> Float {
  value.pointee * 0.5
}
