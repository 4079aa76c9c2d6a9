import QDKernels
import QDMemory
import Seeded
import Testing

/// The hash that tells contents from each other.
struct DigestTests {
  private func hash(_ bytes: [UInt8]) -> [UInt8] {
    var digest = Digest()
    bytes.withUnsafeBytes { digest.add($0) }
    return digest.bytes
  }

  /// Lengths around a stripe of 64 and a block of 1024 bytes.
  private static let lengths = [
    0, 1, 8, 63, 64, 65, 127, 128, 1023, 1024, 1025, 2047, 2048, 4096 + 17,
  ]

  @Test(arguments: lengths)
  func `every bit changes the hash`(length: Int) {
    var random = SeededGenerator(seed: UInt64(length))
    var bytes = (0..<length).map { _ in UInt8.random(in: 0...255, using: &random) }
    let original = hash(bytes)
    #expect(original.count == 16 && original == hash(bytes))
    var seen: Set<[UInt8]> = [original]
    for bit in 0..<8 * length {
      bytes[bit / 8] ^= 1 << (bit % 8)
      let changed = hash(bytes)
      bytes[bit / 8] ^= 1 << (bit % 8)
      #expect(seen.insert(changed).inserted, "bit \(bit)")
      let distance = zip(original, changed).reduce(0) { $0 + ($1.0 ^ $1.1).nonzeroBitCount }
      #expect((24...104).contains(distance), "bit \(bit): \(distance) bits of 128")
    }
  }

  @Test func `zeros of different lengths and equal blocks in another order differ`() {
    var seen: Set<[UInt8]> = []
    for length in 0..<3000 {
      #expect(seen.insert(hash(Array(repeating: 0, count: length))).inserted)
    }
    let (a, b) = ([UInt8](repeating: 1, count: 1024), [UInt8](repeating: 2, count: 1024))
    #expect(hash(a + b) != hash(b + a))
    let (c, d) = (Array(a[..<64]), Array(b[..<64]))
    #expect(hash(c + d) != hash(d + c))
  }

  @Test func `the parts count, not only their sum`() {
    var whole = Digest()
    whole.add("ab")
    whole.add("c")
    var other = Digest()
    other.add("a")
    other.add("bc")
    #expect(whole.bytes != other.bytes)
    var numbers = Digest()
    numbers.add([1, 2])
    numbers.add([3])
    var others = Digest()
    others.add([1])
    others.add([2, 3])
    #expect(numbers.bytes != others.bytes)
  }

  @Test func `the hash is that of earlier builds`() {
    let bytes = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7) }
    #expect(
      hash(bytes) == [
        242, 161, 138, 102, 223, 121, 200, 204, 182, 221, 218, 18, 138, 206, 238, 136,
      ])
  }
}

/// Buffers that are found again.
struct BufferStoreTests {
  private func ask(_ store: BufferStore, counts: [Int]) -> (values: [[Float]], made: Int) {
    var made = 0
    var values: [[Float]] = []
    for count in counts {
      let buffer: AlignedBuffer<Float> = BufferStore?(store).buffer(count: count) { pointer in
        made += 1
        for index in 0..<count { pointer[index] = Float(index + 1) }
      }
      values.append((0..<count).map { buffer[$0] })
      let isOdd = BufferStore?(store).decision {
        made += 1
        return count % 2 == 1
      }
      #expect(isOdd == (count % 2 == 1))
    }
    return (values, made)
  }

  /// 1 to 20, for the whole run.
  private nonisolated(unsafe) static let memory: UnsafeRawBufferPointer = {
    let memory = UnsafeMutableRawBufferPointer.allocate(byteCount: 80, alignment: 64)
    for index in 0..<20 {
      memory.storeBytes(of: Float(index + 1), toByteOffset: 4 * index, as: Float.self)
    }
    return UnsafeRawBufferPointer(memory)
  }()

  /// Items like those of a file.
  private func items(_ counts: [Int]) -> [BufferStore.Item] {
    counts.flatMap { count -> [BufferStore.Item] in
      [
        .bytes(UnsafeRawBufferPointer(rebasing: Self.memory[..<(4 * count)])),
        .number(count % 2 == 1 ? 1 : 0),
      ]
    }
  }

  @Test func `the same questions have the recorded answers`() {
    let store = BufferStore(replaying: items([3, 20, 8]), of: MemoryOwner {})
    let (values, made) = ask(store, counts: [3, 20, 8])
    #expect(made == 0)
    #expect(values.map(\.count) == [3, 20, 8])
    #expect(values[1] == (1...20).map(Float.init))
    #expect(store.state == .replaying)
  }

  /// A buffer of another size, an item of another kind, and too few items.
  @Test(arguments: [[3, 19, 8], [3], []])
  func `an answer that does not fit is computed`(recorded: [Int]) {
    let store = BufferStore(replaying: items(recorded), of: MemoryOwner {})
    let (values, made) = ask(store, counts: [3, 20, 8])
    #expect(made > 0)
    #expect(values == [3, 20, 8].map { (1...$0).map(Float.init) })
    #expect(store.state == .failed)
  }

  @Test func `borrowed memory is released with the last buffer`() {
    let released = Released()
    func use() {
      var store: BufferStore? = BufferStore(
        replaying: items([4]), of: MemoryOwner { released.count += 1 })
      let buffer: AlignedBuffer<Float> = store.buffer(count: 4) { _ in }
      store = nil
      #expect(released.count == 0)
      #expect(buffer[3] == 4)
    }
    use()
    #expect(released.count == 1)
  }

  private final class Released: @unchecked Sendable {
    var count = 0
  }
}
