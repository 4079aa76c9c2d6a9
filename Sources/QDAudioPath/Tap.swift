import QDMemory
import Synchronization

/// Both sides of the denoiser on their way to a recording: audio writes, control reads. Allocates
/// nothing after `init`.
@safe package final class Tap: @unchecked Sendable {
  /// A sample of the microphone and the denoised one that belongs to it.
  package typealias Pair = SIMD2<Float>

  /// Pairs, and samples of the microphone that are kept: more than a second at 48 kHz.
  package static let capacity = 1 << 16

  private let pairs: UnsafeMutablePointer<Pair>
  private let written = Atomic<Int>(0)
  private let read = Atomic<Int>(0)
  private let isWanted = Atomic<Bool>(false)
  /// The latest samples of the microphone, and how many there have been. Thread: audio.
  private var heard: AlignedBuffer<Float>
  private var heardCount = 0
  private var delay = 0
  private var isOn = false

  package init() {
    unsafe pairs = .allocate(capacity: Self.capacity)
    unsafe pairs.initialize(repeating: .zero, count: Self.capacity)
    heard = AlignedBuffer(count: Self.capacity)
  }

  deinit { unsafe pairs.deallocate() }

  /// Starts or ends the flow. Thread: control.
  package func set(on: Bool) {
    read.store(written.load(ordering: .acquiring), ordering: .releasing)
    isWanted.store(on, ordering: .releasing)
  }

  /// Takes a hop of the microphone and what the denoiser made in it, whose last sample belongs to
  /// the microphone's `delay` samples before its last. Where the delay changes the microphone
  /// cross-fades as `Crossover` does. What finds no room is lost. Thread: audio.
  package func write(
    _ input: UnsafeBufferPointer<Float>, _ output: UnsafeBufferPointer<Float>, delay: Int
  ) {
    let wanted = isWanted.load(ordering: .acquiring)
    if wanted && !isOn {
      heard.fill(with: 0)
      self.delay = delay
    }
    isOn = wanted
    guard wanted else { return }
    for index in 0..<input.count {
      heard[heardCount % Self.capacity] = unsafe input[index]
      heardCount += 1
    }
    let oldStart = heardCount - self.delay - input.count
    let start = heardCount - delay - output.count
    let faded = delay == self.delay ? 0 : min(input.count, output.count)
    var end = written.load(ordering: .relaxed)
    let room = read.load(ordering: .acquiring) + Self.capacity
    for index in 0..<min(output.count, room - end) {
      var sample = microphone(start + index)
      if index < faded {
        let weight = (Float(index) + 0.5) / Float(faded)
        sample = weight * sample + (1 - weight) * microphone(oldStart + index)
      }
      unsafe pairs[end % Self.capacity] = Pair(sample, output[index])
      end += 1
    }
    self.delay = delay
    written.store(end, ordering: .releasing)
  }

  private func microphone(_ index: Int) -> Float {
    index < 0 ? 0 : heard[index % Self.capacity]
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
