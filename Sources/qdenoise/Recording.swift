import CLinux
import Glibc
import UserMessages

/// Somebody who wants both sides of the denoiser through a pipe. Thread: control.
@safe final class Recording {
  /// How often what was recorded is handed on, in microseconds: 30 times a second, as it is drawn.
  static let period: UInt64 = 33_000
  /// What a reader may leave unread before it counts as gone: about 10 s.
  private static let largestBacklog = 4 << 20

  /// Who asked for it, by the name on the bus.
  let owner: String
  private let pipe: Int32
  private var backlog: [UInt8] = []

  /// Why a descriptor is refused: what has no other end would be filled without end, as nobody
  /// closes it. `nil` for a pipe or a socket.
  static func refusal(of descriptor: Int32) -> UserMessage? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      return UserMessage("the descriptor cannot be used")
    }
    return [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT)
      ? nil : UserMessage("a recording goes into a pipe or a socket, not into a file or a device")
  }

  /// Owns the pipe's writing end.
  init(into pipe: Int32, for owner: String) {
    self.pipe = pipe
    self.owner = owner
    // A reader that sleeps must not hold up the daemon.
    _ = fcntl(pipe, F_SETFL, fcntl(pipe, F_GETFL) | O_NONBLOCK)
    _ = fcntl(pipe, linux_set_pipe_size, 1 << 20)
  }

  deinit { close(pipe) }

  /// Takes what has come.
  func append(_ piece: UnsafeRawBufferPointer) { unsafe backlog.append(contentsOf: piece) }

  /// Hands on what has come; false once the reader is gone.
  func flow() -> Bool {
    while !backlog.isEmpty {
      let count = unsafe backlog.withUnsafeBytes { bytes in
        unsafe write(pipe, bytes.baseAddress, bytes.count)
      }
      guard count > 0 else { return errno == EAGAIN && backlog.count < Self.largestBacklog }
      backlog.removeFirst(count)
    }
    // A reader that closes without there being anything to write is noticed here.
    var end = pollfd(fd: pipe, events: 0, revents: 0)
    return unsafe poll(&end, 1, 0) == 0
  }
}
