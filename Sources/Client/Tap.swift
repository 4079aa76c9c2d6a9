package import Control
import Glibc
package import UserMessages

/// Both sides of the running denoiser, through a pipe into which the daemon writes.
package struct Tap: ~Copyable {
  /// Hz.
  package let sampleRate: Int
  /// The descriptor to poll for reading.
  package let descriptor: Int32
  private var bytes: [UInt8] = []
  private var piece = [UInt8](repeating: 0, count: 65_536)

  package init(_ client: borrowing ControlClient) throws {
    var ends: [Int32] = [-1, -1]
    guard unsafe pipe(&ends) == 0 else { throw TapError.noPipe }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { close(ends[1]) }
    do {
      sampleRate = Int(try client.record(into: ends[1]))
      descriptor = ends[0]
    } catch {
      close(ends[0])
      throw error
    }
  }

  deinit { close(descriptor) }

  /// The pending (microphone, denoised) samples, at most `limit` of each; `nil` when the daemon has
  /// ended the recording. Waits if there are none.
  package mutating func read(limit: Int = .max) -> (dry: [Float], wet: [Float])? {
    let count = unsafe Glibc.read(descriptor, &piece, piece.count)
    if count <= 0 { return nil }
    bytes += piece[..<count]
    let pairs = min(bytes.count / 8, limit)
    let samples = unsafe bytes.withUnsafeBytes { raw in
      (0..<2 * pairs).map { unsafe raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
    }
    bytes.removeFirst(8 * pairs)
    return (
      stride(from: 0, to: 2 * pairs, by: 2).map { samples[$0] },
      stride(from: 1, to: 2 * pairs, by: 2).map { samples[$0] }
    )
  }
}

package enum TapError: MessageError {
  case noPipe
  case ended

  package var message: UserMessage {
    switch self {
    case .noPipe:
      UserMessage("no file descriptors are left; close some programs and try again")
    case .ended:
      UserMessage(
        "the daemon ended the recording, what came before is kept; `journalctl --user -u qdenoise`"
          + " says why")
    }
  }
}
