import Glibc

/// A file that is read as a whole.
public enum InputFile {
  /// All bytes of the file; `nil` if there is none. "-" is standard input.
  public static func read(_ path: String) throws(SoundFileError) -> [UInt8]? {
    let file = path == "-" ? dup(0) : unsafe open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 {
      if errno == ENOENT { return nil }
      throw .cannotOpen(path: path, reason: SoundFileError.text(errno))
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    while true {
      let count = unsafe Glibc.read(file, &piece, piece.count)
      if count == 0 { return bytes }
      if count > 0 {
        bytes += piece[..<count]
      } else if errno != EINTR {
        throw .readFailed(path: path, reason: SoundFileError.text(errno))
      }
    }
  }
}
