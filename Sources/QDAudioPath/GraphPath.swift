package import QDAudioHost
import CQDLinux
import QDDenoise
import Synchronization

/// From the cycles of PipeWire's graph to hops and back into the same cycles.
///
/// One clock drives both sides, so what waits between them is constant: a hop less what hop and
/// quantum have in common, and what a hop was ahead by when one of them changed. Silence at the start
/// makes it so, and what exceeds it after a stall is left out. Allocates nothing after `init`. Thread: audio while there are no streams, PipeWire's
/// data loop while there are.
package final class GraphPath {
  /// Samples that a server hands over at once, at most, with room for a stall.
  private static let capacity = 65_536
  /// Samples beyond the target that are left alone: 1 ms.
  private static let tolerance = 48
  /// Samples more than the target for a graph of another rate, whose cycles differ in length.
  private static let jitter = 16
  /// Samples through which what waits has to exceed the target: 0.2 s.
  private static let patience = 9_600
  /// Samples that are never waited for: 100 ms.
  private static let limit = 4_800
  /// Samples over which what is left out is faded over: 2 ms.
  private static let fade = 96

  private let processor: HopProcessor
  private let link: AudioLink
  private let wakeControl: Waker
  private let sampleRate: Int
  private var incidents: IncidentLog
  private var assembler: HopAssembler
  /// What is made and not yet asked for.
  private var queue: SampleQueue
  private var mixer = ChannelMixer()
  /// The microphone that the mixer knows.
  private var mixed: (source: String, channels: Int)?
  private let pinned = Atomic<UInt32>(0)
  private var pinnedNow: UInt32 = 0
  /// Samples of the hop that is being cut.
  private var hop: Int { assembler.hop }
  private var hasOutput = false
  private var knowsThread = false
  /// Samples that the last cycle asked for; 0 before the first.
  private var quantum = 0
  /// Cycles differ in length.
  private var isUneven = false
  private var deadline: UInt64 = 0
  private var lastCycle: PipeWireDuplex.Cycle?
  /// Samples that arrived in the last cycle.
  private var arrived = 0
  /// Samples through which what waits has exceeded the target, and the least of the excess.
  private var excessLength = 0
  private var least = 0

  /// See `latency`.
  private let delay: Atomic<Int>
  /// The model has changed, and `latency` with it. Thread: the data loop's.
  private let delayChanged: () -> Void

  package init(
    _ processor: HopProcessor, sampleRate: Int, link: AudioLink, wakeControl: Waker,
    delayChanged: @escaping () -> Void = {}
  ) {
    delay = Atomic(Self.delay(of: processor))
    self.delayChanged = delayChanged
    self.processor = processor
    self.link = link
    incidents = IncidentLog(link)
    self.wakeControl = wakeControl
    self.sampleRate = sampleRate
    assembler = HopAssembler(hop: processor.hop)
    queue = SampleQueue(capacity: Self.capacity)
  }

  // MARK: Audio thread

  /// Somebody listens from now on; nothing of what was said before is kept.
  package func start(channels: Int, source: String = "", hasOutput: Bool) {
    processor.restart()
    assembler.reset()
    adaptToHop()
    followDelay()
    queue.drop(queue.count)
    if let mixed, mixed == (source, channels) {
      mixer.restart()
    } else {
      pinnedNow = pinned.load(ordering: .relaxed)
      mixer.reset(channels: channels, pinned: pinnedNow)
      mixed = (source, channels)
    }
    self.hasOutput = hasOutput
    (quantum, isUneven, arrived) = (0, false, 0)
    link.waiting.store(0, ordering: .relaxed)
    (lastCycle, excessLength) = (nil, 0)
    knowsThread = false
  }

  /// The channels to mix, a bit each; 0 leaves it to the mixer.
  package func pin(_ channels: UInt32) { pinned.store(channels, ordering: .relaxed) }

  /// Samples by which the output is behind the microphone, at a quantum of 256 or 1024.
  /// Any thread.
  package var latency: Int { delay.load(ordering: .relaxed) }

  private static func delay(of processor: HopProcessor) -> Int {
    processor.latency + wait(hop: processor.hop, quantum: 0)
  }

  private func followDelay() {
    let now = Self.delay(of: processor)
    guard now != latency else { return }
    delay.store(now, ordering: .relaxed)
    delayChanged()
  }

  // MARK: Data loop

  /// A cycle of the graph begins.
  package func begin(_ cycle: PipeWireDuplex.Cycle) {
    if !knowsThread {
      knowsThread = true
      link.threadID.store(Int(linux_thread_id()), ordering: .releasing)
      wakeControl.wake()
    }
    noticeStall(at: cycle)
    lastCycle = cycle
    arrived = 0
  }

  /// The driver's time goes on by what arrives, and by what is lost while this thread does not run.
  private func noticeStall(at cycle: PipeWireDuplex.Cycle) {
    guard let last = lastCycle, cycle.position > last.position, arrived > 0 else { return }
    let passed = (cycle.position - last.position) / 1000
    let taken = UInt64(arrived) * 1_000_000 / UInt64(sampleRate)
    let hopTime = UInt64(hop) * 1_000_000 / UInt64(sampleRate)
    guard passed > taken + hopTime else { return }
    let stall = passed - taken
    link.xruns.wrappingAdd(1, ordering: .relaxed)
    link.skippedHops.wrappingAdd(Int(stall / hopTime), ordering: .relaxed)
    processor.miss(Int(stall / hopTime))
    if stall >= IncidentLog.notableStall {
      incidents.note(.stall, stall, at: AudioClock.microseconds)
    }
  }

  /// Takes what the microphone gave, its channels interleaved.
  package func take(_ samples: UnsafePointer<Float>, _ count: Int) {
    if arrived == 0 { begin(hops: count) }
    arrived += count
    let wanted = pinned.load(ordering: .relaxed)
    if wanted != pinnedNow {
      pinnedNow = wanted
      mixer.pin(wanted)
    }
    var taken = 0
    while taken < count {
      let length = min(count - taken, ChannelMixer.capacity)
      unsafe denoise(mixer.mix(samples + taken * mixer.channels, length), length)
      taken += length
    }
    link.channels.publish(mixer)
  }

  /// Hops of this cycle should be done before the next.
  private func begin(hops count: Int) {
    link.period.store(count, ordering: .relaxed)
    let start = lastCycle?.start ?? AudioClock.nanoseconds
    deadline = start + UInt64(count) * 1_000_000_000 / UInt64(sampleRate)
  }

  private func denoise(_ samples: UnsafePointer<Float>, _ count: Int) {
    var taken = 0
    while taken < count {
      taken += unsafe assembler.take(samples + taken, count - taken)
      guard assembler.isFull else { return }
      let made = unsafe processor.process(assembler.finish(), deadline: deadline)
      adaptToHop()
      followDelay()
      guard hasOutput else { continue }
      let lost = unsafe queue.append(made.baseAddress, made.count)
      if lost > 0 { link.overruns.wrappingAdd(1, ordering: .relaxed) }
    }
  }

  private func adaptToHop() {
    guard processor.hop != hop else { return }
    assembler.set(hop: processor.hop)
  }

  /// Gives what the graph asks for.
  package func give(_ output: UnsafeMutablePointer<Float>, _ count: Int) {
    if quantum == 0 { prime(for: count) }
    if quantum != count && quantum != 0 { isUneven = true }
    quantum = count
    let missing = max(0, count - queue.count)
    for index in 0..<missing { unsafe output[index] = 0 }
    if missing > 0 {
      link.silentHops.wrappingAdd(1, ordering: .relaxed)
      excessLength = 0
    }
    unsafe queue.move(to: output + missing, count - missing)
    trim(count)
  }

  /// What waits after each cycle: less would not last to the next hop.
  ///
  /// The samples of the hop that is being cut grow by the quantum and shrink by hops, so after each
  /// cycle they have the same remainder by what both have in common: 0 from the start on, any other
  /// once hop or quantum has changed. The most of them that ever wait is that remainder more.
  private func target(_ quantum: Int) -> Int {
    let common = Self.divisor(hop, quantum)
    return hop - common + assembler.count % common + (isUneven ? Self.jitter : 0)
  }

  /// Samples that wait for a hop to be complete: the hop less the greatest common divisor of both.
  package static func wait(hop: Int, quantum: Int) -> Int {
    // What servers choose by themselves is a multiple of 32, and so is a hop.
    hop - divisor(hop, quantum == 0 ? 32 : quantum)
  }

  private func prime(for count: Int) {
    _ = unsafe queue.append(nil, max(0, target(count) + count - queue.count - assembler.count))
  }

  /// Leaves out what exceeds the target for long, or by much, after a cycle of `count` samples.
  private func trim(_ count: Int) {
    let target = target(quantum)
    let waiting = queue.count + assembler.count
    link.waiting.store(min(waiting, target), ordering: .relaxed)
    let excess = waiting - target
    link.fill.store(max(0, excess), ordering: .relaxed)
    guard excess > Self.tolerance else {
      excessLength = 0
      return
    }
    least = excessLength == 0 ? excess : min(least, excess)
    excessLength += count
    guard excessLength >= Self.patience || excess > Self.limit, queue.count >= least + Self.fade
    else { return }
    queue.leaveOut(least, fadingOver: Self.fade)
    link.resynchronizations.wrappingAdd(1, ordering: .relaxed)
    incidents.note(
      .piledUp, UInt64(least) * 1_000_000 / UInt64(sampleRate), at: AudioClock.microseconds)
    excessLength = 0
  }

  private static func divisor(_ a: Int, _ b: Int) -> Int { b == 0 ? a : divisor(b, a % b) }
}
