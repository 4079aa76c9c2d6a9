public import QDFiles

/// The bytes of a constant: an array, or a part of a mapped file.
@safe public struct Constant: Sendable, Equatable {
  private enum Storage {
    case array([UInt8])
    case mapped(MappedFile, Range<Int>)
  }

  private let storage: Storage

  public init(_ bytes: [UInt8]) { storage = .array(bytes) }

  /// A part of a mapped file, which lives as long as its constants.
  public init(_ file: MappedFile, _ range: Range<Int>) {
    let count = unsafe file.bytes.count
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "not within the file")
    storage = .mapped(file, range)
  }

  public var count: Int {
    switch storage {
    case .array(let bytes): bytes.count
    case .mapped(_, let range): range.count
    }
  }

  /// The file that holds the bytes, if they are mapped.
  var file: MappedFile? {
    switch storage {
    case .array: nil
    case .mapped(let file, _): file
    }
  }

  /// Passes the bytes, which are valid during the call.
  public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
    switch storage {
    case .array(let bytes): unsafe bytes.withUnsafeBytes(body)
    case .mapped(let file, let range):
      unsafe body(UnsafeRawBufferPointer(rebasing: file.bytes[range]))
    }
  }

  /// All bytes; a copy if they are mapped.
  public var bytes: [UInt8] {
    switch storage {
    case .array(let bytes): bytes
    case .mapped: unsafe withUnsafeBytes { unsafe Array($0) }
    }
  }

  /// The little-endian elements.
  func elements<T: FixedWidthInteger>(_: T.Type) -> [T] {
    unsafe withUnsafeBytes { bytes in
      unsafe [T](unsafeUninitializedCapacity: bytes.count / MemoryLayout<T>.size) {
        elements, count in
        for index in 0..<bytes.count / MemoryLayout<T>.size {
          unsafe elements.initializeElement(
            at: index,
            to: T(
              littleEndian: bytes.loadUnaligned(
                fromByteOffset: index * MemoryLayout<T>.size, as: T.self)))
        }
        count = bytes.count / MemoryLayout<T>.size
      }
    }
  }

  /// The same as floats.
  var floats: [Float] {
    unsafe elements(UInt32.self).withUnsafeBufferPointer {
      unsafe $0.map(Float.init(bitPattern:))
    }
  }

  public static func == (left: Constant, right: Constant) -> Bool {
    unsafe left.withUnsafeBytes { first in
      unsafe right.withUnsafeBytes { second in unsafe first.elementsEqual(second) }
    }
  }
}

extension [Float] {
  /// As little-endian bytes.
  var littleEndianBytes: [UInt8] {
    unsafe map(\.bitPattern.littleEndian).withUnsafeBytes { unsafe Array<UInt8>($0) }
  }
}
