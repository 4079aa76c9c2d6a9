import Glibc

/// Why a file cannot be read.
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

  public var description: String { "\(path): \(reason)" }

  public var path: String {
    switch self {
    case .cannotOpen(let path, _), .notRegular(let path, _), .tooLarge(let path, _),
      .readFailed(let path, _):
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
    }
  }

  private static func size(_ bytes: Int) -> String {
    bytes >= 1 << 20 ? "\(bytes >> 20) MiB" : "\(bytes >> 10) KiB"
  }
}
