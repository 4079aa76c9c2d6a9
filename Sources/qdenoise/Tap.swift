import Memory
import Synchronization

/// Both sides of the denoiser on their way to a recording: audio writes, control reads. Allocates
/// nothing after `init`.
@safe package final class Tap: @unchecked Sendable {
  /// A sample of the microphone and the denoised one that belongs to it.
  package typealias Pair = SIMD2<Float>

  /// Pairs: more than a second at 48 kHz.
  package static let capacity = 1 << 16

  private let pairs: UnsafeMutablePointer<Pair>
  private let written = Atomic<Int>(0)
  private let read = Atomic<Int>(0)
  private let isWanted = Atomic<Bool>(false)
  /// Thread: audio.
  private var delayLine: AlignedBuffer<Float>
  private var position = 0
  private var isOn = false

  /// `delay` is how many samples the denoised side is behind.
  package init(delay: Int) {
    unsafe pairs = .allocate(capacity: Self.capacity)
    unsafe pairs.initialize(repeating: .zero, count: Self.capacity)
    delayLine = AlignedBuffer(count: max(1, delay))
  }

  deinit { unsafe pairs.deallocate() }

  /// Starts or ends the flow. Thread: control.
  package func set(on: Bool) {
    read.store(written.load(ordering: .acquiring), ordering: .releasing)
    isWanted.store(on, ordering: .releasing)
  }

  /// Takes one hop of either side. What finds no room is lost. Thread: audio.
  package func write(
    _ input: UnsafePointer<Float>, _ output: UnsafePointer<Float>, _ count: Int
  ) {
    let wanted = isWanted.load(ordering: .acquiring)
    if wanted && !isOn { delayLine.fill(with: 0) }
    isOn = wanted
    guard wanted else { return }
    var end = written.load(ordering: .relaxed)
    let room = read.load(ordering: .acquiring) + Self.capacity
    for index in 0..<count {
      let delayed = delayLine[position]
      delayLine[position] = unsafe input[index]
      position = position + 1 == delayLine.count ? 0 : position + 1
      guard end < room else { continue }
      unsafe pairs[end % Self.capacity] = Pair(delayed, output[index])
      end += 1
    }
    written.store(end, ordering: .releasing)
  }

  /// Hands over what has come since the last call, in at most two pieces. Thread: control.
  package func drain(_ body: (UnsafeRawBufferPointer) -> Void) {
    let end = written.load(ordering: .acquiring)
    var start = read.load(ordering: .relaxed)
    while start < end {
      let offset = start % Self.capacity
      let count = min(end - start, Self.capacity - offset)
      unsafe body(UnsafeRawBufferPointer(UnsafeBufferPointer(start: pairs + offset, count: count)))
      start += count
    }
    read.store(end, ordering: .releasing)
  }
}
