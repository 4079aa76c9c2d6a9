import CQDLinux
import Glibc
import QDMessages

/// A recording of both sides of the denoiser into a pipe. Thread: control.
@safe final class Recording {
  /// The interval at which recorded samples are written, in microseconds: 30 times a second, as
  /// they are drawn.
  static let period: UInt64 = 33_000
  /// Unread bytes after which a reader counts as gone: about 10 s.
  private static let largestBacklog = 4 << 20

  /// The name on the bus of the caller who started it.
  let owner: String
  private let pipe: Int32
  private var backlog: [UInt8] = []

  /// Why a descriptor is refused: a file has no reader whose end would stop the recording. `nil`
  /// for a pipe or a socket.
  static func refusal(of descriptor: Int32) -> UserMessage? {
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else {
      return UserMessage("the descriptor cannot be used")
    }
    return [S_IFIFO, S_IFSOCK].contains(status.st_mode & S_IFMT)
      ? nil : UserMessage("a recording goes into a pipe or a socket, not into a file or a device")
  }

  /// Takes ownership of the pipe's writing end.
  init(into pipe: Int32, for owner: String) {
    self.pipe = pipe
    self.owner = owner
    // A stopped reader must not block the daemon.
    _ = fcntl(pipe, F_SETFL, fcntl(pipe, F_GETFL) | O_NONBLOCK)
    _ = fcntl(pipe, linux_set_pipe_size, 1 << 20)
  }

  deinit { close(pipe) }

  /// Appends recorded samples.
  func append(_ piece: UnsafeRawBufferPointer) { unsafe backlog.append(contentsOf: piece) }

  /// Writes pending samples; false if the reader is gone.
  func flow() -> Bool {
    while !backlog.isEmpty {
      let count = unsafe backlog.withUnsafeBytes { bytes in
        unsafe write(pipe, bytes.baseAddress, bytes.count)
      }
      guard count > 0 else { return errno == EAGAIN && backlog.count < Self.largestBacklog }
      backlog.removeFirst(count)
    }
    // Detects a reader that closes while there is nothing to write.
    var end = pollfd(fd: pipe, events: 0, revents: 0)
    return unsafe poll(&end, 1, 0) == 0
  }
}
