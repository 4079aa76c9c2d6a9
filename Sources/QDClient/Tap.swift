package import QDControl
import Glibc
package import QDMessages

/// Both sides of the running denoiser, through a pipe into which the daemon writes.
package struct Tap: ~Copyable {
  /// Hz.
  package let sampleRate: Int
  /// The descriptor to poll for reading.
  package let descriptor: Int32
  /// What has come and was not handed over yet: `held` bytes.
  private var bytes = [UInt8](repeating: 0, count: 65_536)
  private var held = 0

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
    let count = unsafe bytes.withUnsafeMutableBytes { raw in
      unsafe Glibc.read(descriptor, raw.baseAddress! + held, raw.count - held)
    }
    if count <= 0 { return nil }
    held += count
    let pairs = min(held / 8, limit)
    let sides = (side(0, pairs), side(4, pairs))
    held -= 8 * pairs
    for index in 0..<held { bytes[index] = bytes[8 * pairs + index] }
    return sides
  }

  /// One side of the first pairs; it begins at this byte of a pair.
  private func side(_ first: Int, _ pairs: Int) -> [Float] {
    unsafe bytes.withUnsafeBytes { raw in
      unsafe [Float](unsafeUninitializedCapacity: pairs) { samples, count in
        for pair in 0..<pairs {
          unsafe samples.initializeElement(
            at: pair, to: raw.loadUnaligned(fromByteOffset: 8 * pair + first, as: Float.self))
        }
        count = pairs
      }
    }
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
