/// Reads one message of the protocol buffers wire format, field by field; every length is checked.
///
/// https://protobuf.dev/programming-guides/encoding/
struct ProtobufReader {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int
  private let name: String
  /// The nesting depth of messages; a model has about a dozen levels.
  private var depth = 0
  private static let deepest = 64

  /// A field's number and value.
  struct Field {
    var number: Int
    var value: Value
  }

  enum Value {
    case varint(UInt64)
    case fixed32(UInt32)
    case fixed64(UInt64)
    case bytes(Range<Int>)
  }

  /// - Parameter name: of the file, for errors.
  init(_ bytes: [UInt8], name: String) {
    self.init(bytes, 0..<bytes.count, name: name)
  }

  private init(_ bytes: [UInt8], _ range: Range<Int>, name: String) {
    self.bytes = bytes
    self.name = name
    position = range.lowerBound
    end = range.upperBound
  }

  /// The fields in order; fields with the same number may occur anywhere and repeatedly.
  mutating func next() throws(ONNXError) -> Field? {
    if position == end { return nil }
    let key = try varint()
    let number = Int(key >> 3)
    guard number > 0 else { throw damaged() }
    let value: Value
    switch key & 7 {
    case 0: value = .varint(try varint())
    case 1: value = .fixed64(try fixed())
    case 5: value = .fixed32(try fixed())
    case 2:
      let count = try varint()
      guard count <= UInt64(end - position) else { throw damaged() }
      value = .bytes(position..<position + Int(count))
      position += Int(count)
    default: throw damaged()
    }
    return Field(number: number, value: value)
  }

  private mutating func varint() throws(ONNXError) -> UInt64 {
    var result: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 70, by: 7) {
      guard position < end else { throw damaged() }
      let byte = bytes[position]
      position += 1
      result |= UInt64(byte & 0x7F) << shift
      if byte & 0x80 == 0 { return result }
    }
    throw damaged()
  }

  private mutating func fixed<T: FixedWidthInteger>() throws(ONNXError) -> T {
    let size = MemoryLayout<T>.size
    guard end - position >= size else { throw damaged() }
    defer { position += size }
    return (0..<size).reduce(0) { $0 | T(bytes[position + $1]) << T(8 * $1) }
  }

  func damaged() -> ONNXError { .damaged(name: name, offset: position) }

  // MARK: What a field holds

  func integer(_ field: Field) throws(ONNXError) -> Int {
    guard case .varint(let value) = field.value else { throw damaged() }
    return Int(Int64(bitPattern: value))
  }

  func float(_ field: Field) throws(ONNXError) -> Float {
    guard case .fixed32(let value) = field.value else { throw damaged() }
    return Float(bitPattern: value)
  }

  func data(_ field: Field) throws(ONNXError) -> [UInt8] {
    guard case .bytes(let range) = field.value else { throw damaged() }
    return Array(bytes[range])
  }

  func string(_ field: Field) throws(ONNXError) -> String {
    String(decoding: try data(field), as: UTF8.self)
  }

  func message(_ field: Field) throws(ONNXError) -> ProtobufReader {
    guard case .bytes(let range) = field.value else { throw damaged() }
    guard depth < Self.deepest else { throw damaged() }
    var inner = ProtobufReader(bytes, range, name: name)
    inner.depth = depth + 1
    return inner
  }

  /// A repeated integer, alone or packed.
  func integers(_ field: Field) throws(ONNXError) -> [Int] {
    guard case .bytes = field.value else { return [try integer(field)] }
    var packed = try message(field)
    var result: [Int] = []
    while packed.position < packed.end {
      result.append(Int(Int64(bitPattern: try packed.varint())))
    }
    return result
  }

  /// A repeated float, alone or packed.
  func floats(_ field: Field) throws(ONNXError) -> [Float] {
    guard case .bytes = field.value else { return [try float(field)] }
    var packed = try message(field)
    var result: [Float] = []
    while packed.position < packed.end { result.append(Float(bitPattern: try packed.fixed())) }
    return result
  }
}
