internal import QDFiles
internal import Glibc
internal import QDKernels
internal import QDMemory

/// A file of packed weights: a header, a table of items, and buffers aligned to 64 bytes.
///
///     0   magic "QDWEIGHT"
///     8   version of this format, number of items: 4 bytes each
///     16  key: 16 bytes
///     32  hash of the rest of the header and of the buffers: 16 bytes
///     48  size of the file: 8 bytes
///     56  for each item: its number, or its offset, and its bytes or -1: 8 bytes each
///
/// All integers are little-endian.
struct PackedWeightsFile {
  let folder: String
  /// 16 bytes.
  let key: [UInt8]

  private static let magic = Array("QDWEIGHT".utf8)
  private static let version = 1
  private static let hashed = 48
  private static let table = 56
  private static let itemSize = 16
  private static let suffix = ".weights"

  var path: String {
    let digits = key.map { byte in
      let text = String(byte, radix: 16)
      return text.count == 1 ? "0\(text)" : text
    }
    return "\(folder)/\(digits.joined())\(Self.suffix)"
  }

  // MARK: Reading

  /// `nil` if there is no valid file.
  func read() -> BufferStore? {
    guard let file = try? MappedFile(path), file.isPrivate,
      let items = unsafe items(file.bytes)
    else { return nil }
    return BufferStore(replaying: items, of: MemoryOwner { _ = file })
  }

  /// Checks all of a file.
  private func items(_ bytes: UnsafeRawBufferPointer) -> [BufferStore.Item]? {
    guard bytes.count >= Self.table, unsafe bytes[0..<8].elementsEqual(Self.magic),
      unsafe bytes.integer(8, UInt32.self) == Self.version,
      unsafe bytes[16..<32].elementsEqual(key),
      unsafe bytes.integer(48, UInt64.self) == bytes.count
    else { return nil }
    let count = unsafe bytes.integer(12, UInt32.self)
    let end = Self.table + count * Self.itemSize
    let start = ArenaLayout.aligned(end)
    guard start <= bytes.count else { return nil }
    var items: [BufferStore.Item] = []
    for place in stride(from: Self.table, to: end, by: Self.itemSize) {
      let first = unsafe bytes.integer(place, UInt64.self)
      let second = unsafe bytes.integer(place + 8, UInt64.self)
      if second == -1 {
        guard let number = UInt8(exactly: first) else { return nil }
        items.append(.number(number))
        continue
      }
      guard first >= start, first.isMultiple(of: ArenaLayout.alignment), second >= 0,
        first <= bytes.count, second <= bytes.count - first
      else { return nil }
      unsafe items.append(
        .bytes(UnsafeRawBufferPointer(rebasing: bytes[first..<first + second])))
    }
    let tail = unsafe UnsafeRawBufferPointer(rebasing: bytes[Self.hashed..<start])
    let hash = unsafe Self.hash(tail, items)
    return unsafe bytes[32..<48].elementsEqual(hash) ? items : nil
  }

  /// Of the header's hashed part and of all buffers.
  private static func hash(
    _ header: UnsafeRawBufferPointer, _ items: [BufferStore.Item]
  ) -> [UInt8] {
    var digest = Digest()
    unsafe digest.add(header)
    for case .bytes(let bytes) in items { unsafe digest.add(bytes) }
    return digest.bytes
  }

  /// Keeps the file from being removed as the one not used for longest.
  func touch() { unsafe _ = utimensat(AT_FDCWD, path, nil, 0) }

  func remove() { unsafe _ = unlink(path) }

  // MARK: Writing

  /// Writes a record; returns the reason why that failed.
  func write(_ store: BufferStore, limit: Int) -> String? {
    do {
      let (header, size) = header(store.items)
      guard size <= limit else {
        return "\(size >> 20) MiB are more than the cache's limit of \(limit >> 20) MiB"
      }
      try UserDirectories.make(folder)
      let file = try OutputFile(path: path)
      defer { file.abandon() }
      file.makePrivate()
      try file.write(header)
      for case .bytes(let bytes) in store.items {
        try unsafe file.write(bytes)
        try file.write([UInt8](repeating: 0, count: ArenaLayout.aligned(bytes.count) - bytes.count))
      }
      try file.publish()
    } catch { return error.description }
    removeOldFiles(limit: limit)
    return nil
  }

  /// Everything before the buffers, and the size of the file.
  private func header(_ items: [BufferStore.Item]) -> (bytes: [UInt8], size: Int) {
    let start = ArenaLayout.aligned(Self.table + items.count * Self.itemSize)
    var end = start
    var table: [UInt8] = []
    for item in items {
      switch item {
      case .number(let number): table += Self.bytes([Int(number), -1])
      case .bytes(let bytes):
        table += Self.bytes([end, bytes.count])
        end += ArenaLayout.aligned(bytes.count)
      }
    }
    let tail = Self.bytes([end]) + table
    let hashed = tail + [UInt8](repeating: 0, count: start - Self.hashed - tail.count)
    let hash = unsafe hashed.withUnsafeBytes { unsafe Self.hash($0, items) }
    let counts = Self.bytes([Self.version | items.count << 32])
    return (Self.magic + counts + key + hash + hashed, end)
  }

  private static func bytes(_ integers: [Int]) -> [UInt8] {
    integers.flatMap { value in
      (0..<8).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    }
  }

  // MARK: The folder

  /// Removes the files that were not used for longest until the others fit the limit.
  private func removeOldFiles(limit: Int) {
    var files: [(path: String, version: FileVersion)] = []
    for entry in (try? FolderEntry.all(in: folder)) ?? [] {
      let path = "\(folder)/\(entry.name)"
      if entry.name.hasSuffix(Self.suffix), let version = FileVersion(path) {
        files.append((path, version))
      }
    }
    var total = files.reduce(0) { $0 + $1.version.size }
    for file in files.sorted(by: { $0.version.modified < $1.version.modified })
    where total > limit && file.path != path {
      if unsafe unlink(file.path) == 0 { total -= file.version.size }
    }
  }
}

extension UnsafeRawBufferPointer {
  /// A little-endian integer, which need not be aligned; -1 for all ones.
  fileprivate func integer<T: FixedWidthInteger>(_ offset: Int, _: T.Type) -> Int {
    Int(
      truncatingIfNeeded: T(littleEndian: unsafe loadUnaligned(fromByteOffset: offset, as: T.self)))
  }
}
