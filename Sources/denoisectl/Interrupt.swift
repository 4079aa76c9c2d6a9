import Glibc

/// The pipe for the signal handler, which can only access globals.
private nonisolated(unsafe) var interruptPipe: Int32 = -1

/// Ctrl-C and SIGTERM as a descriptor that becomes readable, so that a command can exit cleanly.
struct Interrupt: ~Copyable {
  let descriptor: Int32
  private let other: Int32

  /// From now on the signals do not terminate the program.
  init() {
    var ends: [Int32] = [-1, -1]
    precondition(unsafe pipe(&ends) == 0, "no descriptors left")
    (descriptor, other) = (ends[0], ends[1])
    unsafe interruptPipe = other
    for number in [SIGINT, SIGTERM] {
      signal(number) { _ in
        var byte: UInt8 = 1
        _ = unsafe write(interruptPipe, &byte, 1)
      }
    }
  }

  deinit {
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
    close(descriptor)
    close(other)
  }

  /// Waits for a time; false if the user interrupts.
  func wait(milliseconds: Int32) -> Bool {
    var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&polled, 1, milliseconds) <= 0
  }

  /// Waits until `other` is readable (true) or the user interrupts (false), or `nil` after
  /// `milliseconds`.
  func wait(for other: Int32, milliseconds: Int32) -> Bool? {
    var polled = [
      pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0),
      pollfd(fd: other, events: Int16(POLLIN), revents: 0),
    ]
    let ready = unsafe poll(&polled, 2, milliseconds)
    if polled[0].revents != 0 { return false }
    return ready > 0 ? true : nil
  }
}
