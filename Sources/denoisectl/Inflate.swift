/// Decompresses gzip files (RFC 1952) of DEFLATE blocks (RFC 1951).
package struct Inflate {
  package enum Problem: Error, CustomStringConvertible {
    case truncated, invalid, tooLarge, checksum

    package var description: String {
      switch self {
      case .truncated: "it ends too early"
      case .invalid: "its blocks make no sense"
      case .tooLarge: "it is too large"
      case .checksum: "its checksum is wrong"
      }
    }
  }

  private let bytes: [UInt8]
  private let limit: Int
  private var position: Int
  private var bits: UInt32 = 0
  private var bitCount = 0
  private var output: [UInt8] = []

  /// The first member of a gzip file.
  package static func gunzip(_ bytes: [UInt8], atMost limit: Int) throws(Problem) -> [UInt8] {
    guard bytes.count >= 18, bytes[0] == 0x1F, bytes[1] == 0x8B, bytes[2] == 8 else {
      throw .invalid
    }
    let flags = bytes[3]
    var position = 10
    if flags & 4 != 0 {
      position += 2 + Int(bytes[10]) + Int(bytes[11]) << 8
    }
    for flag: UInt8 in [8, 16] where flags & flag != 0 {
      guard position < bytes.count, let end = bytes[position...].firstIndex(of: 0) else {
        throw .truncated
      }
      position = end + 1
    }
    if flags & 2 != 0 { position += 2 }
    guard position < bytes.count else { throw .truncated }
    var inflate = Inflate(bytes, position, limit)
    try inflate.run()
    let end = inflate.position
    guard bytes.count - end >= 8 else { throw .truncated }
    func word(_ start: Int) -> UInt32 {
      (0..<4).reduce(UInt32(0)) { word, index in
        word | UInt32(bytes[start + index]) << UInt32(8 * index)
      }
    }
    let (sum, size) = (word(end), word(end + 4))
    guard size == UInt32(truncatingIfNeeded: inflate.output.count),
      sum == checksum(inflate.output)
    else { throw .checksum }
    return inflate.output
  }

  private init(_ bytes: [UInt8], _ position: Int, _ limit: Int) {
    self.bytes = bytes
    self.position = position
    self.limit = limit
  }

  /// CRC-32 of ISO 3309.
  private static func checksum(_ bytes: [UInt8]) -> UInt32 {
    var table: [UInt32] = []
    for index in 0..<256 {
      var entry = UInt32(index)
      for _ in 0..<8 {
        let isOdd = entry & 1 != 0
        entry >>= 1
        if isOdd { entry ^= 0xEDB8_8320 }
      }
      table.append(entry)
    }
    var sum = ~UInt32(0)
    for byte in bytes { sum = table[Int((sum ^ UInt32(byte)) & 0xFF)] ^ (sum >> 8) }
    return ~sum
  }

  // MARK: Blocks

  private mutating func run() throws(Problem) {
    var isLast = false
    while !isLast {
      isLast = try take(1) != 0
      switch try take(2) {
      case 0: try copyStored()
      case 1: try decode(.fixedLengths, .fixedDistances)
      case 2: try decodeDynamic()
      default: throw .invalid
      }
    }
  }

  private mutating func take(_ count: Int) throws(Problem) -> Int {
    while bitCount < count {
      guard position < bytes.count else { throw .truncated }
      bits |= UInt32(bytes[position]) << UInt32(bitCount)
      position += 1
      bitCount += 8
    }
    let value = bits & ((1 << UInt32(count)) - 1)
    bits >>= UInt32(count)
    bitCount -= count
    return Int(value)
  }

  private mutating func copyStored() throws(Problem) {
    bits = 0
    bitCount = 0
    guard bytes.count - position >= 4 else { throw .truncated }
    let length = Int(bytes[position]) | Int(bytes[position + 1]) << 8
    position += 4
    guard bytes.count - position >= length else { throw .truncated }
    guard output.count + length <= limit else { throw .tooLarge }
    output.append(contentsOf: bytes[position..<position + length])
    position += length
  }

  private mutating func symbol(_ code: Code) throws(Problem) -> Int {
    // Codes of one length are consecutive numbers, starting after those of the length before.
    var (value, first, index) = (0, 0, 0)
    for length in 1..<code.counts.count {
      value |= try take(1)
      let count = code.counts[length]
      if value - first < count { return code.symbols[index + value - first] }
      index += count
      first = (first + count) << 1
      value <<= 1
    }
    throw .invalid
  }

  private mutating func decode(_ lengths: Code, _ distances: Code) throws(Problem) {
    while true {
      let symbol = try symbol(lengths)
      if symbol < 256 {
        guard output.count < limit else { throw .tooLarge }
        output.append(UInt8(symbol))
        continue
      }
      if symbol == 256 { return }
      guard symbol - 257 < Self.lengthBases.count else { throw .invalid }
      let length = Self.lengthBases[symbol - 257] + (try take(Self.lengthBits[symbol - 257]))
      let code = try self.symbol(distances)
      guard code < Self.distanceBases.count else { throw .invalid }
      let distance = Self.distanceBases[code] + (try take(max(0, code / 2 - 1)))
      guard distance <= output.count else { throw .invalid }
      guard output.count + length <= limit else { throw .tooLarge }
      for _ in 0..<length { output.append(output[output.count - distance]) }
    }
  }

  private mutating func decodeDynamic() throws(Problem) {
    let literals = try take(5) + 257
    let distances = try take(5) + 1
    let count = try take(4) + 4
    var lengths = Array(repeating: 0, count: 19)
    let order = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15]
    for place in order.prefix(count) { lengths[place] = try take(3) }
    let code = Code(lengths)
    var all: [Int] = []
    while all.count < literals + distances {
      let symbol = try symbol(code)
      switch symbol {
      case 0..<16: all.append(symbol)
      case 16:
        guard let last = all.last else { throw .invalid }
        all.append(contentsOf: repeatElement(last, count: try take(2) + 3))
      case 17: all.append(contentsOf: repeatElement(0, count: try take(3) + 3))
      default: all.append(contentsOf: repeatElement(0, count: try take(7) + 11))
      }
    }
    guard all.count == literals + distances else { throw .invalid }
    try decode(Code(Array(all[..<literals])), Code(Array(all[literals...])))
  }

  /// A canonical Huffman code: the number of symbols of each length, and the symbols in order.
  private struct Code {
    var counts = Array(repeating: 0, count: 16)
    var symbols: [Int]

    init(_ lengths: [Int]) {
      for length in lengths where length > 0 { counts[length] += 1 }
      symbols = lengths.indices.filter { lengths[$0] > 0 }
        .sorted { (lengths[$0], $0) < (lengths[$1], $1) }
    }

    static let fixedLengths = Code(
      Array(repeating: 8, count: 144) + Array(repeating: 9, count: 112)
        + Array(repeating: 7, count: 24) + Array(repeating: 8, count: 8))
    static let fixedDistances = Code(Array(repeating: 5, count: 30))
  }

  private static let lengthBases = [
    3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131,
    163, 195, 227, 258,
  ]
  private static let lengthBits = [
    0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0,
  ]
  private static let distanceBases = [
    1, 2, 3, 4, 5, 7, 9, 13, 17, 25, 33, 49, 65, 97, 129, 193, 257, 385, 513, 769, 1025, 1537, 2049,
    3073, 4097, 6145, 8193, 12289, 16385, 24577,
  ]
}
