import Glibc

/// The body of a thread.
private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

/// Runs `body` in a new thread, which may wait.
package func startThread(_ body: @escaping @Sendable () -> Void) {
  var thread = pthread_t()
  let started = unsafe pthread_create(
    &thread, nil,
    { body in
      unsafe Unmanaged<ThreadBody>.fromOpaque(body!).takeRetainedValue().run()
      return nil
    }, Unmanaged.passRetained(ThreadBody(body)).toOpaque())
  precondition(started == 0, "no threads are left")
  pthread_detach(thread)
}

/// A pipe whose reading end wakes a thread.
package func wakePipe() -> (read: Int32, write: Int32) {
  var ends: [Int32] = [-1, -1]
  precondition(unsafe pipe(&ends) == 0, "no descriptors are left")
  for end in ends {
    _ = fcntl(end, F_SETFD, FD_CLOEXEC)
    _ = fcntl(end, F_SETFL, O_NONBLOCK)
  }
  return (ends[0], ends[1])
}

package func wake(_ end: Int32) {
  var byte: UInt8 = 1
  _ = unsafe write(end, &byte, 1)
}

package func drain(_ end: Int32) {
  var bytes = [UInt8](repeating: 0, count: 64)
  while unsafe read(end, &bytes, bytes.count) > 0 {}
}

package func monotonicMicroseconds() -> UInt64 {
  var time = timespec()
  unsafe clock_gettime(CLOCK_MONOTONIC, &time)
  return UInt64(time.tv_sec) * 1_000_000 + UInt64(time.tv_nsec) / 1000
}
