/// A field of a table that is going to be written.
indirect enum FlatValue {
  case uint8(UInt8)
  case int32(Int32)
  case float(Float)
  case bytes([UInt8], alignment: Int)
  case int32s([Int32])
  case int64s([Int64])
  case floats([Float])
  case table(FlatTable)
  case tables([FlatTable])

  static func bool(_ value: Bool) -> FlatValue { .uint8(value ? 1 : 0) }
  static func int(_ value: Int) -> FlatValue { .int32(Int32(clamping: value)) }
  static func string(_ text: String) -> FlatValue {
    // A string ends with a zero that its length does not count.
    .bytes(Array(text.utf8), alignment: 0)
  }
}

/// Fields by number; a table without fields is all defaults.
typealias FlatTable = [Int: FlatValue]

/// Writes a FlatBuffer from the front: a table, then what it refers to.
struct FlatBufferWriter {
  private(set) var bytes: [UInt8] = []

  /// The whole buffer for one root table.
  init(root: FlatTable, identifier: [UInt8]) {
    bytes = [0, 0, 0, 0] + identifier
    write(root, referredFrom: 0)
  }

  private mutating func pad(to alignment: Int, before size: Int = 0) {
    while (bytes.count + size) % alignment != 0 { bytes.append(0) }
  }

  private mutating func append<T: FixedWidthInteger>(_ value: T) {
    for i in 0..<MemoryLayout<T>.size { bytes.append(UInt8(truncatingIfNeeded: value >> T(8 * i))) }
  }

  private mutating func put<T: FixedWidthInteger>(_ value: T, at position: Int) {
    for i in 0..<MemoryLayout<T>.size {
      bytes[position + i] = UInt8(truncatingIfNeeded: value >> T(8 * i))
    }
  }

  /// Lets the offset at `position` lead to the end of what is written.
  private mutating func refer(from position: Int) {
    put(UInt32(bytes.count - position), at: position)
  }

  private mutating func write(_ table: FlatTable, referredFrom reference: Int) {
    // Four-byte fields first, so that none needs padding.
    let fields = table.sorted { ($1.value.size, $0.key) < ($0.value.size, $1.key) }
    let count = (table.keys.max() ?? -1) + 1
    var offsets = Array(repeating: UInt16(0), count: count)
    var size: UInt16 = 4
    for (id, value) in fields {
      offsets[id] = size
      size += UInt16(value.size)
    }
    pad(to: 4, before: 4 + 2 * count)
    let vtable = bytes.count
    append(UInt16(4 + 2 * count))
    append(size)
    for offset in offsets { append(offset) }
    refer(from: reference)
    let start = bytes.count
    append(Int32(start - vtable))
    for (_, value) in fields {
      switch value {
      case .uint8(let value): append(value)
      case .int32(let value): append(value)
      case .float(let value): append(value.bitPattern)
      default: append(UInt32(0))
      }
    }
    for (id, value) in fields { writeTarget(value, referredFrom: start + Int(offsets[id])) }
  }

  /// Writes what a field refers to, if it is a reference.
  private mutating func writeTarget(_ value: FlatValue, referredFrom reference: Int) {
    switch value {
    case .uint8, .int32, .float: break
    case .bytes(let values, let alignment):
      writeLength(values.count, elementAlignment: max(alignment, 1), referredFrom: reference)
      bytes += values
      if alignment == 0 { bytes.append(0) }
    case .int32s(let values):
      writeLength(values.count, elementAlignment: 4, referredFrom: reference)
      for value in values { append(value) }
    case .int64s(let values):
      writeLength(values.count, elementAlignment: 8, referredFrom: reference)
      for value in values { append(value) }
    case .floats(let values):
      writeLength(values.count, elementAlignment: 4, referredFrom: reference)
      for value in values { append(value.bitPattern) }
    case .table(let table): write(table, referredFrom: reference)
    case .tables(let tables):
      writeLength(tables.count, elementAlignment: 4, referredFrom: reference)
      let first = bytes.count
      for _ in tables { append(UInt32(0)) }
      for (index, table) in tables.enumerated() { write(table, referredFrom: first + 4 * index) }
    }
  }

  /// The length that begins a vector, placed so that its elements are aligned.
  private mutating func writeLength(
    _ count: Int, elementAlignment: Int, referredFrom reference: Int
  ) {
    pad(to: max(elementAlignment, 4), before: 4)
    refer(from: reference)
    append(UInt32(count))
  }
}

extension FlatValue {
  /// Bytes within the table.
  fileprivate var size: Int {
    if case .uint8 = self { 1 } else { 4 }
  }
}
