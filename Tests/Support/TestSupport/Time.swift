import Glibc

/// The monotonic clock in seconds.
public func now() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

public func sleep(seconds: Double) {
  usleep(UInt32(seconds * 1e6))
}

/// Whether `condition` came true within `seconds`; asks 50 times a second. The half minute costs nothing
/// where all goes well, and a machine with much other work needs some of it; a shorter time is a claim.
public func eventually(within seconds: Double = 30, _ condition: () throws -> Bool) rethrows -> Bool
{
  let deadline = now() + seconds
  while true {
    if try condition() { return true }
    if now() > deadline { return false }
    sleep(seconds: 0.02)
  }
}
