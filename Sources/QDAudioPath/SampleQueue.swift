import QDMemory

/// What has arrived and is not yet part of a hop: the newest samples, as many as fit. Thread: audio.
package struct SampleQueue: ~Copyable {
  private var samples: AlignedBuffer<Float>
  private var first = 0
  package private(set) var count = 0

  package init(capacity: Int) { samples = AlignedBuffer(count: capacity) }

  /// Appends samples, silence for a nil pointer, and says how many of the oldest had to go.
  package mutating func append(_ source: UnsafePointer<Float>?, _ added: Int) -> Int {
    let kept = min(added, samples.count)
    let lost = max(0, count + kept - samples.count)
    drop(lost)
    for index in 0..<kept {
      samples[(first + count + index) % samples.count] =
        unsafe source?[added - kept + index] ?? 0
    }
    count += kept
    return lost + added - kept
  }

  /// The oldest samples, as many of them as lie in one piece.
  package var oldest: UnsafeBufferPointer<Float> {
    unsafe UnsafeBufferPointer(
      start: samples.pointer + first, count: min(count, samples.count - first))
  }

  /// Forgets the oldest `dropped` samples.
  package mutating func drop(_ dropped: Int) {
    first = (first + dropped) % samples.count
    count -= dropped
  }

  /// Takes the oldest `taken` samples, which must be there.
  package mutating func move(to target: UnsafeMutablePointer<Float>, _ taken: Int) {
    for index in 0..<taken { unsafe target[index] = samples[(first + index) % samples.count] }
    drop(taken)
  }

  /// Leaves the oldest `excess` samples out; the first `fade` of them fade over into what follows
  /// them, all of which must be there.
  package mutating func leaveOut(_ excess: Int, fadingOver fade: Int) {
    for index in 0..<fade {
      let share = Float(index + 1) / Float(fade + 1)
      let old = samples[(first + index) % samples.count]
      let place = (first + excess + index) % samples.count
      samples[place] = old + (samples[place] - old) * share
    }
    drop(excess)
  }
}
