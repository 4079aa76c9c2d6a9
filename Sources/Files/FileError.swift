import Glibc

/// Why a file cannot be read or written.
public enum FileError: Error, Equatable, Sendable, CustomStringConvertible {
  /// What stands in a file's place.
  public enum Kind: String, Sendable {
    case directory = "a directory"
    case pipe = "a FIFO"
    case device = "a device"
    case other = "a socket or the like"

    /// Nil for a regular file.
    init?(mode: mode_t) {
      switch mode & S_IFMT {
      case S_IFREG: return nil
      case S_IFDIR: self = .directory
      case S_IFIFO: self = .pipe
      case S_IFCHR, S_IFBLK: self = .device
      default: self = .other
      }
    }
  }

  case cannotOpen(path: String, reason: String)
  case notRegular(path: String, kind: Kind)
  case tooLarge(path: String, limit: Int)
  case readFailed(path: String, reason: String)
  case cannotCreate(path: String, reason: String)
  case writeFailed(path: String, reason: String)
  case diskFull(path: String)

  public var description: String { "\(path): \(reason)" }

  public var path: String {
    switch self {
    case .cannotOpen(let path, _), .notRegular(let path, _), .tooLarge(let path, _),
      .readFailed(let path, _), .cannotCreate(let path, _), .writeFailed(let path, _),
      .diskFull(let path):
      path
    }
  }

  /// What is wrong, for a sentence that has named the file.
  public var reason: String {
    switch self {
    case .cannotOpen(_, let reason): "cannot be opened: \(reason)"
    case .notRegular(_, let kind): "is \(kind.rawValue), not a regular file"
    case .tooLarge(_, let limit): "is larger than \(FileError.size(limit))"
    case .readFailed(_, let reason): "reading failed: \(reason)"
    case .cannotCreate(_, let reason): "cannot be written: \(reason); choose another place"
    case .writeFailed(_, let reason): "writing failed: \(reason); nothing was kept"
    case .diskFull: "the disk is full; nothing was kept, make room or choose another place"
    }
  }

  /// What `errno` was after writing.
  public static func writing(_ path: String, _ code: Int32) -> FileError {
    code == ENOSPC || code == EDQUOT
      ? .diskFull(path: path) : .writeFailed(path: path, reason: words(code))
  }

  /// What `errno` means.
  public static func words(_ code: Int32) -> String { unsafe String(cString: strerror(code)) }

  private static func size(_ bytes: Int) -> String {
    bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
  }
}
