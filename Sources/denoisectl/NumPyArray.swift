import QDEngine

/// A `.npy` file of NumPy: little-endian, row-major.
struct NumPyArray: Equatable {
  var type: ElementType
  var shape: [Int]
  var data: [UInt8]

  enum Problem: Error, Equatable, CustomStringConvertible {
    case notNumPy
    case unsupported(String)
    case truncated

    var description: String {
      switch self {
      case .notNumPy: "is not a .npy file; write it with numpy.save"
      case .unsupported(let what): "\(what) is not supported; save a little-endian C-order array"
      case .truncated: "is truncated; write it again"
      }
    }
  }

  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  init(type: ElementType, shape: [Int], data: [UInt8]) {
    self.type = type
    self.shape = shape
    self.data = data
  }

  init(bytes: [UInt8]) throws(Problem) {
    guard bytes.count >= 10, bytes.starts(with: Self.magic) else { throw .notNumPy }
    let isLong = bytes[6] >= 2
    guard bytes.count >= 12 else { throw .truncated }
    let field = bytes[8..<(isLong ? 12 : 10)]
    let headerSize = field.reversed().reduce(0) { $0 << 8 | Int($1) }
    guard headerSize <= bytes.count - field.endIndex else { throw .truncated }
    let header = String(
      decoding: bytes[field.endIndex..<field.endIndex + headerSize], as: UTF8.self)
    guard let match = header.firstMatch(of: /'descr':\s*'([^']*)'/),
      let shape = header.firstMatch(of: /'shape':\s*\(([^)]*)\)/)
    else { throw .notNumPy }
    guard header.contains(/'fortran_order':\s*False/) else { throw .unsupported("column order") }
    guard
      let type = ElementType.allCases.first(where: { Self.descriptions($0).contains(match.1) })
    else { throw .unsupported("the element type '\(match.1)'") }
    let extents = shape.1.split(separator: ",").map { $0.filter { $0 != " " } }
    self.type = type
    self.shape = extents.filter { !$0.isEmpty }.compactMap { Int($0) }
    data = Array(bytes[(field.endIndex + headerSize)...])
    let count = Tensor(name: "", shape: self.shape, type: type).count
    guard let count, data.count / type.size == count, data.count == count * type.size else {
      throw .truncated
    }
  }

  /// The file.
  var bytes: [UInt8] {
    let extents = shape.map { "\($0)," }.joined(separator: " ")
    var header =
      "{'descr': '\(Self.descriptions(type)[0])', 'fortran_order': False, 'shape': (\(extents)), }"
    // Data begins at a multiple of 64.
    let size = (10 + header.utf8.count + 1 + 63) / 64 * 64 - 10
    header += String(repeating: " ", count: size - header.utf8.count - 1) + "\n"
    return Self.magic + [1, 0, UInt8(size & 255), UInt8(size >> 8)] + Array(header.utf8) + data
  }

  /// NumPy's names of a type; the first is the one that it writes.
  private static func descriptions(_ type: ElementType) -> [Substring] {
    switch type {
    case .float16: ["<f2"]
    case .float32: ["<f4"]
    case .float64: ["<f8"]
    case .complex64: ["<c8"]
    case .int8: ["|i1", "<i1"]
    case .uint8: ["|u1", "<u1"]
    case .int16: ["<i2"]
    case .uint16: ["<u2"]
    case .int32: ["<i4"]
    case .uint32: ["<u4"]
    case .int64: ["<i8"]
    case .uint64: ["<u8"]
    case .bool: ["|b1"]
    }
  }
}
