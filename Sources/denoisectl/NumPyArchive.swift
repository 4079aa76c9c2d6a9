import QDEngine

/// A `.npz` file of NumPy: a ZIP archive of `.npy` files, stored as they are.
///
/// The layout is that of PKWARE's APPNOTE.TXT 6.3.10, sections 4.3.7 and 4.3.12.
enum NumPyArchive {
  /// The files in it by name, without `.npy`.
  static func entries(_ bytes: [UInt8]) throws(NumPyArray.Problem) -> [String: [UInt8]] {
    func number(_ offset: Int, _ size: Int) throws(NumPyArray.Problem) -> Int {
      guard offset >= 0, offset <= bytes.count - size else { throw .truncated }
      return (0..<size).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
    }
    let end = bytes.count - 22
    guard end >= 0,
      let directory = stride(from: end, through: max(0, end - 65535), by: -1)
        .first(where: { bytes[$0..<$0 + 4].elementsEqual([0x50, 0x4B, 5, 6]) })
    else { throw .notNumPy }
    var offset = try number(directory + 16, 4)
    var result: [String: [UInt8]] = [:]
    for _ in 0..<(try number(directory + 10, 2)) {
      guard try number(offset, 4) == 0x0201_4B50 else { throw .truncated }
      guard try number(offset + 10, 2) == 0 else {
        throw .unsupported("a compressed array (numpy.savez writes others)")
      }
      let size = try number(offset + 24, 4)
      let nameLength = try number(offset + 28, 2)
      guard size != 0xFFFF_FFFF, offset + 46 + nameLength <= bytes.count else { throw .truncated }
      var name = String(decoding: bytes[offset + 46..<offset + 46 + nameLength], as: UTF8.self)
      if name.hasSuffix(".npy") { name.removeLast(4) }
      let local = try number(offset + 42, 4)
      let start = local + 30 + (try number(local + 26, 2)) + (try number(local + 28, 2))
      guard start + size <= bytes.count else { throw .truncated }
      result[name] = Array(bytes[start..<start + size])
      offset += 46 + nameLength + (try number(offset + 30, 2)) + (try number(offset + 32, 2))
    }
    return result
  }
}

extension NumPyArray {
  /// The elements of an array of floats; `nil` for any other.
  var floats: [Float]? {
    func words<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) -> [T] {
      let size = MemoryLayout<T>.size
      return stride(from: 0, to: data.count, by: size).map { index in
        (0..<size).reduce(T(0)) { $0 | T(data[index + $1]) << T(8 * $1) }
      }
    }
    return switch type {
    case .float32: words(UInt32.self).map(Float.init(bitPattern:))
    case .float64: words(UInt64.self).map { Float(Double(bitPattern: $0)) }
    case .float16: words(UInt16.self).map { Float(Float16(bitPattern: $0)) }
    default: nil
    }
  }
}
