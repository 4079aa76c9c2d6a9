import Glibc

/// The monotonic clock.
package enum AudioClock {
  package static var nanoseconds: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  package static var microseconds: UInt64 { nanoseconds / 1000 }

  package static func sleep(microseconds: Int) {
    var time = timespec(
      tv_sec: microseconds / 1_000_000, tv_nsec: microseconds % 1_000_000 * 1000)
    unsafe nanosleep(&time, nil)
  }
}
