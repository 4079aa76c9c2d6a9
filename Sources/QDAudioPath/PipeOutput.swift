package import QDAudioHost
import QDDenoise
import QDMemory

/// The FIFO of the virtual microphone, as hops. It has no clock of its own. Thread: audio.
package final class PipeOutput: HopOutput {
  private let pipe: NamedPipe
  private var words: AlignedBuffer<Int16>
  private var bytesOfHop = 0

  /// Opens the FIFO and empties it, so that nobody hears what was said before.
  package init(path: String) throws(NamedPipeError) {
    pipe = try NamedPipe(path: path)
    words = AlignedBuffer(count: Model.largestHop)
    pipe.drain()
  }

  /// Samples that the server has not read.
  package func fill(at now: UInt64, period: Int) -> Int { pipe.unread / MemoryLayout<Int16>.stride }

  /// The server takes what there is when it is there.
  package var target: Int? { nil }

  package var drift: Double? { nil }

  /// A source whose FIFO is empty gives nothing at all.
  package var isSilentByItself: Bool { false }

  /// Writes one hop; false if the server has left several unread, which are thrown away: it would
  /// read them when they are old.
  package func write(_ hop: UnsafeBufferPointer<Float>) -> Bool {
    for index in 0..<hop.count {
      let scaled = unsafe (hop[index] * 32768).rounded()
      words[index] = Int16(max(-32768, min(32767, scaled)))
    }
    bytesOfHop = hop.count * MemoryLayout<Int16>.stride
    let isRead = pipe.unread <= HopBudget.credit * bytesOfHop
    if !isRead { pipe.drain() }
    return unsafe pipe.write(UnsafeRawBufferPointer(start: words.pointer, count: bytesOfHop))
      && isRead
  }

  /// Keeps the newest hop only.
  package func resynchronize() { pipe.drain(keep: bytesOfHop) }

  package func empty() { pipe.drain() }
}
