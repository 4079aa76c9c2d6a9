import Glibc

/// The identity of a file, whatever its names are.
public struct FileIdentity: Hashable, Sendable {
  private let device: UInt
  private let number: UInt
  public let isRegular: Bool
  public let isFolder: Bool

  private init(_ status: stat) {
    isRegular = status.st_mode & S_IFMT == S_IFREG
    isFolder = status.st_mode & S_IFMT == S_IFDIR
    device = UInt(status.st_dev)
    number = UInt(status.st_ino)
  }

  /// The file at `path`, or the one of a descriptor; nil if there is none.
  public init?(path: String) {
    var status = Glibc.stat()
    guard unsafe stat(path, &status) == 0 else { return nil }
    self.init(status)
  }

  public init?(descriptor: Int32) {
    var status = Glibc.stat()
    guard unsafe fstat(descriptor, &status) == 0 else { return nil }
    self.init(status)
  }
}

/// Where a regular file is, or would be made, whatever path leads there.
public enum FilePlace: Hashable, Sendable {
  case file(FileIdentity)
  case name(folder: FileIdentity, String)

  /// Nil for "-", for pipes, devices and folders, and where no file can be made.
  public init?(path: String) {
    if path == "-" { return nil }
    if let identity = FileIdentity(path: path) {
      guard identity.isRegular else { return nil }
      self = .file(identity)
      return
    }
    let slash = path.lastIndex(of: "/")
    let folder = slash.map { path[...$0] } ?? "."
    guard let identity = FileIdentity(path: String(folder)) else { return nil }
    self = .name(
      folder: identity, String(path[(slash.map(path.index(after:)) ?? path.startIndex)...]))
  }
}
