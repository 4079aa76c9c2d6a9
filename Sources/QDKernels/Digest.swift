import CQDKernels

/// A hash of 128 bits over everything that it is given.
///
/// It is no cryptographic hash, so it finds accidental differences only.
package struct Digest: Equatable {
  private var state = ck_hash()
  /// Small values, which are hashed together.
  private var pending: [UInt8] = []

  package init() {}

  package mutating func add(_ bytes: UnsafeRawBufferPointer) {
    flush()
    unsafe state = ck_hash_bytes(bytes.baseAddress, bytes.count, state)
  }

  package mutating func add(_ number: Int) {
    unsafe withUnsafeBytes(of: Int64(number).littleEndian) { unsafe pending += $0 }
  }

  package mutating func add(_ numbers: some Collection<Int>) {
    add(numbers.count)
    for number in numbers { add(number) }
  }

  /// Many values at once, as they are in memory.
  package mutating func add(bytesOf values: [some BitwiseCopyable]) {
    add(values.count)
    unsafe values.withUnsafeBytes { unsafe add($0) }
  }

  package mutating func add(_ text: String) {
    add(text.utf8.count)
    pending += text.utf8
  }

  /// The hash as 16 bytes.
  package var bytes: [UInt8] {
    var digest = self
    digest.flush()
    return [digest.state.low, digest.state.high].flatMap { word in
      (0..<8).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
  }

  private mutating func flush() {
    let bytes = pending
    guard !bytes.isEmpty else { return }
    pending.removeAll(keepingCapacity: true)
    unsafe bytes.withUnsafeBytes {
      unsafe state = ck_hash_bytes($0.baseAddress, $0.count, state)
    }
  }

  package static func == (left: Digest, right: Digest) -> Bool { left.bytes == right.bytes }
}
