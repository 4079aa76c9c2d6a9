import Glibc

/// A home, a runtime directory and a session bus of its own, and the processes that were started there.
/// When it goes, or the test program dies however, all of it goes.
public final class Sandbox {
  /// Short, because the path of a Unix socket holds 107 characters.
  public let directory: String
  public private(set) var environment: [String: String]
  private var children: [Child] = []
  private var runs = 0
  private var lifeline: Int32
  private var reaper: Child?

  public init(_ name: String = "test") throws(SupportError) {
    var template = Array("/tmp/qdenoise-\(name)-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw SupportError("/tmp: \(String(cString: strerror(errno)))")
    }
    directory = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    environment = [
      "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
      "LANG": "C.UTF-8",
      "HOME": "\(directory)/home",
      "XDG_RUNTIME_DIR": "\(directory)/run",
      "XDG_CONFIG_HOME": "\(directory)/home/.config",
      "XDG_STATE_HOME": "\(directory)/home/.local/state",
      "XDG_DATA_HOME": "\(directory)/home/.local/share",
      "XDG_CACHE_HOME": "\(directory)/home/.cache",
    ]
    lifeline = -1
    for (name, path) in environment.sorted(by: { $0.value < $1.value })
    where name.hasPrefix("XDG") || name == "HOME" {
      try makeDirectory(path)
    }
    try startReaper()
  }

  deinit { close() }

  /// Starts a program that lives no longer than the sandbox.
  public func start(
    _ program: String, _ arguments: [String] = [], environment extra: [String: String] = [:],
    log: String? = nil
  ) throws(SupportError) -> Child {
    let name = log ?? String(program.split(separator: "/").last ?? "child")
    let child = try Child(
      program, arguments, environment: environment.merging(extra) { $1 },
      log: "\(directory)/\(name).log")
    children.append(child)
    try noteGroups()
    return child
  }

  /// Runs a program to its end and gives its exit code and what it printed on both outputs.
  @discardableResult
  public func run(
    _ program: String, _ arguments: [String] = [], environment extra: [String: String] = [:],
    seconds: Double = 60
  ) throws(SupportError) -> (status: Int32, output: String) {
    runs += 1
    let child = try start(program, arguments, environment: extra, log: "run-\(runs)")
    guard let status = child.wait(seconds: seconds) else {
      child.stop()
      throw SupportError("\(program) \(arguments) still runs after \(seconds) s:\n\(child.output)")
    }
    return (status, child.output)
  }

  /// Starts a session bus, which `environment` then names.
  public func startSessionBus() throws(SupportError) {
    let socket = "\(directory)/run/bus"
    environment["DBUS_SESSION_BUS_ADDRESS"] = "unix:path=\(socket)"
    _ = try start(
      "dbus-daemon", ["--session", "--nofork", "--nopidfile", "--address=unix:path=\(socket)"])
    guard eventually({ access(socket, F_OK) == 0 }) else {
      throw SupportError("dbus-daemon made no socket")
    }
  }

  /// Ends every process, newest first, and removes the directory.
  public func close() {
    for child in children.reversed() where child.isRunning { child.stop() }
    try? noteGroups()
    guard lifeline >= 0 else { return }
    Glibc.close(lifeline)
    lifeline = -1
    reaper?.wait(seconds: 10)
  }

  /// A process that waits for the end of this one, sees to it that nothing is left, and goes.
  private func startReaper() throws(SupportError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw SupportError("no pipe") }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    let script = """
      cat >/dev/null
      groups=$(cat "$1/groups" 2>/dev/null)
      for g in $groups; do kill -TERM -"$g" 2>/dev/null; done
      [ -z "$groups" ] || sleep 1
      for g in $groups; do kill -KILL -"$g" 2>/dev/null; done
      rm -rf "$1"
      """
    reaper = try Child(
      "/bin/sh", ["-c", script, "reaper", directory], environment: environment,
      log: "/dev/null", input: ends[0])
    Glibc.close(ends[0])
    lifeline = ends[1]
  }

  private func noteGroups() throws(SupportError) {
    children.filter { !$0.isRunning }.forEach(Crash.check)
    children.removeAll { !$0.isRunning }
    let groups = children.map { "\($0.pid)" }.joined(separator: "\n")
    try write(groups + "\n", to: "\(directory)/groups")
  }
}

/// Makes a directory and those above it, for its owner alone.
public func makeDirectory(_ path: String) throws(SupportError) {
  var made = ""
  for part in path.split(separator: "/") {
    made += "/\(part)"
    if mkdir(made, 0o700) != 0 && errno != EEXIST {
      throw SupportError("\(made): \(String(cString: strerror(errno)))")
    }
  }
}

public func write(_ text: String, to path: String) throws(SupportError) {
  try write(Array(text.utf8), to: path)
}

public func write(_ bytes: [UInt8], to path: String) throws(SupportError) {
  guard let file = fopen(path, "we") else {
    throw SupportError("\(path): \(String(cString: strerror(errno)))")
  }
  let written = fwrite(bytes, 1, bytes.count, file)
  guard fclose(file) == 0 && written == bytes.count else {
    throw SupportError("\(path): \(String(cString: strerror(errno)))")
  }
}
