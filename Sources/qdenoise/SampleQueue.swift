import Memory

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
}
