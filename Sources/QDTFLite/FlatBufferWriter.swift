/// A field of a table to be written.
indirect enum FlatValue {
  case uint8(UInt8)
  case int32(Int32)
  case float(Float)
  /// Bytes that are written even if they are zero, of a field that may have another default.
  case stored([UInt8])
  /// An alignment of 0 means text.
  case bytes([UInt8], alignment: Int)
  case uint16s([UInt16])
  case int32s([Int32])
  case int64s([Int64])
  case floats([Float])
  case table(FlatTable)
  case tables([FlatTable])

  static func bool(_ value: Bool) -> FlatValue { .uint8(value ? 1 : 0) }
  static func int(_ value: Int) -> FlatValue { .int32(Int32(clamping: value)) }
  static func string(_ text: String) -> FlatValue { .bytes(Array(text.utf8), alignment: 0) }
}

/// Fields by number; a table without fields has only defaults.
typealias FlatTable = [Int: FlatValue]

/// Writes a FlatBuffer: tables from the front, each before its references, then all vectors. Equal
/// vectors and equal vtables are written once.
struct FlatBufferWriter {
  private(set) var bytes: [UInt8] = []
  /// The positions of vtables.
  private var vtables: [[UInt16]: Int] = [:]
  /// Vectors of numbers, in order of occurrence, and the references to them.
  private var vectors: [Vector] = []
  private var references: [Vector: [Int]] = [:]

  private struct Vector: Hashable {
    var count: Int
    var alignment: Int
    var data: [UInt8]
  }

  /// The whole buffer for one root table.
  init(root: FlatTable, identifier: [UInt8]) {
    bytes = [0, 0, 0, 0] + identifier
    write(root, referredFrom: 0)
    // The widest first, so that few need padding.
    let order = vectors.enumerated().sorted {
      ($1.element.alignment, $0.offset) < ($0.element.alignment, $1.offset)
    }
    for (_, vector) in order {
      pad(to: max(vector.alignment, 4), before: 4)
      for reference in references[vector] ?? [] { refer(from: reference) }
      bytes.put(UInt32(vector.count))
      bytes += vector.data
    }
  }

  private mutating func pad(to alignment: Int, before size: Int = 0) {
    while (bytes.count + size) % alignment != 0 { bytes.append(0) }
  }

  /// Makes the offset at `position` point to the current end.
  private mutating func refer(from position: Int) {
    var offset: [UInt8] = []
    offset.put(UInt32(bytes.count - position))
    bytes.replaceSubrange(position..<position + 4, with: offset)
  }

  private mutating func write(_ table: FlatTable, referredFrom reference: Int) {
    // Four-byte fields first, so that none needs padding.
    let fields = table.filter { !$0.value.isLeftOut }
      .sorted { ($1.value.size, $0.key) < ($0.value.size, $1.key) }
    var offsets = Array(repeating: UInt16(0), count: (fields.map(\.key).max() ?? -1) + 1)
    var size: UInt16 = 4
    for (id, value) in fields {
      offsets[id] = size
      size += UInt16(value.size)
    }
    let vtable = [UInt16(4 + 2 * offsets.count), size] + offsets
    if vtables[vtable] == nil {
      pad(to: 2)
      vtables[vtable] = bytes.count
      for entry in vtable { bytes.put(entry) }
    }
    pad(to: 4)
    refer(from: reference)
    let start = bytes.count
    bytes.put(Int32(start - vtables[vtable]!))
    for (_, value) in fields {
      switch value {
      case .uint8(let value): bytes.append(value)
      case .int32(let value): bytes.put(value)
      case .float(let value): bytes.put(value.bitPattern)
      case .stored(let value): bytes += value
      default: bytes.put(UInt32(0))
      }
    }
    for (id, value) in fields { writeTarget(value, referredFrom: start + Int(offsets[id])) }
  }

  /// Writes the target of a field, if it is a reference.
  private mutating func writeTarget(_ value: FlatValue, referredFrom reference: Int) {
    switch value {
    case .uint8, .int32, .float, .stored: break
    case .bytes(let values, let alignment):
      // Text ends with a zero that its length does not count.
      refer(
        from: reference, to: values.count, alignment: max(alignment, 1),
        alignment == 0 ? values + [0] : values)
    case .int32s(let values): refer(from: reference, to: values, alignment: 4)
    case .uint16s(let values): refer(from: reference, to: values, alignment: 4)
    case .int64s(let values): refer(from: reference, to: values, alignment: 8)
    case .floats(let values):
      refer(from: reference, to: values.map(\.bitPattern), alignment: 4)
    case .table(let table): write(table, referredFrom: reference)
    case .tables(let tables):
      pad(to: 4)
      refer(from: reference)
      bytes.put(UInt32(tables.count))
      let first = bytes.count
      for _ in tables { bytes.put(UInt32(0)) }
      for (index, table) in tables.enumerated() { write(table, referredFrom: first + 4 * index) }
    }
  }

  private mutating func refer<Element: FixedWidthInteger>(
    from reference: Int, to values: [Element], alignment: Int
  ) {
    var data: [UInt8] = []
    for value in values { data.put(value) }
    refer(from: reference, to: values.count, alignment: alignment, data)
  }

  private mutating func refer(
    from reference: Int, to count: Int, alignment: Int, _ data: [UInt8]
  ) {
    let vector = Vector(count: count, alignment: alignment, data: data)
    if references[vector] == nil { vectors.append(vector) }
    references[vector, default: []].append(reference)
  }
}

extension [UInt8] {
  /// Little-endian.
  fileprivate mutating func put<Value: FixedWidthInteger>(_ value: Value) {
    for i in 0..<MemoryLayout<Value>.size {
      append(UInt8(truncatingIfNeeded: value >> Value(8 * i)))
    }
  }
}

extension FlatValue {
  /// Bytes within the table.
  fileprivate var size: Int {
    switch self {
    case .uint8: 1
    case .stored(let bytes): bytes.count
    default: 4
    }
  }

  /// Whether it is the default, which is omitted.
  fileprivate var isLeftOut: Bool {
    switch self {
    case .uint8(let value): value == 0
    case .int32(let value): value == 0
    case .float(let value): value == 0
    default: false
    }
  }
}
