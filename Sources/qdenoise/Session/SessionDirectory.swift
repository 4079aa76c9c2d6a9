import QDFiles
import FoundationEssentials
import Glibc

/// `$XDG_RUNTIME_DIR/qdenoise`: the FIFO, the listeners, and the lock that only one daemon can
/// hold.
///
/// Links are not followed, because their targets are not ours.
@safe final class SessionDirectory {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  let path: String
  private let lock: Int32
  /// The maximum size of the file of listeners.
  private static let largestMemory = 1 << 20

  /// Creates the directory with access for its owner only, and takes the lock.
  init() throws(Failure) {
    let base = try Self.base()
    path = base + "/qdenoise"
    if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
      throw Self.failure(path, "cannot be made")
    }
    let directory = unsafe open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
    defer { close(directory) }
    guard directory >= 0, Self.owner(of: directory) == geteuid(), fchmod(directory, 0o700) == 0
    else {
      throw Failure(description: "\(path): not a directory of yours; remove it and start again")
    }
    lock = try Self.lock(in: directory, path)
  }

  deinit { close(lock) }

  var fifo: String { path + "/microphone" }

  /// The listeners of the earlier daemon; empty if the file cannot be read.
  var memory: StrayListeners.Memory {
    guard let bytes = try? RegularFile.read(listeners, atMost: Self.largestMemory) else {
      return StrayListeners.Memory()
    }
    let memory = try? JSONDecoder().decode(StrayListeners.Memory.self, from: Data(bytes))
    return memory ?? StrayListeners.Memory()
  }

  func save(_ memory: StrayListeners.Memory) throws(FileError) {
    // Texts and integers cannot fail.
    try OutputFile.write(Array(try! JSONEncoder().encode(memory)), to: listeners, as: .ownState)
  }

  private var listeners: String { path + "/listeners.json" }

  /// The session's directory, which must not belong to another user.
  private static func base() throws(Failure) -> String {
    guard let variable = unsafe getenv("XDG_RUNTIME_DIR"), unsafe variable.pointee != 0 else {
      throw Failure(
        description: "XDG_RUNTIME_DIR is not set; start the daemon from a login session")
    }
    let base = unsafe String(cString: variable)
    let directory = unsafe open(base, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else {
      throw failure("XDG_RUNTIME_DIR is '\(base)'", "cannot be used")
    }
    defer { close(directory) }
    guard owner(of: directory) == geteuid() else {
      throw Failure(
        description: "XDG_RUNTIME_DIR is '\(base)', which is not yours; start the daemon from a"
          + " login session of your own, without su or sudo")
    }
    return base
  }

  private static func owner(of descriptor: Int32) -> uid_t? {
    var status = stat()
    return unsafe fstat(descriptor, &status) == 0 ? status.st_uid : nil
  }

  private static func lock(in directory: Int32, _ path: String) throws(Failure) -> Int32 {
    let path = path + "/lock"
    let lock = unsafe openat(
      directory, "lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0o600)
    var status = stat()
    guard lock >= 0, unsafe fstat(lock, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let isThere = lock >= 0 || [ELOOP, EISDIR, ENXIO].contains(errno)
      defer { close(lock) }
      throw isThere
        ? Failure(description: "\(path): not a file of ours; remove it and start again")
        : failure(path, "cannot be made")
    }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw Failure(
        description: "another qdenoise already runs in this session; stop it with"
          + " `systemctl --user stop qdenoise`")
    }
    return lock
  }

  private static func failure(_ path: String, _ what: String) -> Failure {
    Failure(description: "\(path): \(what): \(FileError.words(errno))")
  }
}
