import QDAudioHost
import QDControl

/// Moves streams back that asked for the virtual microphone and that the server has moved, and
/// reports them. Times are microseconds of the monotonic clock. Thread: control.
struct StrayWatch {
  /// The pause before a moved stream is checked.
  static let lookPause: UInt64 = 300_000
  /// How long a stream may be connected to nothing before this is reported.
  static let cutOffPatience: UInt64 = 2_000_000

  private(set) var strays: StrayListeners
  /// The state that was stored for the next daemon.
  private var kept: StrayListeners.Memory
  private let keep: (StrayListeners.Memory) -> Void
  /// When to check again without an event.
  private(set) var nextLook: UInt64?
  /// The time since which a stream that asked for the virtual microphone has had no source.
  private var cutOffSince: UInt64?

  init(
    _ strays: StrayListeners, keep: @escaping (StrayListeners.Memory) -> Void
  ) {
    self.strays = strays
    kept = strays.memory
    self.keep = keep
  }

  /// The connection is lost; the stored listeners remain.
  mutating func lose() { (nextLook, cutOffSince) = (nil, nil) }

  /// Moves strays back, and records whether a stream is connected to nothing.
  mutating func bringBack(on backend: any Backend, at now: UInt64) throws(BackendError) {
    let devices = backend.devices
    guard devices.listeners != nil else { return }
    let before = strays.strays
    let found = strays.find(
      server: devices.server, sources: devices.sources, listeners: devices.recordings, at: now)
    for stray in strays.strays where !before.contains(stray) { Self.report(stray) }
    for listener in found {
      strays.note(moveOf: listener, helped: try backend.bringBack(listener), at: now)
    }
    nextLook = strays.areMoving || strays.mayMove(at: now) ? now + Self.lookPause : nil
    guard strays.areCutOff, backend.cutOffWarning != nil else { return cutOffSince = nil }
    if cutOffSince == nil { nextLook = now + Self.cutOffPatience }
    cutOffSince = cutOffSince ?? now
  }

  /// Schedules another check.
  mutating func lookSoon(at now: UInt64) { nextLook = now + Self.lookPause }

  /// Whether a check is due.
  mutating func isDue(at now: UInt64) -> Bool {
    guard let due = nextLook, due <= now else { return false }
    nextLook = nil
    return true
  }

  /// Whether a stream has been connected to nothing for too long.
  func areCutOff(at now: UInt64) -> Bool {
    cutOffSince.map { now - $0 >= Self.cutOffPatience } ?? false
  }

  /// Stores the listeners for the next daemon.
  mutating func remember() {
    guard strays.memory != kept else { return }
    kept = strays.memory
    keep(kept)
  }

  private static func report(_ stray: StrayListeners.Stray) {
    let (application, source) = (stray.listener.application, stray.source.description)
    Journal.write(
      stray.isChosen ? .info : .notice,
      stray.isChosen
        ? "\(application) was moved to '\(source)' by you, and is left there"
        : "\(application) asked for '\(VirtualMicrophone.description)' and got '\(source)';"
          + " it is moved back",
      ["QDENOISE_LISTENER": application])
  }
}
