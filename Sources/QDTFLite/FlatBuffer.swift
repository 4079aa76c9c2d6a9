import QDEngine
import QDFiles
import QDMessages

/// Reads a FlatBuffer from untrusted bytes: every offset and length is checked.
///
/// In a hostile file many references may share one long vector, so that reading takes far more
/// memory than the file has bytes; therefore a budget limits the number of vector elements read.
final class FlatBuffer {
  let count: Int
  /// For error messages.
  let name: String
  private let bytes: [UInt8]
  /// Instead of `bytes`.
  private let file: MappedFile?
  private var budget: Int

  convenience init(_ bytes: [UInt8], name: String) {
    self.init(bytes, nil, count: bytes.count, name: name)
  }

  /// Constants of the graph stay in the file.
  convenience init(_ file: MappedFile, name: String) {
    unsafe self.init([], file, count: file.bytes.count, name: name)
  }

  private init(_ bytes: [UInt8], _ file: MappedFile?, count: Int, name: String) {
    self.bytes = bytes
    self.file = file
    self.count = count
    self.name = name
    // Writers share strings and vectors now and then, but never eight times on average.
    budget = 8 * count + 4096
  }

  /// Bytes at a valid place.
  func byte(_ place: Int) -> UInt8 {
    guard let file else { return bytes[place] }
    precondition(place >= 0 && place < count, "a place outside of the file")
    return unsafe file.bytes[place]
  }

  /// All bytes of a valid range.
  func array(_ range: Range<Int>) -> [UInt8] {
    guard let file else { return Array(bytes[range]) }
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "a place outside of the file")
    return unsafe Array(file.bytes[range])
  }

  /// The same as a constant, which stays in a mapped file.
  func constant(_ range: Range<Int>) -> Constant {
    guard let file, range.count >= FlatBuffer.leastMapped else { return Constant(array(range)) }
    return Constant(file, range)
  }

  /// Bytes of the smallest constant that stays in a mapped file.
  private static let leastMapped = 4096

  func root() throws(TFLiteError) -> Table {
    try table(at: 0)
  }

  func damaged(_ what: UserMessage.Literal, at offset: Int) -> TFLiteError {
    .damaged(name: name, what: UserMessage(what), offset: offset)
  }

  /// A little-endian scalar.
  func load<T: FixedWidthInteger>(_: T.Type, at offset: Int) throws(TFLiteError) -> T {
    let size = MemoryLayout<T>.size
    guard offset >= 0, offset <= count - size else {
      throw damaged("a value lies outside of it", at: offset)
    }
    var value: T = 0
    for i in 0..<size { value |= T(truncatingIfNeeded: byte(offset + i)) << T(8 * i) }
    return value
  }

  /// The target of the unsigned offset at `position`.
  func follow(_ position: Int) throws(TFLiteError) -> Int {
    let target = position + Int(try load(UInt32.self, at: position))
    guard target < count else { throw damaged("an offset leads outside", at: position) }
    return target
  }

  func table(at position: Int) throws(TFLiteError) -> Table {
    let start = try follow(position)
    let vtable = start - Int(try load(Int32.self, at: start))
    let vtableSize = Int(try load(UInt16.self, at: vtable))
    let size = Int(try load(UInt16.self, at: vtable + 2))
    guard vtableSize >= 4, vtableSize.isMultiple(of: 2), vtable + vtableSize <= count,
      size >= 4, start + size <= count
    else { throw damaged("a table is malformed", at: start) }
    return Table(buffer: self, start: start, size: size, vtable: vtable, vtableSize: vtableSize)
  }

  /// The range of the elements of the vector to which the offset at `position` points.
  func vector(at position: Int, elementSize: Int) throws(TFLiteError) -> Vector {
    let start = try follow(position)
    let count = Int(try load(UInt32.self, at: start))
    // Both factors are below 2^35: no overflow.
    guard start + 4 + count * elementSize <= self.count else {
      throw damaged("a vector of \(count) elements is too long", at: start)
    }
    try spend(count * elementSize, at: start)
    return Vector(start: start + 4, count: count)
  }

  func spend(_ amount: Int, at offset: Int) throws(TFLiteError) {
    budget -= amount
    guard budget >= 0 else { throw damaged("the same bytes are used too often", at: offset) }
  }

  struct Vector {
    var start: Int
    var count: Int
  }
}

/// One table: numbered fields, each of which may be missing.
struct Table {
  let buffer: FlatBuffer
  let start: Int
  let size: Int
  let vtable: Int
  let vtableSize: Int

  /// The position of field `id`, if it is present.
  private func position(_ id: Int, size fieldSize: Int) throws(TFLiteError) -> Int? {
    let entry = 4 + 2 * id
    guard entry < vtableSize else { return nil }
    let offset = Int(try buffer.load(UInt16.self, at: vtable + entry))
    guard offset != 0 else { return nil }
    guard offset >= 4, offset + fieldSize <= size else {
      throw buffer.damaged("field \(id) lies outside of its table", at: start)
    }
    return start + offset
  }

  /// Whether field `id` is in the table.
  func holds(_ id: Int) throws(TFLiteError) -> Bool { try position(id, size: 1) != nil }

  func scalar<T: FixedWidthInteger>(_ id: Int, default value: T) throws(TFLiteError) -> T {
    guard let position = try position(id, size: MemoryLayout<T>.size) else { return value }
    return try buffer.load(T.self, at: position)
  }

  func bool(_ id: Int) throws(TFLiteError) -> Bool {
    try scalar(id, default: UInt8(0)) != 0
  }

  func float(_ id: Int) throws(TFLiteError) -> Float {
    Float(bitPattern: try scalar(id, default: UInt32(0)))
  }

  func table(_ id: Int) throws(TFLiteError) -> Table? {
    guard let position = try position(id, size: 4) else { return nil }
    return try buffer.table(at: position)
  }

  func tables(_ id: Int) throws(TFLiteError) -> [Table] {
    guard let position = try position(id, size: 4) else { return [] }
    let vector = try buffer.vector(at: position, elementSize: 4)
    var result: [Table] = []
    result.reserveCapacity(vector.count)
    for i in 0..<vector.count { result.append(try buffer.table(at: vector.start + 4 * i)) }
    return result
  }

  /// All fields as bytes and integers of 32 bits, which numbers of this size have the bits of; `nil`
  /// if one is larger. References cannot be told from numbers.
  func numbers() throws(TFLiteError) -> [Int: OptionFields.Value]? {
    var places: [(id: Int, start: Int)] = []
    for id in 0..<(vtableSize - 4) / 2 {
      if let place = try position(id, size: 1) { places.append((id, place)) }
    }
    places.sort { $0.start < $1.start }
    var values: [Int: OptionFields.Value] = [:]
    for (index, field) in places.enumerated() {
      let end = index + 1 < places.count ? places[index + 1].start : start + size
      // Padding behind a smaller field is zero.
      switch end - field.start {
      case 1..<4: values[field.id] = .byte(try buffer.load(UInt8.self, at: field.start))
      case 4..<8: values[field.id] = .int(try buffer.load(Int32.self, at: field.start))
      default: return nil
      }
    }
    return values
  }

  /// The elements of an integer vector, or `nil` if the field is missing.
  func integers<T: FixedWidthInteger>(_ id: Int, as: T.Type) throws(TFLiteError) -> [T]? {
    let size = MemoryLayout<T>.size
    guard let position = try position(id, size: 4) else { return nil }
    let vector = try buffer.vector(at: position, elementSize: size)
    var result: [T] = []
    result.reserveCapacity(vector.count)
    for i in 0..<vector.count {
      result.append(try buffer.load(T.self, at: vector.start + size * i))
    }
    return result
  }

  /// The bytes of a byte vector, or `nil` if the field is missing.
  func bytes(_ id: Int) throws(TFLiteError) -> [UInt8]? {
    try range(id).map { buffer.array($0) }
  }

  /// Where the elements of a byte vector are, or `nil` if the field is missing.
  func range(_ id: Int) throws(TFLiteError) -> Range<Int>? {
    guard let position = try position(id, size: 4) else { return nil }
    let vector = try buffer.vector(at: position, elementSize: 1)
    return vector.start..<vector.start + vector.count
  }

  func string(_ id: Int) throws(TFLiteError) -> String {
    String(decoding: try bytes(id) ?? [], as: UTF8.self)
  }
}
