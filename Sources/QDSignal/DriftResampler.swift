internal import QDMemory

/// Resamples hops from the microphone's clock to the output's: push a hop, pull what the output
/// needs.
///
/// At each push the caller passes the number of samples that wait beyond this buffer (in the server
/// or the card). That plus the samples here is the fill, which `DriftControl` keeps at its target.
/// The filter delays by `latency` more samples. `init` allocates all memory.
/// Thread: audio.
public struct DriftResampler: ~Copyable {
  /// The delay of the filter in samples, within one or two.
  public static let latency = 20

  /// The longest hop, in samples.
  public let hop: Int
  public private(set) var control: DriftControl
  /// Samples that are ready to be pulled.
  public private(set) var available = 0
  /// Samples that were dropped because the buffer was full, since the start.
  public private(set) var dropped = 0

  private var converter = RateConverter(.fastest)
  private var converted: AlignedBuffer<Float>
  private var ring: AlignedBuffer<Float>
  private var first = 0

  /// `target` in samples: the fill right before a hop is pushed.
  public init(hop: Int, sampleRate: Int, target: Double) {
    self.hop = hop
    control = DriftControl(target: target, sampleRate: sampleRate)
    converted = AlignedBuffer(count: hop + hop / 8 + 64)
    ring = AlignedBuffer(count: 8 * hop + 2 * Int(target))
    // The first conversion fills the filter's history, and allocates what is allocated lazily.
    unsafe _ = convert(ring.pointer, hop, ratio: 1)
    converter.reset()
  }

  /// Takes a hop of `count` samples; `outside` is the number of samples pulled and not yet played.
  public mutating func push(_ input: UnsafePointer<Float>, _ count: Int, outside: Double) {
    precondition(count <= hop)
    let ratio = control.update(fill: outside + Double(available), hop: count)
    let made = unsafe convert(input, count, ratio: ratio)
    for index in 0..<made { append(converted[index]) }
  }

  /// Writes up to `count` samples and returns their number.
  public mutating func pull(into output: UnsafeMutablePointer<Float>, count: Int) -> Int {
    let taken = min(count, available)
    for index in 0..<taken {
      unsafe output[index] = ring[first]
      first = first + 1 == ring.count ? 0 : first + 1
    }
    available -= taken
    return taken
  }

  /// Clears the buffer after a dropout; the estimated drift stays.
  public mutating func reset() {
    converter.reset()
    control.restart()
    available = 0
    first = 0
  }

  private mutating func append(_ sample: Float) {
    guard available < ring.count else {
      dropped += 1
      return
    }
    let index = first + available
    ring[index < ring.count ? index : index - ring.count] = sample
    available += 1
  }

  /// One hop into `converted`.
  private mutating func convert(
    _ input: UnsafePointer<Float>, _ count: Int, ratio: Double
  ) -> Int {
    let source = unsafe UnsafeBufferPointer(start: input, count: count)
    let room = unsafe UnsafeMutableBufferPointer(start: converted.pointer, count: converted.count)
    let progress = unsafe converter.convert(source, into: room, ratio: ratio)
    assert(progress.used == count)
    return progress.made
  }
}
