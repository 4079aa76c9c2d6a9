import AudioHost
import FoundationEssentials
import Glibc

/// `$XDG_RUNTIME_DIR/qdenoise`: the FIFO, who listens, and the lock that only one daemon can hold.
@safe final class SessionDirectory {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  let path: String
  private let lock: Int32

  /// Makes the directory for its owner alone and takes the lock.
  init() throws(Failure) {
    guard let base = unsafe getenv("XDG_RUNTIME_DIR"), unsafe base.pointee != 0 else {
      throw Failure(
        description: "XDG_RUNTIME_DIR is not set; start the daemon from a login session")
    }
    path = unsafe String(cString: base) + "/qdenoise"
    if unsafe mkdir(path, 0o700) != 0, errno != EEXIST {
      throw Self.failure(path, "cannot be made")
    }
    var status = stat()
    guard unsafe lstat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR,
      status.st_uid == geteuid(), unsafe chmod(path, 0o700) == 0
    else {
      throw Failure(description: "\(path): not a directory of yours; remove it and start again")
    }
    lock = unsafe open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard lock >= 0 else { throw Self.failure(path + "/lock", "cannot be made") }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw Failure(
        description: "another qdenoise already runs in this session; stop it with"
          + " `systemctl --user stop qdenoise`")
    }
  }

  deinit { close(lock) }

  var fifo: String { path + "/microphone" }

  /// Who listened to the daemon before; nothing if that cannot be read.
  var memory: StrayListeners.Memory {
    guard let bytes = try? InputFile.read(listeners) else { return StrayListeners.Memory() }
    let memory = try? JSONDecoder().decode(StrayListeners.Memory.self, from: Data(bytes))
    return memory ?? StrayListeners.Memory()
  }

  func save(_ memory: StrayListeners.Memory) throws(SoundFileError) {
    // Texts and whole numbers: nothing that could fail.
    try OutputFile.write(Array(try! JSONEncoder().encode(memory)), to: listeners, durable: false)
  }

  private var listeners: String { path + "/listeners.json" }

  private static func failure(_ path: String, _ what: String) -> Failure {
    Failure(description: "\(path): \(what): \(unsafe String(cString: strerror(errno)))")
  }
}
