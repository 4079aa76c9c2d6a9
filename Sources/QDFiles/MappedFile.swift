internal import CQDLinux
import Glibc

/// A regular file whose bytes are mapped into memory, to be read only.
///
/// The file must not be truncated or written in place while this lives: reading a page that the
/// file has lost ends the program (SIGBUS), and `isUnchanged` is false after a write. A program
/// that replaces it by renaming another file, as editors, package managers and `OutputFile` do,
/// changes nothing here.
@safe public final class MappedFile: @unchecked Sendable {
  public let path: String
  /// Valid as long as this.
  @unsafe public let bytes: UnsafeRawBufferPointer
  private let descriptor: Int32
  private let opened: FileVersion

  /// Maps a file; `nil` if there is none.
  /// - Parameter limit: the most bytes that it may have.
  public init?(_ path: String, atMost limit: Int = .max) throws(FileError) {
    let file = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
    if file < 0 {
      if errno == ENOENT { return nil }
      if errno == ENXIO { throw .notRegular(path: path, kind: .other) }
      throw .cannotOpen(path: path, reason: FileError.words(errno))
    }
    var isKept = false
    defer { if !isKept { close(file) } }
    var status = stat()
    guard unsafe fstat(file, &status) == 0 else {
      throw .cannotOpen(path: path, reason: FileError.words(errno))
    }
    if let kind = FileError.Kind(mode: status.st_mode) {
      throw .notRegular(path: path, kind: kind)
    }
    guard status.st_size <= limit else { throw .tooLarge(path: path, limit: limit) }
    let size = Int(status.st_size)
    if size == 0 {
      unsafe bytes = UnsafeRawBufferPointer(start: nil, count: 0)
    } else {
      // Pages in the page cache are mapped at once, which costs a tenth of as many page faults.
      let address = unsafe mmap(
        nil, size, PROT_READ, MAP_PRIVATE | linux_map_populate, file, 0)
      guard let address = unsafe address, unsafe address != MAP_FAILED else {
        throw .cannotOpen(path: path, reason: FileError.words(errno))
      }
      unsafe bytes = UnsafeRawBufferPointer(start: address, count: size)
    }
    self.path = path
    descriptor = file
    opened = FileVersion(status)
    isKept = true
  }

  deinit {
    if let address = unsafe bytes.baseAddress {
      unsafe _ = munmap(UnsafeMutableRawPointer(mutating: address), bytes.count)
    }
    close(descriptor)
  }

  /// Whether size and times of the file are those that it was opened with.
  public var isUnchanged: Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 && FileVersion(status) == opened
  }

  /// Whether the file belongs to this user and nobody else may write to it.
  public var isPrivate: Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 && status.st_uid == geteuid()
      && status.st_mode & 0o022 == 0
  }
}

/// What tells two versions of a file from each other, without reading it.
public struct FileVersion: Equatable, Sendable {
  public let device: UInt64
  public let inode: UInt64
  public let size: Int
  /// Nanoseconds since 1970, of the contents and of the inode.
  public let modified: Int
  public let changed: Int

  init(_ status: stat) {
    device = UInt64(status.st_dev)
    inode = UInt64(status.st_ino)
    size = Int(status.st_size)
    modified = status.st_mtim.tv_sec * 1_000_000_000 + status.st_mtim.tv_nsec
    changed = status.st_ctim.tv_sec * 1_000_000_000 + status.st_ctim.tv_nsec
  }

  /// `nil` if there is no such file.
  public init?(_ path: String) {
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(status)
  }
}
