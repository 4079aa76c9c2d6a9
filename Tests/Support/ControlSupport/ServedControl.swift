public import QDControl
import Glibc
import Synchronization
import QDMessages

/// A real control server in a thread of its own, whose settings only change a status.
public final class ServedControl: Sendable {
  /// What its `record` writes: pairs of this ramp and its negative.
  public static let recorded = (0..<960).map { Float($0) / 960 }
  public static let sampleRate: UInt32 = 48_000
  /// The device that it refuses.
  public static let refusedDevice = "forbidden"

  private let shared: Mutex<Status>
  private let reloads = Mutex(0)
  private let goneRecorders = Mutex(0)
  private let wakeEnd: Int32
  private let ended = Mutex(false)

  /// Serves on the bus at `address` once this returns.
  public init(address: String, status: Status = Status()) throws(ControlError) {
    shared = Mutex(status)
    var ends: [Int32] = [-1, -1]
    precondition(pipe(&ends) == 0)
    wakeEnd = ends[1]
    let start = Start()
    let wake = ends[0]
    let body = Body { [self] in serve(address, wake: wake, start: start) }
    var thread = pthread_t()
    pthread_create(
      &thread, nil,
      { body in
        Unmanaged<Body>.fromOpaque(body!).takeRetainedValue().run()
        return nil
      }, Unmanaged.passRetained(body).toOpaque())
    pthread_detach(thread)
    start.wait()
    if let error = start.error { throw error }
  }

  public var status: Status { shared.withLock { $0 } }
  public var reloadCount: Int { reloads.withLock { $0 } }
  /// How often one who had asked for a recording has left the bus.
  public var goneRecorderCount: Int { goneRecorders.withLock { $0 } }

  /// Changes the status and tells the bus.
  public func change(_ body: (inout Status) -> Void) {
    shared.withLock { body(&$0) }
    wake()
  }

  /// Leaves the bus; nothing is answered after this returns.
  public func stop() {
    wake(1)
    while !ended.withLock({ $0 }) { usleep(1000) }
  }

  private func wake(_ byte: UInt8 = 0) {
    _ = withUnsafeBytes(of: byte) { write(wakeEnd, $0.baseAddress, 1) }
  }

  private func serve(_ address: String, wake: Int32, start: Start) {
    defer {
      close(wake)
      ended.withLock { $0 = true }
    }
    do {
      let server = try ControlServer(address: address, handlers: handlers)
      start.signal(nil)
      while try turn(server, wake: wake) {}
    } catch {
      start.signal(error)
    }
  }

  /// One turn of a loop as the daemon has it; false once it shall end.
  private func turn(_ server: ControlServer, wake: Int32) throws(ControlError) -> Bool {
    var polled = [
      pollfd(fd: server.fileDescriptor, events: server.events, revents: 0),
      pollfd(fd: wake, events: Int16(POLLIN), revents: 0),
    ]
    var timeout: Int32 = -1
    if let deadline = server.deadline {
      var time = timespec()
      clock_gettime(CLOCK_MONOTONIC, &time)
      let now = UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
      timeout = deadline > now ? Int32(clamping: (deadline - now + 999) / 1000) : 0
    }
    poll(&polled, 2, timeout)
    try server.process()
    guard polled[1].revents != 0 else { return true }
    var byte: UInt8 = 0
    read(wake, &byte, 1)
    try server.publishChanges()
    return byte == 0
  }

  private var handlers: ControlServer.Handlers {
    ControlServer.Handlers(
      status: { self.status },
      setMode: { mode in self.shared.withLock { $0.settings.mode = mode } },
      setStrength: { strength in self.shared.withLock { $0.settings.strength = strength } },
      setModel: { model in self.shared.withLock { $0.settings.model = model } },
      use: { device throws(ControlError) in
        if device == Self.refusedDevice { throw .refused("'\(Self.refusedDevice)' is refused") }
        self.shared.withLock {
          $0.settings.device = device
          $0.settings.channels = nil
        }
      },
      setChannels: { text in
        self.shared.withLock { $0.settings.channels = Settings.channels(text: text) }
      },
      reload: { self.reloads.withLock { $0 += 1 } },
      reset: { setting in
        self.shared.withLock { status in
          status.overrides.removeAll { $0.setting == setting }
          if setting == "strength" { status.settings.strength = nil }
        }
      },
      record: { pipe, _ in
        let pairs = Self.recorded.flatMap { [$0, -$0] }
        _ = pairs.withUnsafeBytes { write(pipe, $0.baseAddress, $0.count) }
        close(pipe)
        return Self.sampleRate
      },
      endRecordings: { _ in self.goneRecorders.withLock { $0 += 1 } })
  }
}

/// Where the thread says that it serves, or why not.
private final class Start: Sendable {
  private let state = Mutex<(done: Bool, error: ControlError?)>((false, nil))

  var error: ControlError? { state.withLock { $0.error } }

  func signal(_ error: ControlError?) { state.withLock { if !$0.done { $0 = (true, error) } } }

  func wait() { while !state.withLock({ $0.done }) { usleep(1000) } }
}

private final class Body: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}
