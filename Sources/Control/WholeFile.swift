import Glibc

/// Why a file could not be read or written.
public struct FileError: Error, Equatable, CustomStringConvertible {
  public var path: String
  /// "read" or "written".
  public var action: String
  /// As in errno.
  public var code: Int32

  public init(path: String, action: String, code: Int32) {
    self.path = path
    self.action = action
    self.code = code
  }

  public var reason: String { message(ofErrno: code) }

  public var description: String {
    let advice =
      switch code {
      case ENOSPC, EDQUOT: "; free some space and try again"
      case EACCES, EPERM, EROFS: "; choose a place that you may use"
      case ENOENT where action == "written": "; make the directory first"
      default: ""
      }
    return "\(path): cannot be \(action) (\(reason))\(advice)"
  }
}

/// Files that are read and replaced as a whole, or not at all. Thread: any but audio.
public enum WholeFile {
  /// All bytes of the file; `nil` if there is none.
  public static func read(_ path: String) throws(FileError) -> [UInt8]? {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC)
    if file < 0 {
      if errno == ENOENT { return nil }
      throw FileError(path: path, action: "read", code: errno)
    }
    defer { close(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = unsafe Glibc.read(file, &piece, piece.count)
      if count == 0 { return bytes }
      if count < 0 { throw FileError(path: path, action: "read", code: errno) }
      bytes += piece[..<count]
    }
  }

  /// Writes beside `path` and renames when all is on the disk, so that a full disk or a crash leaves
  /// the old file as it was. What is no regular file (a pipe, a terminal) is written to directly.
  public static func replace(_ path: String, with bytes: [UInt8]) throws(FileError) {
    if isSpecial(path) { return try append(bytes, to: path) }
    let target = resolved(path)
    var template = Array("\(target).XXXXXX".utf8CString)
    let file = unsafe mkstemp(&template)
    if file < 0 { throw FileError(path: path, action: "written", code: errno) }
    var code: Int32 = 0
    if !(write(bytes, to: file) && fsync(file) == 0 && makeReadable(file)) { code = errno }
    if close(file) != 0 && code == 0 { code = errno }
    if unsafe code == 0 && rename(template, target) != 0 { code = errno }
    if code == 0 { return }
    unsafe unlink(template)
    throw FileError(path: path, action: "written", code: code)
  }

  private static func append(_ bytes: [UInt8], to path: String) throws(FileError) {
    let file = unsafe open(path, O_WRONLY | O_CLOEXEC)
    let written = file >= 0 && write(bytes, to: file)
    let code = errno
    if file >= 0 { close(file) }
    if !written { throw FileError(path: path, action: "written", code: code) }
  }

  private static func isSpecial(_ path: String) -> Bool {
    var status = stat()
    return unsafe stat(path, &status) == 0 && status.st_mode & S_IFMT != S_IFREG
  }

  /// The file behind a symbolic link, which then stays a link.
  private static func resolved(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  private static func write(_ bytes: [UInt8], to file: Int32) -> Bool {
    unsafe bytes.withUnsafeBytes { bytes in
      var done = 0
      while done < bytes.count {
        let count = unsafe Glibc.write(file, bytes.baseAddress! + done, bytes.count - done)
        if count < 0 { return false }
        done += count
      }
      return true
    }
  }

  /// mkstemp makes files that only their owner may read; this one gets what open(2) would give.
  private static func makeReadable(_ file: Int32) -> Bool {
    let mask = umask(0)
    umask(mask)
    return fchmod(file, 0o666 & ~mask) == 0
  }
}
