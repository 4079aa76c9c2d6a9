import Glibc

/// A file that is read as a whole: never a pipe or a device, which would not end, and never more
/// than its reader can use.
public enum RegularFile {
  /// All bytes of the file; `nil` if there is none.
  /// - Parameter limit: the most bytes that it may have.
  public static func read(_ path: String, atMost limit: Int) throws(FileError) -> [UInt8]? {
    // Opening a FIFO would wait for somebody who writes, and a terminal would become ours.
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    if file < 0 {
      if errno == ENOENT { return nil }
      // What a socket answers.
      if errno == ENXIO { throw .notRegular(path: path, kind: .other) }
      throw .cannotOpen(path: path, reason: FileError.words(errno))
    }
    defer { close(file) }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else {
      throw .cannotOpen(path: path, reason: FileError.words(errno))
    }
    if let kind = FileError.Kind(mode: status.st_mode) {
      throw .notRegular(path: path, kind: kind)
    }
    guard status.st_size <= limit else { throw .tooLarge(path: path, limit: limit) }
    return try readAll(file, size: Int(status.st_size), path, limit)
  }

  /// Reads to the end, which may lie beyond what the file's size was: in /proc that is 0.
  private static func readAll(
    _ file: Int32, size: Int, _ path: String, _ limit: Int
  ) throws(FileError) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(size)
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe Glibc.read(file, &piece, piece.count)
      if count == 0 { return bytes }
      if count > 0 {
        guard bytes.count + count <= limit else { throw .tooLarge(path: path, limit: limit) }
        bytes += piece[..<count]
      } else if errno != EINTR {
        throw .readFailed(path: path, reason: FileError.words(errno))
      }
    }
  }
}
