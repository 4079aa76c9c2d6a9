import CQDLinux
import CQDSystemd
import Glibc

/// Real-time scheduling of the audio thread: within the limits of the process, else through rtkit.
/// Thread: control.
enum RealTime {
  /// Sets SCHED_FIFO for a thread within the limits of the process. Returns 0, or the errno.
  static func raise(thread: Int, priority: Int) -> Int32 {
    var parameters = sched_param()
    parameters.sched_priority = Int32(priority)
    // Children must not inherit it.
    return unsafe sched_setscheduler(pid_t(thread), SCHED_FIFO | resetOnFork, &parameters) == 0
      ? 0 : errno
  }

  /// Whether a thread still has it: rtkit revokes it when the machine sleeps or a thread uses too
  /// much time.
  static func has(thread: Int) -> Bool {
    sched_getscheduler(pid_t(thread)) & ~resetOnFork == SCHED_FIFO
  }

  /// The priority of a thread under SCHED_FIFO.
  static func priority(of thread: Int) -> Int? {
    var parameters = sched_param()
    guard has(thread: thread), unsafe sched_getparam(pid_t(thread), &parameters) == 0 else {
      return nil
    }
    return Int(parameters.sched_priority)
  }

  /// Asks rtkit to do the same; returns the reason if it refuses.
  static func ask(thread: Int, priority: Int) -> String? {
    // rtkit refuses a process that could occupy a processor forever.
    var limit = rlimit(rlim_cur: 200_000, rlim_max: 200_000)
    if unsafe setrlimit(__rlimit_resource_t(linux_limit_real_time), &limit) != 0 {
      return "RLIMIT_RTTIME cannot be set: \(unsafe String(cString: strerror(errno)))"
    }
    var bus: OpaquePointer?
    guard unsafe sd_bus_open_system(&bus) >= 0 else { return "no system bus" }
    defer { _ = unsafe sd_bus_flush_close_unref(bus) }
    var call: OpaquePointer?
    guard
      unsafe sd_bus_message_new_method_call(
        bus, &call, "org.freedesktop.RealtimeKit1", "/org/freedesktop/RealtimeKit1",
        "org.freedesktop.RealtimeKit1", "MakeThreadRealtime") >= 0
    else { return "no memory" }
    defer { unsafe sd_bus_message_unref(call) }
    var thread = UInt64(thread)
    var priority = UInt32(priority)
    unsafe sd_bus_message_append_basic(call, CChar(UInt8(ascii: "t")), &thread)
    unsafe sd_bus_message_append_basic(call, CChar(UInt8(ascii: "u")), &priority)
    var error = unsafe sd_bus_error()
    defer { unsafe sd_bus_error_free(&error) }
    let result = unsafe sd_bus_call(bus, call, 1_000_000, &error, nil)
    if result >= 0 { return nil }
    return unsafe error.message.map { unsafe String(cString: $0) }
      ?? String(cString: strerror(-result))
  }

  private static let resetOnFork: Int32 = 0x4000_0000
}
