import CAllocationCount
import QDDenoise
import Foundation
import Seeded
import Testing

@Suite struct CrossoverTests {
  private let hop = 480

  /// A crossover from what takes everything away to what leaves all as it is, offered before hop 5.
  private func run(
    entrance: Denoiser.Entrance, hops: Int, input: [Float]
  ) throws -> [Float] {
    var crossover = Crossover(
      try Denoiser(ConstantModel.nothing.model, mode: .strong, lowCut: false))
    let slots = DenoiserSlots()
    var output = [Float](repeating: 0, count: input.count)
    for index in 0..<hops {
      if index == 5 {
        var newcomer = try Denoiser(ConstantModel.identity.model, mode: .light, lowCut: false)
        newcomer.entrance = entrance
        newcomer.tag = 7
        slots.offer(newcomer)
      }
      crossover.exchange(with: slots)
      input.withUnsafeBufferPointer { from in
        output.withUnsafeMutableBufferPointer { to in
          _ = crossover.process(from.baseAddress! + index * hop, to.baseAddress! + index * hop)
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

  /// What comes out, hop by hop, as a denoiser with another hop comes in, offered before hop 5.
  private func change(
    from first: ConstantModel, to second: ConstantModel, entrance: Denoiser.Entrance,
    input: [Float]
  ) throws -> (output: [Float], lengths: [Int]) {
    var crossover = Crossover(try Denoiser(first.model, mode: .strong, lowCut: false))
    let slots = DenoiserSlots()
    var output: [Float] = []
    var lengths: [Int] = []
    var piece = [Float](repeating: 0, count: Model.largestHop)
    var start = 0
    while start + crossover.hop <= input.count {
      if lengths.count == 5 {
        var newcomer = try Denoiser(second.model, mode: .strong, lowCut: false)
        newcomer.entrance = entrance
        slots.offer(newcomer)
      }
      crossover.exchange(with: slots)
      let hop = crossover.hop
      let count = crossover.process(Array(input[start..<start + hop]), &piece)
      start += hop
      lengths.append(count)
      output += piece.prefix(count)
    }
    #expect(crossover.hop == second.hop)
    return (output, lengths)
  }

  @Test(
    arguments: [
      (480, 240), (240, 480), (480, 160), (120, 480), (480, 768), (768, 480), (480, 384),
    ],
    [true, false])
  func `a newcomer with another hop comes in without a step, at its own delay`(
    hops: (Int, Int), isWarm: Bool
  ) throws {
    // 100.7 Hz: no jump in time is whole periods.
    let input = (0..<48000).map { 0.5 * Float(sin(2 * .pi * 100.7 * Double($0) / 48000)) }
    let (output, lengths) = try change(
      from: ConstantModel(hop: hops.0), to: ConstantModel(hop: hops.1),
      entrance: isWarm ? .warm : .atOnce, input: input)
    let hopsBefore = try #require(lengths.firstIndex(of: hops.1))
    #expect(lengths[hopsBefore...].allSatisfy { $0 == hops.1 })
    // Its entrance is where hops of both end; its own began with the fifth.
    #expect((hopsBefore + 1 - 5) * hops.0 % hops.1 == 0)
    let longer = max(hops.0, hops.1)
    let warmed = (hopsBefore + 1 - 5) * hops.0 / longer
    // Hops that do not divide each other end together every eighth at most.
    let wait = longer % min(hops.0, hops.1) == 0 ? 0 : 8
    #expect((isWarm ? 20...22 + wait : 1...3 + wait).contains(warmed))
    // Before it the old delay, after it the new one. A hop more or less came out in that hop.
    let before = output[hops.0..<hopsBefore * hops.0]
    #expect(largestDifference(before, input[0..<(hopsBefore - 1) * hops.0]) < 1e-5)
    let consumed = (hopsBefore + 1) * hops.0
    let after = output[(hopsBefore * hops.0 + hops.1)...]
    let expected = input[(consumed - hops.1)...].prefix(after.count)
    #expect(largestDifference(after, Array(expected)) < 1e-5)
    // The steepest of the sine is 0.0066 a sample. A fade between two of them over 120 samples adds
    // at most their distance by its slope.
    let steepest = zip(output, output.dropFirst()).map { abs($1 - $0) }.max()!
    #expect(steepest < 0.0067 + 1 / Float(min(hops.0, hops.1)))
  }

  @Test func `after a pause a newcomer with another hop is there at once`() throws {
    var crossover = Crossover(try Denoiser(ConstantModel.identity.model, lowCut: false))
    let slots = DenoiserSlots()
    slots.offer(try Denoiser(ConstantModel(hop: 240).model, lowCut: false))
    crossover.exchange(with: slots)
    crossover.reset()
    #expect(crossover.hop == 240)
    #expect(crossover.latency == 240)
  }

  @Test func `hops fit if they soon end together`() {
    #expect(Crossover.fits(480, 240) && Crossover.fits(240, 480) && Crossover.fits(480, 480))
    #expect(Crossover.fits(480, 768) && Crossover.fits(384, 480) && Crossover.fits(240, 768))
    #expect(!Crossover.fits(480, 257))
  }

  @Test func `a newcomer takes over the mode, and follows it while it warms`() throws {
    var crossover = Crossover(
      try Denoiser(ConstantModel.identity.model, mode: .strong, lowCut: false))
    let slots = DenoiserSlots()
    slots.offer(try Denoiser(ConstantModel.identity.model, mode: .standard, lowCut: false))
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
    var crossover = Crossover(try Denoiser(ConstantModel.identity.model, lowCut: false))
    let slots = DenoiserSlots()
    let input = noise(hop)
    var output = input
    func change(to tag: Int) throws {
      var newcomer = try Denoiser(ConstantModel.identity.model, lowCut: false)
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
    var crossover = Crossover(try Denoiser(ConstantModel.identity.model, lowCut: false))
    let slots = DenoiserSlots()
    slots.offer(try Denoiser(ConstantModel.nothing.model, lowCut: false))
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
