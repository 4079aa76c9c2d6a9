import Control
import Glibc

/// Both sides of the running denoiser, through a pipe that the daemon writes into.
struct Tap: ~Copyable {
  let sampleRate: Int
  private let pipe: Int32

  init(_ client: borrowing ControlClient) throws {
    var ends: [Int32] = [-1, -1]
    guard unsafe Glibc.pipe(&ends) == 0 else { throw TapError.noPipe }
    defer { close(ends[1]) }
    do {
      sampleRate = Int(try client.record(into: ends[1]))
      pipe = ends[0]
    } catch {
      close(ends[0])
      throw error
    }
  }

  deinit { close(pipe) }

  /// Hands over (microphone, denoised) samples as they come, until Ctrl-C or `limit` of each; false
  /// if the daemon ended it before.
  func pairs(
    _ interrupt: borrowing Interrupt, limit: Int, _ body: ([Float], [Float]) throws -> Void
  ) throws -> Bool {
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65_536)
    var done = 0
    while done < limit, interrupt.wait(for: pipe, milliseconds: -1) == true {
      let count = unsafe read(pipe, &piece, piece.count)
      if count <= 0 { return false }
      bytes += piece[..<count]
      let pairs = min(bytes.count / 8, limit - done)
      let samples = unsafe bytes.withUnsafeBytes { raw in
        (0..<2 * pairs).map { unsafe raw.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
      }
      bytes.removeFirst(8 * pairs)
      done += pairs
      try body(
        stride(from: 0, to: 2 * pairs, by: 2).map { samples[$0] },
        stride(from: 1, to: 2 * pairs, by: 2).map { samples[$0] })
    }
    return true
  }
}

enum TapError: Error, CustomStringConvertible {
  case noPipe
  case ended

  var description: String {
    switch self {
    case .noPipe: "no file descriptors are left; close some programs and try again"
    case .ended:
      "the daemon ended the recording, what came before is kept;"
        + " `journalctl --user -u qdenoise` says why"
    }
  }
}
