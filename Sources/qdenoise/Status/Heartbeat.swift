import QDAudioPath
import QDControl
import Synchronization

/// Feeds systemd's watchdog while audio answers pings. Times are microseconds of the monotonic
/// clock. Thread: control.
struct Heartbeat {
  private let link: AudioLink
  private var watchdog = Watchdog()
  /// Half of WatchdogSec; nil without a watchdog.
  private let pause: UInt64?
  /// When the next ping is due.
  private(set) var deadline: UInt64?

  init(_ link: AudioLink, at now: UInt64) {
    self.link = link
    pause = Notify.watchdogInterval.map { $0 / 2 }
    deadline = pause.map { now + $0 }
  }

  /// Reads the answer, and sends a new ping when it is due.
  /// - Parameter hopsGoOn: whether hops must advance now.
  mutating func beat(at now: UInt64, hopsGoOn: Bool, wakeAudio: () -> Void) {
    guard let pause, let due = deadline else { return }
    let hops = link.hops.load(ordering: .relaxed)
    if watchdog.isWell(
      answer: link.pong.load(ordering: .acquiring), isRunning: hopsGoOn, hops: hops)
    {
      Notify.watchdog()
    }
    guard due <= now else { return }
    watchdog.ask(isRunning: hopsGoOn, hops: hops)
    link.ping.store(watchdog.question, ordering: .releasing)
    wakeAudio()
    deadline = now + pause
  }
}
