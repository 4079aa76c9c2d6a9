import Synchronization

/// Somewhere to write hops to. Thread: audio.
package protocol HopOutput: ~Copyable {
  /// Writes one hop, of `Model.largestHop` samples at most; false if there was no room for it.
  mutating func write(_ hop: UnsafeBufferPointer<Float>) -> Bool
  /// Samples that waited before the last hop was written.
  var fill: Int { get }
  /// How much faster the output's clock is than the microphone's, in parts per million; nil with
  /// one clock.
  var drift: Double? { get }
  /// Throws away what has piled up.
  mutating func resynchronize()
}

/// From fragments to the output: cuts hops, has them denoised, gives silence where there are none.
/// Allocates nothing after `init`. Thread: audio.
package final class SoundPath<Output: HopOutput & ~Copyable> {
  package var output: Output
  private let link: AudioLink
  private let sampleRate: Int
  private var hop: Int
  private var assembler: HopAssembler
  private var processor: HopProcessor
  private var silence: SilenceClock
  /// Hops that come too late and are to be thrown away.
  private var skip = 0
  private var resynchronizations = 0

  package init(
    _ processor: consuming HopProcessor, output: consuming Output, sampleRate: Int,
    link: AudioLink
  ) {
    self.sampleRate = sampleRate
    hop = processor.hop
    assembler = HopAssembler(hop: hop)
    silence = SilenceClock(hopMicroseconds: UInt64(hop * 1_000_000 / sampleRate))
    self.link = link
    self.processor = processor
    self.output = output
  }

  /// Somebody listens from now on; nothing of what was said before is kept.
  package func start() {
    processor.restart()
    assembler.reset()
    adaptToHop()
    silence.start(at: AudioClock.microseconds)
    skip = 0
  }

  /// Nobody listens any more.
  package func stop() { silence.stop() }

  var isStarted: Bool { silence.next != nil }

  /// Microseconds until `giveSilence` may have something to do; nil for never.
  var timeoutMicroseconds: Int? {
    let now = AudioClock.microseconds
    return silence.next.map { $0 > now ? Int($0 - now) : 0 }
  }

  /// Takes samples, or a hole for a nil pointer, of which `readable` have arrived altogether.
  package func receive(_ samples: UnsafePointer<Float>?, _ count: Int, readable: Int) {
    let entry = AudioClock.nanoseconds
    silence.heard(at: entry / 1000)
    skip += silence.late(of: (assembler.count + readable) / hop)
    var deadline = entry
    var taken = 0
    while taken < count {
      taken += unsafe assembler.take(samples.map { unsafe $0 + taken }, count - taken)
      guard assembler.isFull else { continue }
      if skip > 0 {
        skip -= 1
        assembler.discard()
        link.skippedHops.wrappingAdd(1, ordering: .relaxed)
      } else {
        // Of several hops that come at once each has its own time.
        deadline += UInt64(hop * 1_000_000_000 / sampleRate)
        unsafe give(processor.process(assembler.finish(), deadline: deadline))
      }
    }
  }

  /// Gives the silence that is due.
  package func giveSilence() {
    for _ in 0..<silence.due(at: AudioClock.microseconds) {
      link.silentHops.wrappingAdd(1, ordering: .relaxed)
      unsafe give(processor.process(assembler.finishSilent(), deadline: .max))
    }
  }

  /// The processor says how long the hops are that it wants.
  private func adaptToHop() {
    guard processor.hop != hop else { return }
    hop = processor.hop
    assembler.set(hop: hop)
    silence.set(hopMicroseconds: UInt64(hop * 1_000_000 / sampleRate))
  }

  private func give(_ made: UnsafeBufferPointer<Float>) {
    adaptToHop()
    let wanted = link.resynchronize.load(ordering: .relaxed)
    if wanted != resynchronizations {
      resynchronizations = wanted
      output.resynchronize()
    }
    if unsafe !output.write(made) { link.overruns.wrappingAdd(1, ordering: .relaxed) }
    let fill = output.fill
    if fill < link.leastFill.load(ordering: .relaxed) {
      link.leastFill.store(fill, ordering: .relaxed)
    }
    link.drift.store((output.drift ?? .nan).bitPattern, ordering: .relaxed)
  }
}
