public import Foundation

/// A private PulseAudio or PipeWire in a sandbox, with a null sink `speakers` as the default output
/// and nothing else until a `FakeMicrophone` is plugged in.
public final class SoundServer {
  public enum Kind: String, CaseIterable, Sendable {
    case pulseAudio = "PulseAudio"
    case pipeWire = "PipeWire"

    /// The programs it is made of, in the order of their start.
    var programs: [String] {
      self == .pulseAudio ? ["pulseaudio"] : ["pipewire", "wireplumber", "pipewire-pulse"]
    }
  }

  public let kind: Kind
  public let sandbox: Sandbox
  private var processes: [Child] = []

  /// The sandbox must have its session bus before PipeWire starts.
  public init(_ kind: Kind, in sandbox: Sandbox) throws(SupportError) {
    self.kind = kind
    self.sandbox = sandbox
    try start()
  }

  /// What a client connects to.
  public var address: String { "unix:\(sandbox.directory)/run/pulse/native" }

  /// Starts the server, after `stop` or `kill` again; the modules of before are gone.
  public func start() throws(SupportError) {
    switch kind {
    case .pulseAudio: try startPulseAudio()
    case .pipeWire: try startPipeWire()
    }
    try loadModule("module-null-sink", "sink_name=speakers", "rate=48000", "channels=2")
    try pactl("set-default-sink", "speakers")
  }

  /// SIGTERM to all of it.
  public func stop() {
    processes.reversed().forEach { $0.stop() }
    processes = []
  }

  /// SIGKILL to all of it.
  public func kill() {
    for process in processes {
      process.signal(SIGKILL)
      process.wait(seconds: 15)
    }
    processes = []
  }

  public var pids: [pid_t] { processes.map(\.pid) }

  @discardableResult
  public func pactl(_ arguments: String...) throws(SupportError) -> String {
    try pactl(arguments)
  }

  @discardableResult
  public func loadModule(_ arguments: String...) throws(SupportError) -> Int {
    let text = try pactl(["load-module"] + arguments)
    guard let id = Int(text.split(separator: "\n").last ?? "") else {
      throw SupportError("pactl load-module \(arguments): \(text)")
    }
    return id
  }

  /// The entries of `pactl list WHAT`: sources, sinks, source-outputs, modules.
  public func list(_ what: String) throws(SupportError) -> [Entry] {
    let text = try pactl("--format=json", "list", what)
    do {
      return try JSONDecoder().decode([Entry].self, from: Data(text.utf8))
    } catch {
      throw SupportError("pactl list \(what): \(error)\n\(text)")
    }
  }

  /// What the tests read of one entry.
  public struct Entry: Decodable, Sendable {
    public var index: Int?
    public var name: String?
    public var description: String?
    public var state: String?
    public var driver: String?
    public var argument: String?
    public var source: Int?
    public var sink: Int?
    public var mute: Bool?
    public var properties: [String: String]?
  }

  private func pactl(_ arguments: [String]) throws(SupportError) -> String {
    let (status, output) = try sandbox.run("pactl", ["-s", address] + arguments)
    guard status == 0 else { throw SupportError("pactl \(arguments): \(output)") }
    return output
  }

  private func startPulseAudio() throws(SupportError) {
    let script = "\(sandbox.directory)/server.pa"
    try write("load-module module-native-protocol-unix\n", to: script)
    processes = [
      try sandbox.start(
        "pulseaudio",
        [
          "-n", "-F", script, "--daemonize=no", "--exit-idle-time=-1", "--use-pid-file=no",
          "--log-target=stderr",
        ])
    ]
    try waitForAnswer()
  }

  private func startPipeWire() throws(SupportError) {
    for (program, socket) in [
      ("pipewire", "pipewire-0"), ("wireplumber", nil), ("pipewire-pulse", "pulse/native"),
    ] {
      processes.append(try sandbox.start(program))
      guard let socket else { continue }
      let path = "\(sandbox.directory)/run/\(socket)"
      guard eventually({ access(path, F_OK) == 0 }) else {
        throw SupportError("\(program) made no \(path)")
      }
    }
    try waitForAnswer()
    // The session manager takes its time to settle; a device loaded before it has is not linked.
    let manager = processes[1].pid
    var before = try Usage(of: manager)
    _ = eventually {
      TestSupport.sleep(seconds: 0.5)
      guard let after = try? Usage(of: manager) else { return true }
      defer { before = after }
      return after.wakeUps == before.wakeUps && after.cpuSeconds == before.cpuSeconds
    }
  }

  private func waitForAnswer() throws(SupportError) {
    let path = "\(sandbox.directory)/run/pulse/native"
    let answered = eventually {
      access(path, F_OK) == 0 && (try? pactl(["info"])) != nil
    }
    guard answered else {
      throw SupportError("\(kind.rawValue) does not answer:\n\(processes.map(\.output))")
    }
  }
}
