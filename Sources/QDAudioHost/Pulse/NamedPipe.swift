internal import CQDLinux
import Glibc
public import QDMessages

/// Why a FIFO cannot be used.
public struct NamedPipeError: MessageError, Equatable {
  public var path: String
  public var reason: String

  public var message: UserMessage {
    UserMessage(
      "\(path): \(UserMessage(pattern: reason)); the sound server should have made a FIFO there")
  }

  init(_ path: String, reason: String) {
    self.path = path
    self.reason = reason
  }

  init(_ path: String, errno code: Int32) {
    self.init(path, reason: unsafe String(cString: strerror(code)))
  }
}

/// The writing end of the FIFO that feeds a server's pipe-source.
///
/// It is opened for reading and writing, so that it can be emptied and does not break when the
/// server exits. Nothing here waits. Thread: one.
public struct NamedPipe: ~Copyable {
  private let descriptor: Int32
  /// Its size in bytes. With 4096 a fifth hop would be refused while one is unread, because pages
  /// are not shared.
  public static let capacity: Int32 = 8192

  /// Opens the FIFO at `path`, which the server has created.
  public init(path: String) throws(NamedPipeError) {
    let opened = unsafe open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW)
    guard opened >= 0 else { throw NamedPipeError(path, errno: errno) }
    var status = stat()
    guard unsafe fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFIFO else {
      close(opened)
      throw NamedPipeError(path, reason: "it is no FIFO")
    }
    // The server may have made it larger; if the call is refused, the size stays.
    _ = fcntl(opened, linux_set_pipe_size, Self.capacity)
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// Appends all bytes, or nothing and returns false if there is no room. At most 4096 bytes.
  public func write(_ bytes: UnsafeRawBufferPointer) -> Bool {
    unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count) == bytes.count
  }

  /// Bytes that have not been read yet.
  public var unread: Int {
    var count: Int32 = 0
    return unsafe ioctl(descriptor, UInt(FIONREAD), &count) == 0 ? Int(count) : 0
  }

  /// Drops all but the newest `keep` unread bytes.
  public func drain(keep: Int = 0) {
    unsafe withUnsafeTemporaryAllocation(byteCount: 4096, alignment: 1) { buffer in
      var excess = unread - keep
      while excess > 0 {
        let count = unsafe read(descriptor, buffer.baseAddress, min(buffer.count, excess))
        guard count > 0 else { return }
        excess -= count
      }
    }
  }
}
