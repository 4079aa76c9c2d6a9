import QDAudioPath
import Glibc

/// The resources of the process. Thread: control.
@safe final class ProcessUsage {
  private var lastUsed: UInt64 = 0
  private var lastTime: UInt64 = 0
  private var last: Double?

  /// Processor time since the last call, which was at least a second ago, in percent of one core.
  func percent() -> Double? {
    let now = AudioClock.microseconds
    guard now - lastTime >= 1_000_000 else { return last }
    var usage = rusage()
    unsafe getrusage(RUSAGE_SELF.rawValue, &usage)
    let used = Self.microseconds(usage.ru_utime) + Self.microseconds(usage.ru_stime)
    if lastTime > 0 { last = 100 * Double(used - lastUsed) / Double(now - lastTime) }
    (lastUsed, lastTime) = (used, now)
    return last
  }

  /// Resident memory.
  static var residentBytes: UInt64? {
    let file = unsafe open("/proc/self/statm", O_RDONLY | O_CLOEXEC)
    guard file >= 0 else { return nil }
    defer { close(file) }
    var text = [UInt8](repeating: 0, count: 128)
    let count = unsafe read(file, &text, text.count)
    guard count > 0 else { return nil }
    let words = text[..<count].split(separator: UInt8(ascii: " "))
    guard words.count > 1, let pages = UInt64(String(decoding: words[1], as: UTF8.self)) else {
      return nil
    }
    return pages * UInt64(sysconf(Int32(_SC_PAGESIZE)))
  }

  private static func microseconds(_ time: timeval) -> UInt64 {
    UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_usec)
  }
}
