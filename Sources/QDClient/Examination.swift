package import QDAudioHost
package import QDControl
import QDFiles
import Glibc
package import QDKernels
package import QDMessages

/// All that `doctor` looks at, gathered at one time; what follows from it is in ``findings``.
package struct Examination {
  package var daemon: Result<Status, ControlError>
  package var server: Result<Server, PulseError>
  /// Models by name: what each is, or why it is not there. Empty where nobody looked.
  package var models: [(name: String, model: Result<String, any Error>)]
  /// RLIMIT_RTPRIO: the highest real-time priority that this user may ask for.
  package var realTimeLimit: UInt64
  package var instructionSet: InstructionSet
  /// Whether `systemctl --user` knows the daemon.
  package var hasUnit: Bool
  /// What is wrong with the session's directory; `nil` if nothing is.
  package var sessionProblem: UserMessage?

  /// What the sound server tells.
  package struct Server {
    package var server: ServerDescription
    package var sources: [AudioDevice]
    package var modules: [PulseModule]
    package var listeners: [AudioStream]

    package init(
      server: ServerDescription, sources: [AudioDevice], modules: [PulseModule],
      listeners: [AudioStream] = []
    ) {
      self.server = server
      self.sources = sources
      self.modules = modules
      self.listeners = listeners
    }
  }

  package init(
    daemon: Result<Status, ControlError>, server: Result<Server, PulseError>,
    models: [(name: String, model: Result<String, any Error>)], realTimeLimit: UInt64,
    instructionSet: InstructionSet, hasUnit: Bool = true, sessionProblem: UserMessage? = nil
  ) {
    self.hasUnit = hasUnit
    self.sessionProblem = sessionProblem
    self.daemon = daemon
    self.server = server
    self.models = models
    self.realTimeLimit = realTimeLimit
    self.instructionSet = instructionSet
  }

  /// Looks at everything; `client` is the name of this program on the sound server.
  package static func now(
    client: String, models: [(name: String, model: Result<String, any Error>)] = []
  ) -> Examination {
    var limit = rlimit()
    _ = unsafe getrlimit(__rlimit_resource_t(__RLIMIT_RTPRIO.rawValue), &limit)
    return Examination(
      daemon: Result { () throws(ControlError) in try ControlClient().status() },
      server: Result { () throws(PulseError) in
        let connection = try PulseConnection.open(as: client)
        return Server(
          server: try connection.server(), sources: try connection.sources(),
          modules: try connection.modules(), listeners: try connection.listeners())
      },
      models: models, realTimeLimit: UInt64(limit.rlim_cur), instructionSet: .best,
      hasUnit: UserDirectories().units.contains {
        unsafe access("\($0)/qdenoise.service", R_OK) == 0
      },
      sessionProblem: sessionProblem())
  }

  private static func sessionProblem() -> UserMessage? {
    guard let path = unsafe getenv("XDG_RUNTIME_DIR").map({ unsafe String(cString: $0) }),
      !path.isEmpty
    else { return UserMessage("XDG_RUNTIME_DIR is not set") }
    var status = stat()
    guard unsafe stat(path, &status) == 0 else {
      let reason = UserMessage(pattern: unsafe String(cString: strerror(errno)))
      return UserMessage("XDG_RUNTIME_DIR is '\(path)': \(reason)")
    }
    return status.st_uid == geteuid()
      ? nil : UserMessage("XDG_RUNTIME_DIR is '\(path)', which is not yours")
  }

  package var findings: [Finding] {
    var findings = [sessionFinding, daemonFinding, serverFinding].compactMap { $0 }
    if case .success(let server) = server {
      findings += [microphoneFinding(server)].compactMap { $0 }
      findings += loopFindings(server) + leftoverFindings(server) + listenerFindings(server)
    }
    if case .success(let status) = daemon {
      // The microphone's own mute and volume are looked at without a daemon, too.
      let advice = findings.map(\.advice)
      findings += Self.runningFindings(status).filter { finding in
        finding.subject != UserMessage("volume") || !advice.contains(finding.advice)
      }
    }
    return findings + modelFindings + [realTimeFinding, instructionSetFinding]
  }

  private var sessionFinding: Finding? {
    sessionProblem.map {
      .problem(
        "session", "\($0)",
        do: "log in as yourself, without su or sudo, or export XDG_RUNTIME_DIR=/run/user/$(id -u)")
    }
  }

  private var daemonFinding: Finding {
    switch daemon {
    case .success(let status):
      if status.version != Product.version {
        return .problem(
          "daemon", "version \(status.version) runs, but this is \(Product.version)",
          do: .command("systemctl --user restart qdenoise"))
      }
      if status.state == .waiting, !status.stateReason.isEmpty, case .success(let server) = server,
        server.sources.contains(where: \.isMicrophone)
      {
        return Self.waiting(status.message(for: status.stateReason))
      }
      let state = UserMessage(pattern: status.state.rawValue)
      if status.stateReason.isEmpty { return .good("daemon", "\(state)") }
      return .good("daemon", "\(state) (\(status.message(for: status.stateReason)))")
    case .failure(.notRunning):
      return hasUnit
        ? .problem("daemon", "not running", do: .command("systemctl --user enable --now qdenoise"))
        : .problem(
          "daemon", "not running, and its unit is not installed",
          do: "make install, or start the program qdenoise")
    case .failure(.noBus(let reason)):
      // systemctl needs the bus too.
      return .problem(
        "daemon", "no session bus (\(UserMessage(pattern: reason)))",
        do: "log in with a desktop session, or set DBUS_SESSION_BUS_ADDRESS")
    case .failure(let error):
      return .problem("daemon", "\(error)", do: .command("systemctl --user status qdenoise"))
    }
  }

  /// There are a server and a microphone, and still it waits. Most reasons say what to do behind a
  /// semicolon.
  private static func waiting(_ reason: UserMessage) -> Finding {
    var finding = Finding.problem(
      "daemon", "waiting: \(reason)", do: "journalctl --user -u qdenoise tells more")
    if reason.description.contains("; ") { finding.advice = nil }
    return finding
  }

  private var serverFinding: Finding {
    switch server {
    case .success(let server):
      return .good("sound server", "\(server.server.title)")
    case .failure(let error):
      if case .success(let status) = daemon, status.server.hasPrefix("ALSA") {
        return .remark("sound server", "none, and none is needed with the alsa back end")
      }
      let reason =
        if case .unreachable(let reason) = error { UserMessage(pattern: reason) } else {
          error.message
        }
      return .problem(
        "sound server", "none answers: \(reason)",
        do: "systemctl --user start pipewire-pulse (or pulseaudio)")
    }
  }
}
