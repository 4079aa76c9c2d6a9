import Testing

import QDAudioPath

@Suite struct `Hop assembler` {
  private let hop = 48

  /// Feeds a ramp in pieces of the given length and gives all hops, joined.
  private func assemble(_ samples: [Float], piece: Int) -> [Float] {
    var assembler = HopAssembler(hop: hop)
    var result: [Float] = []
    var start = 0
    while start < samples.count {
      let end = min(start + piece, samples.count)
      samples[start..<end].withUnsafeBufferPointer { fragment in
        var taken = 0
        while taken < fragment.count {
          taken += assembler.take(fragment.baseAddress! + taken, fragment.count - taken)
          guard assembler.isFull else { continue }
          let full = assembler.finish()
          result += (0..<hop).map { full[$0] }
        }
      }
      start = end
    }
    return result
  }

  @Test(arguments: [1, 7, 47, 48, 49, 96, 480])
  func `pieces of any length give the same hops`(piece: Int) {
    let samples = (0..<480).map { Float($0 % 97) / 97 }
    let whole = assemble(samples, piece: 480)
    #expect(assemble(samples, piece: piece) == whole)
    // All but the first hop, which fades in, are the samples themselves.
    #expect(Array(whole[hop...]) == Array(samples[hop...]))
  }

  @Test func `the first hop fades in from silence`() {
    let first = assemble([Float](repeating: 1, count: 96), piece: 96)
    #expect(first[0] == 0)
    #expect(zip(first[..<hop], first[1..<hop]).allSatisfy { $0 < $1 })
    #expect(first[hop] == 1)
  }

  @Test func `what had arrived of a hop fades out into silence`() {
    var assembler = HopAssembler(hop: hop)
    let ones = [Float](repeating: 1, count: hop)
    _ = assembler.take(ones, hop)
    _ = assembler.finish()
    _ = assembler.take(ones, hop / 2)
    let last = assembler.finishSilent()
    let samples = (0..<hop).map { last[$0] }
    #expect(samples[0] == 1)
    #expect(samples[hop / 2 - 1] < 0.05)
    #expect(samples[(hop / 2)...].allSatisfy { $0 == 0 })
    let next = assembler.finishSilent()
    #expect((0..<hop).allSatisfy { next[$0] == 0 })
  }

  @Test func `a hole is silence of its length`() {
    var assembler = HopAssembler(hop: hop)
    let taken = assembler.take(nil, 1000)
    #expect(taken == hop)
    let full = assembler.finish()
    #expect((0..<hop).allSatisfy { full[$0] == 0 })
  }
}
