import CQDSystemd
import QDClient
import QDControl
import Glibc
import Synchronization

/// The loop: what the panel asks, what the daemon says, and what follows from both. Thread: main.
final class Tray {
  /// What other threads have found.
  private struct News {
    var status: Status?
    var microphones = MicrophoneList()
    var failure: String?
  }

  private let bus: Bus
  private let item: StatusItem
  private let notifier: Notifier
  private let news: Shared
  private let thread: DaemonThread
  private var before = Mode.standard
  private var hasEnded = false

  /// ``News`` and the pipe that wakes the loop for them.
  private final class Shared: Sendable {
    private let news = Mutex(News())
    let ends = wakePipe()

    func change(_ body: (inout News) -> Void) {
      news.withLock { body(&$0) }
      wake(ends.write)
    }

    /// What there is; a failure is handed out once.
    func take() -> News {
      news.withLock { news in
        defer { news.failure = nil }
        return news
      }
    }
  }

  init() throws(ControlError) {
    let shared = Shared()
    news = shared
    bus = try Bus()
    item = try StatusItem(bus)
    notifier = Notifier(bus)
    thread = DaemonThread { status in
      shared.change { $0.status = try? status.get() }
    }
    startThread { Self.followMicrophones(shared) }
    item.act = { [unowned self] in act($0) }
  }

  private static func followMicrophones(_ shared: Shared) -> Never {
    while true {
      // It never ends by itself.
      let end = wakePipe()
      _ = try? MicrophoneList.follow(as: "qdenoise-tray", until: end.read) { list in
        shared.change { $0.microphones = list }
      }
      close(end.read)
      close(end.write)
      shared.change { $0.microphones = MicrophoneList() }
      // The sound server is away, or has not started yet.
      sleep(5)
    }
  }

  /// Until the person ends it or the bus goes.
  func run() throws(ControlError) {
    while !hasEnded {
      var result: Int32
      repeat { result = unsafe sd_bus_process(bus.handle, nil) } while result > 0
      if result < 0 { throw .noBus(unsafe String(cString: strerror(-result))) }
      takeNews()
      unsafe sd_bus_flush(bus.handle)
      if hasEnded { break }
      var polled = unsafe [
        pollfd(fd: sd_bus_get_fd(bus.handle), events: Int16(POLLIN), revents: 0),
        pollfd(fd: news.ends.read, events: Int16(POLLIN), revents: 0),
      ]
      _ = unsafe poll(&polled, 2, -1)
      drain(news.ends.read)
    }
  }

  private func takeNews() {
    let news = news.take()
    if let mode = news.status?.settings.mode, mode != .mute { before = mode }
    item.show(TrayState(status: news.status, microphones: news.microphones))
    notifier.show(news.status)
    if let failure = news.failure { complain(failure) }
  }

  private func act(_ action: MenuEntry.Action) {
    let status = item.state.status
    switch action {
    case .quit: hasEnded = true
    case .window: openWindow()
    case .mode(let mode):
      ask { daemon throws(ControlError) in try daemon.set(mode: mode) }
    case .microphone(let name):
      ask { daemon throws(ControlError) in try daemon.use(device: name) }
    case .mute:
      let mode = status?.settings.mode == .mute ? before : .mute
      ask { daemon throws(ControlError) in try daemon.set(mode: mode) }
    case .power:
      let runs = status != nil
      perform { connection throws(ControlError) in
        if runs { try connection.systemd().stop() } else { try connection.systemd().start() }
      }
    }
  }

  private func ask(
    _ body: @escaping @Sendable (ControlClient) throws(ControlError) -> Void
  ) {
    perform { connection throws(ControlError) in try body(connection.daemon()) }
  }

  private func perform(
    _ body: @escaping @Sendable (DaemonThread.Connection) throws(ControlError) -> Void
  ) {
    let shared = news
    thread.perform { connection in
      do throws(ControlError) {
        try body(connection)
      } catch {
        shared.change { $0.failure = tr(error) }
      }
    }
  }

  /// Starts the window, or has the running one shown.
  private func openWindow() {
    let shared = news
    startThread {
      do {
        try CommandRun.run(["qdenoise-window"])
      } catch {
        shared.change { $0.failure = tr(error) }
      }
    }
  }
}

func complain(_ text: String) {
  let line = Array("qdenoise-tray: \(text)\n".utf8)
  _ = unsafe write(2, line, line.count)
}
