import QDAudioHost
import QDControl
import Glibc

/// The daemon's name on the session bus. Without a bus the daemon continues and retries.
/// Times are microseconds of the monotonic clock. Thread: control.
final class ControlBus {
  /// The pause before a missing bus is tried again.
  private static let pause: UInt64 = 5_000_000

  private let loop: EventLoop
  private let handlers: ControlServer.Handlers
  /// Called when the bus is lost, because then the daemon cannot detect that owners of recordings
  /// leave.
  private let lost: () -> Void
  private var server: ControlServer?
  private var watch: EventLoop.Watch?
  private var failure: String?
  private var nextOpen: UInt64? = 0

  init(_ handlers: ControlServer.Handlers, loop: EventLoop, lost: @escaping () -> Void) {
    self.handlers = handlers
    self.lost = lost
    self.loop = loop
  }

  /// When `process` must be called again without an event.
  var deadline: UInt64? {
    [nextOpen, server?.deadline].compactMap { $0 }.min()
  }

  /// Answers pending calls.
  func process(at now: UInt64) {
    if let due = nextOpen, due <= now { open(at: now) }
    guard let server else { return }
    do {
      try server.process()
      watch?.want(
        readable: server.events & Int16(POLLIN) != 0,
        writable: server.events & Int16(POLLOUT) != 0)
    } catch { lose(error, at: now) }
  }

  /// Signals changed properties.
  func publish() {
    do {
      try server?.publishChanges()
    } catch {
      Journal.write(.warning, "\(error)")
    }
  }

  private func open(at now: UInt64) {
    nextOpen = nil
    do {
      let made = try ControlServer(handlers: handlers)
      server = made
      watch = loop.watch(made.fileDescriptor) {}
      failure = nil
    } catch { lose(error, at: now) }
  }

  private func lose(_ error: ControlError, at now: UInt64) {
    if failure != "\(error)" {
      Journal.write(.warning, "\(error); until then denoisectl cannot reach this daemon")
    }
    failure = "\(error)"
    watch = nil
    server = nil
    lost()
    nextOpen = now + Self.pause
  }
}
