internal import CQDLinux
internal import CQDPulse
import Glibc

/// Waits for file descriptors, and runs libpulse's main loop, which it wraps. Thread: the one that
/// created it, except for `waker`.
@safe public final class EventLoop {
  let raw: OpaquePointer
  // libpulse's own wake-up function loses a call just before the wait.
  private let wakeUps = linux_event_counter()
  private var wakeUpEvent: OpaquePointer?

  public init() {
    guard let loop = unsafe pa_mainloop_new(), wakeUps >= 0 else {
      fatalError("out of memory or descriptors")
    }
    unsafe raw = loop
    unsafe wakeUpEvent = api.pointee.io_new(
      api, wakeUps, PA_IO_EVENT_INPUT,
      { _, _, descriptor, _, _ in
        var count: UInt64 = 0
        _ = unsafe read(descriptor, &count, 8)
      }, nil)
  }

  deinit {
    unsafe api.pointee.io_free(wakeUpEvent)
    unsafe pa_mainloop_free(raw)
    close(wakeUps)
  }

  var api: UnsafeMutablePointer<pa_mainloop_api> { unsafe pa_mainloop_get_api(raw) }

  /// Waits for events, at most `timeoutMicroseconds` (nil: without a limit), and calls their
  /// handlers.
  ///
  /// Returns the number of handlers called.
  @discardableResult
  public func iterate(timeoutMicroseconds: Int?) -> Int {
    let timeout = timeoutMicroseconds.map { Int32(clamping: max(0, $0)) } ?? -1
    guard unsafe pa_mainloop_prepare(raw, timeout) >= 0, unsafe pa_mainloop_poll(raw) >= 0 else {
      return 0
    }
    return Int(max(0, unsafe pa_mainloop_dispatch(raw)))
  }

  /// Calls the handlers of all pending events, and of new ones meanwhile, for at most
  /// `longestMicroseconds`.
  public func drain(longestMicroseconds: UInt64) {
    let end = pa_rtclock_now() + longestMicroseconds
    while iterate(timeoutMicroseconds: 0) > 0 && pa_rtclock_now() < end {}
  }

  /// Ends a wait from any thread; the loop must outlive it.
  public var waker: Waker { Waker(descriptor: wakeUps) }

  /// Calls `handler` whenever the descriptor is readable (or writable, if requested), until the
  /// watch is freed.
  public func watch(
    _ descriptor: Int32, readable: Bool = true, writable: Bool = false,
    handler: @escaping () -> Void
  ) -> Watch {
    Watch(loop: self, descriptor, readable: readable, writable: writable, handler: handler)
  }

  /// A descriptor in the loop; freeing this removes it. The owner keeps the descriptor.
  @safe public final class Watch {
    private let loop: EventLoop
    private var event: OpaquePointer?
    private let handler: () -> Void

    init(
      loop: EventLoop, _ descriptor: Int32, readable: Bool, writable: Bool,
      handler: @escaping () -> Void
    ) {
      self.loop = loop
      self.handler = handler
      let callback: pa_io_event_cb_t = { _, _, _, _, data in
        guard let data = unsafe data else { return }
        unsafe Unmanaged<Watch>.fromOpaque(data).takeUnretainedValue().handler()
      }
      unsafe event = loop.api.pointee.io_new(
        loop.api, descriptor, Self.flags(readable, writable), callback,
        Unmanaged.passUnretained(self).toOpaque())
    }

    /// Changes the events to wait for.
    public func want(readable: Bool, writable: Bool) {
      unsafe loop.api.pointee.io_enable(event, Self.flags(readable, writable))
    }

    private static func flags(_ readable: Bool, _ writable: Bool) -> pa_io_event_flags_t {
      var flags = PA_IO_EVENT_NULL.rawValue
      if readable { flags |= PA_IO_EVENT_INPUT.rawValue }
      if writable { flags |= PA_IO_EVENT_OUTPUT.rawValue }
      return pa_io_event_flags_t(flags)
    }

    deinit { unsafe loop.api.pointee.io_free(event) }
  }
}
