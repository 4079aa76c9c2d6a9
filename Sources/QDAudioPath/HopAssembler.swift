import QDDenoise
import QDMemory

/// Cuts fragments of any length into hops. Thread: audio.
package struct HopAssembler: ~Copyable {
  package private(set) var hop: Int
  /// Samples of the next hop that are there.
  package private(set) var count = 0
  private var samples: AlignedBuffer<Float>
  /// The next hop fades in, as it follows silence.
  private var fadesIn = true

  package init(hop: Int) {
    self.hop = hop
    samples = AlignedBuffer(count: Model.largestHop)
  }

  /// Makes the hops that follow longer or shorter; between two hops.
  package mutating func set(hop: Int) {
    precondition(count == 0 && hop <= samples.count)
    self.hop = hop
  }

  package var isFull: Bool { count == hop }

  /// Takes samples until the hop is full and says how many; a nil pointer is that much silence.
  package mutating func take(_ source: UnsafePointer<Float>?, _ available: Int) -> Int {
    let taken = min(available, hop - count)
    for index in 0..<taken {
      samples[count + index] = unsafe source?[index] ?? 0
    }
    count += taken
    return taken
  }

  /// The full hop; the next one starts. Valid until the next `take`.
  package mutating func finish() -> UnsafePointer<Float> {
    precondition(isFull)
    if fadesIn { ramp(hop, from: 0, to: 1) }
    fadesIn = false
    count = 0
    return unsafe UnsafePointer(samples.pointer)
  }

  /// Throws the full hop away.
  package mutating func discard() {
    precondition(isFull)
    reset()
  }

  /// Forgets what had arrived of the current hop; the next one fades in.
  package mutating func reset() {
    count = 0
    fadesIn = true
  }

  /// A hop of silence, with what had arrived of the current one fading out before it.
  package mutating func finishSilent() -> UnsafePointer<Float> {
    if !fadesIn { ramp(count, from: 1, to: 0) }
    if fadesIn { count = 0 }
    for index in count..<hop { samples[index] = 0 }
    fadesIn = true
    count = 0
    return unsafe UnsafePointer(samples.pointer)
  }

  private mutating func ramp(_ length: Int, from start: Float, to end: Float) {
    let step = (end - start) / Float(max(1, length))
    for index in 0..<length { samples[index] *= start + step * Float(index) }
  }
}
