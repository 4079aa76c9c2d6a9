/// A zip archive after the FlatBuffer of a file, as TensorFlow Lite's metadata writer appends one
/// with labels and vocabularies.
///
/// A graph keeps it with offsets from the archive's beginning; in a file they count from the file's
/// beginning.
enum Attachment {
  private static let endSignature: [UInt8] = [0x50, 0x4B, 5, 6]
  private static let entrySignature: [UInt8] = [0x50, 0x4B, 1, 2]
  private static let localSignature: [UInt8] = [0x50, 0x4B, 3, 4]
  private static let endSize = 22
  private static let entrySize = 46
  private static let longestComment = 65_535

  /// The archive at the end of a file; empty if there is none, or a damaged one.
  static func read(_ file: FlatBuffer) -> [UInt8] {
    let tail = max(file.count - endSize - longestComment, 0)..<file.count
    // Most files have none and are not copied for it.
    return end(of: file.array(tail)) == nil ? [] : read(file.array(0..<file.count))
  }

  private static func read(_ file: [UInt8]) -> [UInt8] {
    guard let end = end(of: file) else { return [] }
    let size = Int(file.integer(end + 12, UInt32.self))
    let place = Int(file.integer(end + 16, UInt32.self))
    // Offsets may count from the archive's beginning already.
    guard size <= end, case let directory = end - size, place <= directory else { return [] }
    let shift = directory - place
    guard let entries = entries(of: file, from: directory, to: end),
      let first = entries.map({ Int(file.integer($0 + 42, UInt32.self)) + shift }).min(),
      first >= 8, first < directory, file.has(localSignature, at: first)
    else { return [] }
    return moved(Array(file[first...]), by: shift - first)
  }

  /// The archive for a file in which it begins at `place`.
  static func write(_ archive: [UInt8], at place: Int) -> [UInt8] { moved(archive, by: place) }

  /// Adds a distance to the offsets of the entries and of the directory.
  private static func moved(_ archive: [UInt8], by distance: Int) -> [UInt8] {
    guard let end = end(of: archive) else { return archive }
    let directory = end - Int(archive.integer(end + 12, UInt32.self))
    guard directory >= 0, let entries = entries(of: archive, from: directory, to: end) else {
      return archive
    }
    var result = archive
    for field in entries.map({ $0 + 42 }) + [end + 16] {
      let value = Int(archive.integer(field, UInt32.self)) + distance
      guard let value = UInt32(exactly: value) else { return archive }
      for byte in 0..<4 { result[field + byte] = UInt8(truncatingIfNeeded: value >> (8 * byte)) }
    }
    return result
  }

  /// The offset of the end-of-central-directory record.
  private static func end(of file: [UInt8]) -> Int? {
    guard file.count >= endSize else { return nil }
    let last = file.count - endSize
    for place in stride(from: last, through: max(last - longestComment, 0), by: -1)
    where file.has(endSignature, at: place)
      && place + endSize + Int(file.integer(place + 20, UInt16.self)) == file.count
    {
      return place
    }
    return nil
  }

  /// The offsets of the entries of the central directory.
  private static func entries(of file: [UInt8], from directory: Int, to end: Int) -> [Int]? {
    var places: [Int] = []
    var place = directory
    while place < end {
      guard place + entrySize <= end, file.has(entrySignature, at: place) else { return nil }
      places.append(place)
      // A name, more fields and a comment follow.
      let lengths = [28, 30, 32].map { Int(file.integer(place + $0, UInt16.self)) }
      place += lengths.reduce(entrySize, +)
    }
    return place == end ? places : nil
  }
}

extension [UInt8] {
  fileprivate func has(_ signature: [UInt8], at place: Int) -> Bool {
    place >= 0 && place + signature.count <= count
      && signature.indices.allSatisfy { self[place + $0] == signature[$0] }
  }

  /// A little-endian number within the bytes.
  fileprivate func integer<T: FixedWidthInteger>(_ place: Int, _: T.Type) -> T {
    (0..<MemoryLayout<T>.size).reduce(0) { $0 | T(self[place + $1]) << (8 * $1) }
  }
}
