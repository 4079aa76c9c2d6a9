import Glibc

/// Samples in a file without a name, below `TMPDIR` or /var/tmp.
public final class TemporaryFile {
  private let file: OutputFile

  /// Where large files that nobody misses afterwards belong.
  public static var folder: String {
    unsafe getenv("TMPDIR").map { unsafe String(cString: $0) } ?? "/var/tmp"
  }

  public init() throws(FileError) { file = try OutputFile(namelessIn: TemporaryFile.folder) }

  deinit { file.abandon() }

  public func append(_ samples: [Float]) throws(FileError) {
    try file.write(unsafe samples.withUnsafeBytes { unsafe Array($0) })
  }

  /// Samples from a place on, fewer at the end.
  public func read(at position: Int, _ count: Int) throws(FileError) -> [Float] {
    let size = MemoryLayout<Float>.size
    var samples = [Float](repeating: 0, count: count)
    var filled = 0
    while filled < count * size {
      let result = unsafe samples.withUnsafeMutableBytes {
        unsafe pread(
          file.descriptor, $0.baseAddress! + filled, $0.count - filled,
          off_t(position * size + filled))
      }
      if result < 0 && errno == EINTR { continue }
      guard result >= 0 else {
        throw .readFailed(path: file.name, reason: FileError.words(errno))
      }
      if result == 0 { break }
      filled += result
    }
    samples.removeLast(count - filled / size)
    return samples
  }
}
