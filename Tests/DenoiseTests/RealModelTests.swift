import CAllocationCount
import QDDenoise
import Foundation
import QDKernels
import QDModelStore
import Seeded
import Testing

/// The network that is built in, through the whole denoiser.
@Suite struct RealModelTests {
  private let hop = 480

  private func level(_ samples: some Collection<Float>) -> Float {
    10 * log10(samples.reduce(1e-20) { $0 + $1 * $1 } / Float(samples.count))
  }

  @Test func `hiss is taken away`() throws {
    var denoiser = try Denoiser(ModelStore.load(.light), mode: .strong)
    let input = noise(300 * hop, amplitude: 0.05)
    let output = denoise(input, with: &denoiser)
    #expect(level(output.suffix(100 * hop)) < level(input.suffix(100 * hop)) - 15)
  }

  @Test(arguments: Mode.allCases)
  func `silence stays silence after noise`(mode: Mode) throws {
    var denoiser = try Denoiser(ModelStore.load(.light), mode: mode)
    _ = denoise(noise(100 * hop), with: &denoiser)
    let output = denoise([Float](repeating: 0, count: 200 * hop), with: &denoiser)
    #expect(output.dropFirst(4 * hop).allSatisfy { $0 == 0 })
  }

  @Test func `what is no number or too loud leaves nothing behind`() throws {
    var denoiser = try Denoiser(ModelStore.load(.light), mode: .strong)
    let poison: [Float] = (0..<20 * hop).map { [.nan, .infinity, -1e38, 1e38][$0 % 4] }
    #expect(denoise(poison, with: &denoiser).allSatisfy { $0.isFinite })
    let output = denoise(noise(300 * hop, amplitude: 0.05), with: &denoiser)
    #expect(output.allSatisfy { $0.isFinite })
    #expect(denoiser.faults == 0)
    #expect(level(output.suffix(100 * hop)) < -30)
  }

  @Test(arguments: InstructionSet.available)
  func `every instruction set gives the same sound`(instructionSet: InstructionSet) throws {
    let model = try ModelStore.load(.light)
    let input = noise(50 * hop, amplitude: 0.1)
    var reference = try Denoiser(model, mode: .strong, instructionSet: .scalar)
    var denoiser = try Denoiser(model, mode: .strong, instructionSet: instructionSet)
    let expected = denoise(input, with: &reference)
    // Dynamic quantization may round one value the other way.
    #expect(largestDifference(denoise(input, with: &denoiser), expected) < 2e-3)
  }

  @Test func `a hop through the network allocates nothing`() throws {
    var denoiser = try Denoiser(ModelStore.load(.light))
    let input = noise(hop)
    var output = input
    denoiser.process(input, &output)
    let before = allocation_count()
    for _ in 0..<100 { denoiser.process(input, &output) }
    #expect(allocation_count() == before)
  }
}
