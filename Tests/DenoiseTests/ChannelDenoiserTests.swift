import QDDenoise
import Foundation
import Seeded
import Testing

@Suite struct ChannelDenoiserTests {
  /// A recording in uneven pieces.
  private func process(
    _ input: [Float], sampleRate: Int, mode: Mode = .bypass, keepsDelay: Bool = false
  ) throws -> [Float] {
    var denoiser = try ChannelDenoiser(
      ConstantModel.identity.model, sampleRate: sampleRate, mode: mode, keepsDelay: keepsDelay)
    var output: [Float] = []
    var rest = input[...]
    var size = 1
    while !rest.isEmpty {
      denoiser.process(rest.prefix(size), into: &output)
      rest = rest.dropFirst(size)
      size = size * 3 % 5001
    }
    denoiser.finish(into: &output)
    return output
  }

  private func tone(_ count: Int, sampleRate: Int) -> [Float] {
    (0..<count).map { 0.5 * Float(sin(2 * .pi * 500 * Double($0) / Double(sampleRate))) }
  }

  @Test(arguments: [8000, 16000, 22050, 44100, 48000, 96000, 192_000])
  func `the output lies in time with the input`(sampleRate: Int) throws {
    let input = tone(sampleRate / 2 + 17, sampleRate: sampleRate)
    let output = try process(input, sampleRate: sampleRate)
    #expect(output.count == input.count)
    let middle = sampleRate / 10..<sampleRate * 4 / 10
    #expect(largestDifference(output[middle], input[middle]) < 1e-3)
  }

  @Test(arguments: [0, 1, 479, 480, 481, 5000])
  func `as many samples come out as went in`(count: Int) throws {
    for sampleRate in [8000, 48000] {
      #expect(try process(noise(count), sampleRate: sampleRate).count == count)
    }
  }

  @Test func `at the model's rate nothing is lost at either end`() throws {
    let input = noise(48_000 + 123)
    let output = try process(input, sampleRate: 48000)
    #expect(largestDifference(output, input) < 1e-5)
  }

  @Test(arguments: [8000, 48000])
  func `a live output is late by the model's delay`(sampleRate: Int) throws {
    let input = tone(sampleRate / 2, sampleRate: sampleRate)
    let output = try process(input, sampleRate: sampleRate, keepsDelay: true)
    #expect(output.count == input.count)
    let delay = sampleRate / 100
    let middle = sampleRate / 10..<sampleRate * 4 / 10
    #expect(
      largestDifference(output[middle].dropFirst(delay), input[middle].dropLast(delay)) < 1e-3)
  }

  @Test func `rates out of the converter's reach are known beforehand`() throws {
    let model = try ConstantModel.identity.model
    #expect(ChannelDenoiser.supports(sampleRate: 8000, model: model))
    #expect(!ChannelDenoiser.supports(sampleRate: 100, model: model))
    #expect(!ChannelDenoiser.supports(sampleRate: 0, model: model))
  }
}
