package import AudioHost
import Denoise
import Memory

/// The FIFO of the virtual microphone, as hops. It has no clock of its own. Thread: audio.
package final class PipeOutput: HopOutput {
  private let pipe: NamedPipe
  private var words: AlignedBuffer<Int16>
  private var bytesOfHop = 0
  /// Samples that waited before the last hop.
  package private(set) var fill = 0

  /// Opens the FIFO and empties it, so that nobody hears what was said before.
  package init(path: String) throws(NamedPipeError) {
    pipe = try NamedPipe(path: path)
    words = AlignedBuffer(count: Model.largestHop)
    pipe.drain()
  }

  /// Writes one hop; false if there was no room for it, and then nothing of it is written.
  package func write(_ hop: UnsafeBufferPointer<Float>) -> Bool {
    for index in 0..<hop.count {
      let scaled = unsafe (hop[index] * 32768).rounded()
      words[index] = Int16(max(-32768, min(32767, scaled)))
    }
    fill = pipe.unread / MemoryLayout<Int16>.stride
    bytesOfHop = hop.count * MemoryLayout<Int16>.stride
    return unsafe pipe.write(UnsafeRawBufferPointer(start: words.pointer, count: bytesOfHop))
  }

  /// Keeps the newest hop only.
  package func resynchronize() { pipe.drain(keep: bytesOfHop) }

  /// The server takes what there is when it is there.
  package var drift: Double? { nil }

  package func empty() { pipe.drain() }
}
