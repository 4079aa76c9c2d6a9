import Glibc
public import QDMessages

/// Why a file cannot be read or written.
public enum FileError: MessageError, Equatable {
  /// What stands in a file's place.
  public enum Kind: Sendable {
    case directory, pipe, device, other

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

    fileprivate var message: UserMessage {
      switch self {
      case .directory: UserMessage("is a directory, not a regular file")
      case .pipe: UserMessage("is a FIFO, not a regular file")
      case .device: UserMessage("is a device, not a regular file")
      case .other: UserMessage("is a socket or the like, not a regular file")
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

  public var description: String { message.description }

  public var message: UserMessage { UserMessage("\(path): \(reason)") }

  public var path: String {
    switch self {
    case .cannotOpen(let path, _), .notRegular(let path, _), .tooLarge(let path, _),
      .readFailed(let path, _), .cannotCreate(let path, _), .writeFailed(let path, _),
      .diskFull(let path):
      path
    }
  }

  /// What is wrong, for a sentence that has named the file.
  public var reason: UserMessage {
    // The C library's words.
    func words(_ reason: String) -> UserMessage { UserMessage(pattern: reason) }
    return switch self {
    case .cannotOpen(_, FileError.words(ENOENT)):
      UserMessage("cannot be opened: \(words(FileError.words(ENOENT))); check the name")
    case .cannotOpen(_, FileError.words(EACCES)):
      UserMessage(
        "cannot be opened: \(words(FileError.words(EACCES))); its owner can allow it with chmod")
    case .cannotOpen(_, let reason): UserMessage("cannot be opened: \(words(reason))")
    case .notRegular(_, let kind): kind.message
    case .tooLarge(_, let limit): UserMessage("is larger than \(FileError.size(limit))")
    case .readFailed(_, let reason): UserMessage("reading failed: \(words(reason))")
    case .cannotCreate(_, let reason):
      UserMessage("cannot be written: \(words(reason)); choose another place")
    case .writeFailed(_, let reason):
      UserMessage("writing failed: \(words(reason)); nothing was kept")
    case .diskFull:
      UserMessage("the disk is full; nothing was kept, make room or choose another place")
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
