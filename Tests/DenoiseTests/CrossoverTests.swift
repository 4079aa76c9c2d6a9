import CAllocationCount
import Denoise
import Foundation
import Seeded
import Testing

@Suite struct CrossoverTests {
  private let hop = 480

  /// A crossover from what takes everything away to what leaves all as it is, offered before hop 5.
  private func run(
    entrance: Denoiser.Entrance, hops: Int, input: [Float]
  ) throws -> [Float] {
    var crossover = Crossover(try Denoiser(ConstantModel.nothing.model, mode: .strong))
    let slots = DenoiserSlots()
    var output = [Float](repeating: 0, count: input.count)
    for index in 0..<hops {
      if index == 5 {
        var newcomer = try Denoiser(ConstantModel.identity.model, mode: .light)
        newcomer.entrance = entrance
        newcomer.tag = 7
        slots.offer(newcomer)
      }
      crossover.exchange(with: slots)
      input.withUnsafeBufferPointer { from in
        output.withUnsafeMutableBufferPointer { to in
          crossover.process(from.baseAddress! + index * hop, to.baseAddress! + index * hop)
        }
      }
    }
    #expect(crossover.tag == 7)
    let isChanging = crossover.isChanging
    #expect(!isChanging)
    slots.collect()
    return output
  }

  @Test func `a warm newcomer is unheard for twenty hops and fades in over one`() throws {
    let input = (0..<40 * hop).map { 0.5 * Float(sin(2 * .pi * 100 * Double($0) / 48000)) }
    let output = try run(entrance: .warm, hops: 40, input: input)
    let fade = 5 + Crossover.warmingHops
    #expect(output.prefix(fade * hop).allSatisfy { $0 == 0 })
    #expect(
      largestDifference(output[(fade + 1) * hop..<40 * hop], input[fade * hop..<39 * hop]) < 1e-5)
    let steepest = zip(output, output.dropFirst()).map { abs($1 - $0) }.max()!
    #expect(steepest < 0.008)
  }

  @Test func `an entrance at once passes dry until the newcomer is whole`() throws {
    let input = (0..<20 * hop).map { 0.5 * Float(sin(2 * .pi * 100 * Double($0) / 48000)) }
    let output = try run(entrance: .atOnce, hops: 20, input: input)
    #expect(output.prefix(5 * hop).allSatisfy { $0 == 0 })
    // Hop 5 fades from the old one's silence to dry; from hop 6 on all is there.
    #expect(largestDifference(output[6 * hop..<20 * hop], input[5 * hop..<19 * hop]) < 1e-5)
    let steepest = zip(output, output.dropFirst()).map { abs($1 - $0) }.max()!
    #expect(steepest < 0.008)
  }

  @Test func `a newcomer takes over the mode, and follows it while it warms`() throws {
    var crossover = Crossover(try Denoiser(ConstantModel.identity.model, mode: .strong))
    let slots = DenoiserSlots()
    slots.offer(try Denoiser(ConstantModel.identity.model, mode: .standard))
    crossover.exchange(with: slots)
    crossover.set(mode: .mute, strength: nil)
    let input = noise(hop)
    var output = input
    for _ in 0..<Crossover.warmingHops + 1 { crossover.process(input, &output) }
    let isChanging = crossover.isChanging
    #expect(!isChanging)
    #expect(output.allSatisfy { $0 == 0 })
  }

  @Test func `the next newcomer waits until the last one who left is collected`() throws {
    var crossover = Crossover(try Denoiser(ConstantModel.identity.model))
    let slots = DenoiserSlots()
    let input = noise(hop)
    var output = input
    func change(to tag: Int) throws {
      var newcomer = try Denoiser(ConstantModel.identity.model)
      newcomer.entrance = .atOnce
      newcomer.tag = tag
      slots.offer(newcomer)
      for _ in 0..<4 {
        crossover.exchange(with: slots)
        crossover.process(input, &output)
      }
    }
    try change(to: 1)
    #expect(crossover.tag == 1)
    try change(to: 2)
    #expect(crossover.tag == 2)
    // Two have left, one of them is still in the slot.
    try change(to: 3)
    #expect(crossover.tag == 2)
    slots.collect()
    for _ in 0..<4 {
      crossover.exchange(with: slots)
      crossover.process(input, &output)
    }
    #expect(crossover.tag == 3)
  }

  @Test func `a change of denoiser allocates nothing on the audio path`() throws {
    var crossover = Crossover(try Denoiser(ConstantModel.identity.model))
    let slots = DenoiserSlots()
    slots.offer(try Denoiser(ConstantModel.nothing.model))
    let input = noise(hop)
    var output = input
    crossover.process(input, &output)
    let before = allocation_count()
    for _ in 0..<30 {
      crossover.exchange(with: slots)
      crossover.process(input, &output)
    }
    #expect(allocation_count() == before)
    let isChanging = crossover.isChanging
    #expect(!isChanging)
  }
}
