import Glibc

/// Where a result goes: a file that has no name before it is complete, or a stream.
///
/// Whatever ends the program before `publish` leaves nothing behind.
public struct OutputFile: Sendable {
  /// As messages name it.
  public let name: String
  public let descriptor: Int32
  /// Whether it goes to standard output, a pipe or a device: nothing to be published or removed.
  public let isStream: Bool

  /// Where a stream began.
  private let start: off_t
  private let path: String
  /// The temporary name, where the file system has no files without one.
  private let temporary: String?

  /// - Parameter path: "-" for standard output.
  public init(path: String) throws(FileError) {
    if path == "-" {
      try self.init(stream: dup(1), name: "standard output")
      return
    }
    var status = stat()
    if unsafe stat(path, &status) == 0, status.st_mode & S_IFMT != S_IFREG {
      guard status.st_mode & S_IFMT != S_IFDIR else {
        throw .cannotCreate(path: path, reason: FileError.words(EISDIR))
      }
      try self.init(stream: unsafe open(path, O_WRONLY | O_CLOEXEC), name: path)
      return
    }
    try self.init(inPlaceOf: OutputFile.resolved(path), name: path)
  }

  /// A file without a name that will get that of `target`.
  private init(inPlaceOf target: String, name: String) throws(FileError) {
    let folder = OutputFile.folder(of: target)
    let (descriptor, temporary) = try OutputFile.create(in: folder, name: name)
    // What replaces a file is for the same eyes.
    var status = stat()
    if unsafe stat(target, &status) == 0 { fchmod(descriptor, status.st_mode & 0o777) }
    self.init(
      name: name, path: target, descriptor: descriptor, isStream: false, temporary: temporary)
  }

  /// A file that never gets a name.
  public init(namelessIn folder: String) throws(FileError) {
    let (descriptor, temporary) = try OutputFile.create(in: folder, name: folder)
    if let temporary { Unfinished.remove(temporary) }
    self.init(
      name: folder, path: folder, descriptor: descriptor, isStream: false, temporary: nil)
  }

  /// Makes a file without a name, or with a temporary one where the file system wants names.
  private static func create(
    in folder: String, name: String
  ) throws(FileError) -> (descriptor: Int32, temporary: String?) {
    let descriptor = unsafe open(folder, O_TMPFILE_ | O_RDWR | O_CLOEXEC, 0o666)
    if descriptor >= 0 { return (descriptor, nil) }
    if [EOPNOTSUPP, EISDIR, ENOENT, EINVAL].contains(errno) {
      let temporary = Unfinished.note(OutputFile.temporaryName(in: folder))
      let descriptor = unsafe open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
      if descriptor >= 0 { return (descriptor, temporary) }
      Unfinished.forget(temporary)
    }
    throw errno == ENOSPC
      ? .diskFull(path: name) : .cannotCreate(path: name, reason: FileError.words(errno))
  }

  /// Whether what is written to this path goes to somebody who reads, not to a file.
  public static func isStream(_ path: String) -> Bool {
    if path == "-" { return true }
    var status = stat()
    guard unsafe stat(path, &status) == 0 else { return false }
    return ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
  }

  /// Whether somebody would have to look at the bytes.
  public var isTerminal: Bool { isStream && isatty(descriptor) == 1 }

  private init(
    name: String, path: String, descriptor: Int32, isStream: Bool, temporary: String?
  ) {
    self.name = name
    self.path = path
    self.descriptor = descriptor
    self.isStream = isStream
    self.temporary = temporary
    start = isStream ? lseek(descriptor, 0, SEEK_CUR) : 0
  }

  private init(stream descriptor: Int32, name: String) throws(FileError) {
    guard descriptor >= 0 else {
      throw .cannotCreate(path: name, reason: FileError.words(errno))
    }
    self.init(
      name: name, path: name, descriptor: descriptor, isStream: true, temporary: nil)
  }

  /// Appends bytes.
  public func write(_ bytes: [UInt8]) throws(FileError) {
    let code = unsafe bytes.withUnsafeBytes { unsafe append($0) }
    if code != 0 { throw .writing(name, code) }
  }

  /// Appends bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    let code = unsafe append(bytes)
    if code != 0 { throw .writing(name, code) }
  }

  /// Returns an errno.
  private func append(_ bytes: UnsafeRawBufferPointer) -> Int32 {
    var written = 0
    while written < bytes.count {
      let count = unsafe Glibc.write(
        descriptor, bytes.baseAddress! + written, bytes.count - written)
      guard count >= 0 || errno == EINTR else { return errno }
      written += max(count, 0)
    }
    return 0
  }

  /// Leaves the file to this user alone; it is a regular one.
  public func makePrivate() { fchmod(descriptor, 0o600) }

  /// Replaces what it began with, where it is a regular file; false where that cannot be.
  @discardableResult
  public func correct(_ beginning: [UInt8]) -> Bool {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG, start >= 0,
      fcntl(descriptor, F_GETFL) & O_APPEND == 0
    else { return false }
    return unsafe pwrite(descriptor, beginning, beginning.count, start) == beginning.count
  }

  /// What a whole file is for.
  public enum Purpose: Sendable {
    /// For a person who named it: "-", pipes, devices and links are what they are elsewhere.
    case result
    /// For the program's own next start: it survives a loss of power, and replaces what has its name,
    /// be it a pipe or a link, rather than writing into it.
    case ownState
  }

  /// Writes a whole file of bytes.
  public static func write(
    _ bytes: [UInt8], to path: String, as purpose: Purpose = .result
  ) throws(FileError) {
    let file =
      purpose == .ownState
      ? try OutputFile(inPlaceOf: path, name: path) : try OutputFile(path: path)
    defer { file.abandon() }
    try file.write(bytes)
    // Only then may the name point to it.
    if purpose == .ownState, fsync(file.descriptor) != 0 { throw .writing(path, errno) }
    try file.publish()
  }

  /// Gives the file its name, in place of what had it before.
  public func publish() throws(FileError) {
    guard !isStream else { return }
    let linked =
      temporary ?? Unfinished.note(OutputFile.temporaryName(in: OutputFile.folder(of: path)))
    defer { Unfinished.forget(linked) }
    var result: Int32 = 0
    if temporary == nil {
      result = unsafe linkat(
        AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, linked, AT_SYMLINK_FOLLOW)
    }
    if result == 0 { result = unsafe rename(linked, path) }
    guard result == 0 else {
      let code = errno
      unsafe _ = unlink(linked)
      throw .writing(name, code)
    }
  }

  /// Closes the file; what has not been published is gone.
  public func abandon() {
    if let temporary { Unfinished.remove(temporary) }
    close(descriptor)
  }

  private static func folder(of path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  /// The file that a symbolic link stands for, so that the link stays one.
  private static func resolved(_ path: String) -> String {
    guard let real = unsafe realpath(path, nil) else { return path }
    defer { unsafe free(real) }
    return unsafe String(cString: real)
  }

  private static func temporaryName(in folder: String) -> String {
    "\(folder)/.denoise-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
  }
}

/// The header defines it by an expression that is not imported.
private let O_TMPFILE_: Int32 = 0o20000000 | O_DIRECTORY
