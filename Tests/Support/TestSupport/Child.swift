internal import Foundation
public import Glibc

/// Why the harness could not do its part; never a finding about the program under test.
public struct SupportError: Error, CustomStringConvertible {
  public let description: String
  public init(_ description: String) { self.description = description }
}

/// glibc's POSIX_SPAWN_SETSID, which its header shows to GNU sources only.
private let spawnSetSession: Int32 = 0x80

/// A process in a session of its own; what it prints goes to a file.
public final class Child {
  public let pid: pid_t
  /// What was started.
  public let program: String
  /// Where its standard output and standard error go.
  public let log: String
  private var status: Int32?

  /// Starts `program`, which is looked up in `PATH` unless it is a path.
  public init(
    _ program: String, _ arguments: [String], environment: [String: String], log: String,
    input: Int32? = nil
  ) throws(SupportError) {
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    if let input {
      posix_spawn_file_actions_adddup2(&actions, input, 0)
    } else {
      posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    posix_spawn_file_actions_addopen(&actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o644)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)

    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    // The test program may have blocked or ignored signals that the child wants.
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    posix_spawnattr_setflags(
      &attributes,
      Int16(spawnSetSession | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

    let argv = ([program] + arguments).map { strdup($0) } + [nil]
    let envp = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { (argv + envp).forEach { free($0) } }
    var pid = pid_t()
    let error = posix_spawnp(&pid, program, &actions, &attributes, argv, envp)
    guard error == 0 else {
      throw SupportError("\(program): \(String(cString: strerror(error)))")
    }
    self.pid = pid
    self.program = program
    self.log = log
  }

  /// Reaps it even if it ends later: while any child is left as a zombie, Swift Testing's exit tests
  /// do not see theirs end, and the run stands still.
  deinit {
    guard poll() == nil else { return }
    let pid = pid
    Thread.detachNewThread {
      var status = Int32()
      waitpid(pid, &status, 0)
    }
  }

  public var isRunning: Bool { poll() == nil }

  /// The exit code, or 128 plus the signal, once the process is gone.
  public func poll() -> Int32? {
    if let status { return status }
    var raw = Int32()
    guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
    let signal = raw & 0x7f
    status = signal == 0 ? (raw >> 8) & 0xff : 128 + signal
    return status
  }

  /// The exit code, or nil where the process still runs after `seconds`.
  @discardableResult
  public func wait(seconds: Double) -> Int32? {
    _ = eventually(within: seconds) { self.poll() != nil }
    return poll()
  }

  /// Sends `signal` to the process and everything it started in its session's first group.
  public func signal(_ signal: Int32) {
    if poll() == nil { kill(-pid, signal) }
  }

  /// SIGTERM, then SIGKILL two seconds later.
  @discardableResult
  public func stop() -> Int32? {
    signal(SIGTERM)
    if wait(seconds: 2) == nil {
      signal(SIGKILL)
      wait(seconds: 2)
    }
    return poll()
  }

  /// What it has printed so far.
  public var output: String { (try? contents(of: log)) ?? "" }
}

/// The text of a file; bytes that are no UTF-8 are replaced.
public func contents(of path: String) throws(SupportError) -> String {
  String(decoding: try bytes(of: path), as: UTF8.self)
}

/// The bytes of a file, also of one in /proc that states no length.
public func bytes(of path: String) throws(SupportError) -> [UInt8] {
  guard let file = fopen(path, "re") else {
    throw SupportError("\(path): \(String(cString: strerror(errno)))")
  }
  defer { fclose(file) }
  var bytes: [UInt8] = []
  var piece = [UInt8](repeating: 0, count: 65536)
  while case let count = fread(&piece, 1, piece.count, file), count > 0 {
    bytes += piece[..<count]
  }
  return bytes
}
