import CAllocationCount
import QDDenoise
import Foundation
import Seeded
import QDSignal
import Testing

@Suite struct DenoiserTests {
  private let hop = 480

  @Test(arguments: [0, 1, 3])
  func `the measured delay is the declared one`(lookAhead: Int) throws {
    let model = try ConstantModel(lookAhead: lookAhead).model
    var denoiser = try Denoiser(model, mode: .strong, lowCut: false)
    var input = [Float](repeating: 0, count: 20 * hop)
    input[1234] = 1
    let output = denoise(input, with: &denoiser)
    let peak = output.indices.max { output[$0] < output[$1] }
    #expect(peak == 1234 + denoiser.latency)
    #expect(denoiser.latency == model.latency)
    #expect(denoiser.latency == hop * (1 + lookAhead))
  }

  @Test(arguments: [Mode.bypass, .light, .standard, .strong])
  func `a network that changes nothing is a delay in every mode`(mode: Mode) throws {
    var denoiser = try Denoiser(ConstantModel.identity.model, mode: mode, lowCut: false)
    let input = noise(30 * hop)
    let output = denoise(input, with: &denoiser)
    #expect(largestDifference(output.dropFirst(denoiser.latency), input) < 1e-5)
  }

  @Test(arguments: [
    (Mode.light, Float?.none, 12), (.standard, nil, 24), (.light, 6, 6), (.strong, 40, 40),
  ])
  func `the limit is what remains of what the network takes away`(
    mode: Mode, strength: Float?, decibels: Int
  ) throws {
    var denoiser = try Denoiser(
      ConstantModel.nothing.model, mode: mode, strength: strength, lowCut: false)
    let input = noise(30 * hop)
    let output = denoise(input, with: &denoiser)
    let factor = pow(10, -Float(decibels) / 20)
    let expected = input.map { factor * $0 }
    #expect(largestDifference(output.dropFirst(denoiser.latency), expected) < 1e-5)
  }

  @Test func `strong without a strength has no limit, and mute is silent`() throws {
    for (model, mode) in [(ConstantModel.nothing, Mode.strong), (.identity, .mute)] {
      var denoiser = try Denoiser(model.model, mode: mode, lowCut: false)
      #expect(denoise(noise(10 * hop), with: &denoiser).allSatisfy { $0 == 0 })
    }
  }

  @Test func `complex taps reach back over three hops`() throws {
    // Half of what was there one hop ago, half of two hops ago, for the low bins.
    var denoiser = try Denoiser(
      ConstantModel(taps: [0, 0, 0.5, 0, 0.5, 0], gain: 0).model, mode: .strong, lowCut: false)
    let input = (0..<30 * hop).map { Float(sin(2 * .pi * 1000 * Double($0) / 48000)) }
    let output = denoise(input, with: &denoiser)
    // 1 kHz has whole periods in a hop: the filter gives it back as it was.
    #expect(largestDifference(output[4 * hop..<29 * hop], input[3 * hop..<28 * hop]) < 1e-3)
  }

  @Test func `a change of mode cross-fades within one hop`() throws {
    var denoiser = try Denoiser(ConstantModel.nothing.model, mode: .strong, lowCut: false)
    let input = (0..<20 * hop).map { 0.5 * Float(sin(2 * .pi * 100 * Double($0) / 48000)) }
    var output = denoise(Array(input.prefix(10 * hop)), with: &denoiser)
    denoiser.set(mode: .bypass)
    output += denoise(Array(input.suffix(10 * hop)), with: &denoiser)
    #expect(output.prefix(10 * hop).allSatisfy { $0 == 0 })
    #expect(largestDifference(output.dropFirst(11 * hop), input.dropFirst(10 * hop)) < 1e-5)
    // A sine of 100 Hz at 0.5 rises by less than 0.0066 from sample to sample; a step would show.
    let steepest = zip(output, output.dropFirst()).map { abs($1 - $0) }.max()!
    #expect(steepest < 0.0075)
  }

  /// Level of a tone of 50 Hz behind a network that passes everything, over its level before it.
  private func rumble(_ denoiser: inout Denoiser, path: Denoiser.Path = .network) -> Float {
    let tone = (0..<40 * hop).map { 0.25 * Float(sin(2 * .pi * 50 * Double($0) / 48000)) }
    let output = denoise(tone, with: &denoiser, path: path).suffix(20 * hop)
    let power = output.reduce(0) { $0 + $1 * $1 } / Float(output.count)
    return (power / (0.25 * 0.25 / 2)).squareRoot()
  }

  @Test func `rumble goes in the modes that denoise, and stays where it is wanted`() throws {
    var denoiser = try Denoiser(ConstantModel.identity.model, mode: .strong)
    #expect(rumble(&denoiser) < 0.5)
    denoiser.set(mode: .light)
    #expect(rumble(&denoiser) < 0.5)
    #expect(rumble(&denoiser, path: .gate) < 0.5)
    denoiser.set(mode: .strong)
    denoiser.hasLowCut = false
    #expect(abs(rumble(&denoiser) - 1) < 1e-3)
    denoiser.set(mode: .bypass)
    #expect(abs(rumble(&denoiser) - 1) < 1e-3)
    denoiser.set(mode: .standard, strength: 0)
    #expect(abs(rumble(&denoiser) - 1) < 1e-3)
  }

  @Test func `a late hop passes dry and cross-fades both ways`() throws {
    var denoiser = try Denoiser(ConstantModel.nothing.model, mode: .strong, lowCut: false)
    let input = (0..<30 * hop).map { 0.5 * Float(sin(2 * .pi * 100 * Double($0) / 48000)) }
    var output = denoise(Array(input[..<(10 * hop)]), with: &denoiser)
    output += denoise(Array(input[(10 * hop)..<(20 * hop)]), with: &denoiser, path: .dry)
    output += denoise(Array(input[(20 * hop)...]), with: &denoiser)
    #expect(output.prefix(10 * hop).allSatisfy { $0 == 0 })
    #expect(
      largestDifference(output[11 * hop..<20 * hop], input[10 * hop..<19 * hop]) < 1e-5)
    #expect(output.dropFirst(21 * hop).allSatisfy { $0 == 0 })
    let steepest = zip(output, output.dropFirst()).map { abs($1 - $0) }.max()!
    #expect(steepest < 0.0075)
  }

  @Test func `mute stays mute when a hop is late`() throws {
    var denoiser = try Denoiser(ConstantModel.identity.model, mode: .mute, lowCut: false)
    for path in [Denoiser.Path.dry, .gate] {
      #expect(denoise(noise(5 * hop), with: &denoiser, path: path).allSatisfy { $0 == 0 })
    }
  }

  @Test func `the gate takes steady noise down and lets a voice through`() throws {
    var denoiser = try Denoiser(ConstantModel.identity.model, mode: .strong, lowCut: false)
    let background = denoise(noise(200 * hop, amplitude: 0.01), with: &denoiser, path: .gate)
    let hiss = background.suffix(50 * hop).map(abs).max()!
    #expect(hiss < 0.01 * 0.13)
    let voice = noise(20 * hop, seed: 2, amplitude: 0.3)
    let passed = denoise(voice, with: &denoiser, path: .gate)
    #expect(largestDifference(passed.dropFirst(2 * hop), voice.dropFirst(hop)) < 1e-5)
  }

  @Test(arguments: Mode.allCases)
  func `silence in is silence out, as soon as the windows have passed`(mode: Mode) throws {
    var denoiser = try Denoiser(
      ConstantModel(taps: [1, 1, -1, 0.5, 1, 2]).model, mode: mode, lowCut: false)
    _ = denoise(noise(10 * hop), with: &denoiser)
    let output = denoise([Float](repeating: 0, count: 10 * hop), with: &denoiser)
    #expect(output.dropFirst(4 * hop).allSatisfy { $0 == 0 })
  }

  @Test(arguments: [Float.nan, .infinity, -.infinity])
  func `samples that are no numbers count as silence`(value: Float) throws {
    let model = try ConstantModel(taps: [1, 1, -1, 0.5, 1, 2]).model
    var input = noise(20 * hop)
    var silenced = input
    for index in [0, 777, 778, 5000] {
      input[index] = value
      silenced[index] = 0
    }
    var denoiser = try Denoiser(model, lowCut: false)
    let output = denoise(input, with: &denoiser)
    denoiser.reset()
    #expect(output == denoise(silenced, with: &denoiser))
    #expect(denoiser.faults == 0)
  }

  @Test func `what is absurdly loud does not poison what comes after`() throws {
    var denoiser = try Denoiser(ConstantModel.identity.model, mode: .strong, lowCut: false)
    let loud = denoise([Float](repeating: 1e38, count: 5 * hop), with: &denoiser)
    #expect(loud.allSatisfy { $0.isFinite })
    let input = noise(20 * hop)
    let output = denoise(input, with: &denoiser)
    #expect(largestDifference(output.dropFirst(2 * hop), input.dropFirst(hop)) < 1e-5)
  }

  @Test func `a network that gives no numbers is silenced and counted`() throws {
    var denoiser = try Denoiser(ConstantModel(gain: .nan).model, mode: .strong, lowCut: false)
    let output = denoise(noise(5 * hop), with: &denoiser)
    #expect(output.allSatisfy { $0 == 0 })
    #expect(denoiser.faults == 5)
  }

  @Test func `after a reset the past is forgotten`() throws {
    var denoiser = try Denoiser(ConstantModel(taps: [1, 1, -1, 0.5, 1, 2]).model, lowCut: false)
    let input = noise(20 * hop)
    let first = denoise(input, with: &denoiser)
    denoiser.reset()
    #expect(denoise(input, with: &denoiser) == first)
  }

  @Test func `a hop may be denoised in place`() throws {
    let model = try ConstantModel(taps: [1, 1, -1, 0.5, 1, 2]).model
    var denoiser = try Denoiser(model, lowCut: false)
    let input = noise(10 * hop)
    let expected = denoise(input, with: &denoiser)
    denoiser.reset()
    var samples = input
    samples.withUnsafeMutableBufferPointer {
      for start in stride(from: 0, to: $0.count, by: hop) {
        denoiser.process($0.baseAddress! + start, $0.baseAddress! + start)
      }
    }
    #expect(samples == expected)
  }

  @Test func `levels are those of the latest hop`() throws {
    var denoiser = try Denoiser(ConstantModel.nothing.model, mode: .light, lowCut: false)
    _ = denoise([Float](repeating: 0.5, count: 5 * hop), with: &denoiser)
    #expect(abs(denoiser.levels.input - 0.25) < 1e-6)
    #expect(abs(10 * log10(denoiser.levels.output / denoiser.levels.input) + 12) < 0.01)
  }

  @Test func `the network's probability of speech decides what is a pause`() throws {
    let loud = noise(100 * hop)
    for (speech, isPause) in [(Float(0.9), false), (0.1, true)] {
      var denoiser = try Denoiser(ConstantModel(speech: speech).model, lowCut: false)
      _ = denoise(loud, with: &denoiser)
      #expect(denoiser.levels.speech == speech)
      #expect(denoiser.levels.isPause == isPause)
      // Without the network nobody but the energy gate can judge.
      _ = denoise(loud, with: &denoiser, path: .dry)
      #expect(denoiser.levels.speech == nil)
    }
  }

  @Test(arguments: [(Float.nan, Float?.none), (-0.5, 0), (7, 1)])
  func `a probability that is none does no harm`(given: Float, expected: Float?) throws {
    var denoiser = try Denoiser(ConstantModel(speech: given).model, mode: .strong, lowCut: false)
    let input = noise(100 * hop)
    let output = denoise(input, with: &denoiser)
    #expect(denoiser.levels.speech == expected)
    #expect(denoiser.faults == 0)
    guard expected != 0 else { return }
    #expect(largestDifference(output.dropFirst(denoiser.latency), input) < 1e-5)
  }

  @Test func `after the first hop nothing allocates, no hop and no change of mode`() throws {
    var denoiser = try Denoiser(ConstantModel.identity.model, lowCut: false)
    let input = noise(hop)
    var output = input
    denoiser.process(input, &output)
    let modes = Mode.allCases
    let before = allocation_count()
    for mode in modes {
      denoiser.set(mode: mode, strength: 20)
      denoiser.process(input, &output)
      denoiser.process(input, &output, path: .dry)
      denoiser.process(input, &output, path: .gate)
    }
    denoiser.reset()
    denoiser.process(input, &output)
    #expect(allocation_count() == before)
  }
}
