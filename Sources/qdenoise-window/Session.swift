import QDAudioHost
import QDClient
import QDControl
import Glibc

/// What the window knows of daemon, systemd and sound server, and what it asks of them.
///
/// Thread: main.
@MainActor final class Session {
  /// Of the daemon; nil until it was asked for the first time.
  private(set) var status: Result<Status, ControlError>?
  /// The daemon (or systemd) was asked long ago and has not answered.
  private(set) var isStalled = false
  /// Whether the daemon starts at login; nil inside for no unit.
  private(set) var startsAtLogin: Result<Bool?, ControlError>?
  private(set) var microphones = MicrophoneList()
  /// Why there is no list of microphones.
  private(set) var soundProblem: String?
  /// What systemd was asked for, until it is seen.
  private(set) var wanted: Bool?
  private var wantedSince: UInt64 = 0
  /// Tells the person that something failed.
  var complain: (String) -> Void = { _ in }

  private var thread: DaemonThread!
  private var observers: [() -> Void] = []
  private var soundThread: Background?
  private var soundRetry: MainLoop.Timer?
  private var patience: MainLoop.Timer?
  nonisolated static let client = "qdenoise-window"

  init() {
    thread = DaemonThread { [weak self] status in
      MainLoop.post { self?.take(status) }
    }
    lookAtUnit()
    followMicrophones()
  }

  /// Calls `body` whenever something is known anew.
  func observe(_ body: @escaping () -> Void) { observers.append(body) }

  private func tell() { for observer in observers { observer() } }

  /// Measurements are asked for while the person sees them.
  var isSeen = false {
    didSet {
      guard isSeen != oldValue else { return }
      adjustPeriod()
      patience = isSeen ? MainLoop.Timer(milliseconds: 500) { [weak self] in self?.wait() } : nil
      if isSeen { lookAtUnit() }
    }
  }

  /// Figures that tell of no change are on the screen: the status is asked for twice a second.
  var showsFigures = false {
    didSet { if showsFigures != oldValue { adjustPeriod() } }
  }

  private func adjustPeriod() {
    thread.lookEvery(!isSeen ? 0 : showsFigures ? 500 : 2000)
  }

  private func take(_ status: Result<Status, ControlError>) {
    self.status = status
    isStalled = status.isNoAnswer
    if let wanted, wanted == status.isThere || monotonicMicroseconds() - wantedSince > 12_000_000 {
      if wanted != status.isThere { explainUnit(wanted) }
      self.wanted = nil
    }
    tell()
  }

  private func wait() {
    let stalls = thread.waiting > 1.5 || status?.isNoAnswer == true
    guard stalls != isStalled else { return }
    isStalled = stalls
    tell()
  }

  // MARK: What the daemon is asked

  /// Asks the daemon for something.
  func ask(_ body: @escaping @Sendable (ControlClient) throws(ControlError) -> Void) {
    thread.perform { [weak self] connection in
      do throws(ControlError) {
        try body(connection.daemon())
      } catch .noAnswer {
        // The state says it.
      } catch {
        let text = tr(connection.explained(error))
        MainLoop.post {
          self?.complain(text)
          // The control that asked goes back to what holds.
          self?.tell()
        }
      }
    }
  }

  /// Opens both sides of the denoiser; `body` gets them or why there are none.
  func openTap(_ body: @escaping @MainActor (Result<LiveTap, Failure>) -> Void) {
    thread.perform { connection in
      let result: Result<LiveTap, Failure>
      do {
        result = .success(LiveTap(try Tap(connection.daemon())))
      } catch {
        result = .failure(Failure(connection.explained(error)))
      }
      MainLoop.post { body(result) }
    }
  }

  // MARK: What systemd is asked

  func set(running: Bool) {
    (wanted, wantedSince) = (running, monotonicMicroseconds())
    tell()
    askSystemd { systemd throws(ControlError) in
      if running { try systemd.start() } else { try systemd.stop() }
    }
  }

  func set(startsAtLogin: Bool) {
    askSystemd { systemd throws(ControlError) in try systemd.set(startsAtLogin: startsAtLogin) }
    lookAtUnit()
  }

  private func askSystemd(
    _ body: @escaping @Sendable (ServiceManager) throws(ControlError) -> Void
  ) {
    thread.perform { [weak self] connection in
      do throws(ControlError) {
        try body(connection.systemd())
      } catch {
        MainLoop.post {
          self?.wanted = nil
          self?.complain(tr(error))
          self?.tell()
        }
      }
    }
  }

  private func lookAtUnit() {
    thread.perform { [weak self] connection in
      let found = Result { () throws(ControlError) in try connection.systemd().startsAtLogin() }
      MainLoop.post {
        self?.startsAtLogin = found
        self?.tell()
      }
    }
  }

  /// The daemon did not come or did not go: systemd knows why.
  private func explainUnit(_ running: Bool) {
    thread.perform { [weak self] connection in
      let state = (try? connection.systemd().activeState()) ?? ""
      MainLoop.post {
        self?.complain(
          running
            ? tr(
              "The daemon did not start (systemd says: %1). `journalctl --user -u qdenoise` says why.",
              state)
            : tr(
              "The daemon still runs: systemd did not start it. End it where it was started."))
      }
    }
  }

  // MARK: The sound server

  private func followMicrophones() {
    soundRetry = nil
    soundThread = Background { [weak self] end in
      _ = try MicrophoneList.follow(as: Self.client, until: end) { list in
        MainLoop.post {
          self?.microphones = list
          self?.soundProblem = nil
          self?.tell()
        }
      }
    } done: { [weak self] failure in
      guard let self else { return }
      microphones = MicrophoneList()
      soundProblem = failure.map { "\($0)" }
      tell()
      soundRetry = MainLoop.Timer(milliseconds: 2000) { [weak self] in self?.followMicrophones() }
    }
  }

  /// Runs a command in the background; `done` is called once it has ended.
  func run(_ words: [String], done: @escaping @MainActor () -> Void) {
    startThread { [weak self] in
      var failure: String?
      do { try CommandRun.run(words) } catch { failure = tr(error) }
      MainLoop.post { [failure] in
        if let failure { self?.complain(failure) }
        done()
      }
    }
  }
}

/// Both sides of the denoiser on their way from one thread to another; only one holds it.
final class LiveTap: @unchecked Sendable {
  var tap: Tap

  init(_ tap: consuming Tap) { self.tap = tap }
}

extension Result where Success == Status, Failure == ControlError {
  /// Whether there is a daemon, answering or not.
  var isThere: Bool {
    switch self {
    case .success, .failure(.noAnswer), .failure(.versionMismatch): true
    default: false
    }
  }

  var isNoAnswer: Bool {
    if case .failure(.noAnswer) = self { true } else { false }
  }
}
