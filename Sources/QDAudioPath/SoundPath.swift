import Synchronization

/// Somewhere to write hops to. Thread: audio.
package protocol HopOutput: ~Copyable {
  /// Samples that wait in it, of a source whose samples come `period` at a time. Call it before the
  /// hops of a turn are written.
  mutating func fill(at now: UInt64, period: Int) -> Int
  /// Samples that should wait in it then; nil if it is read as soon as something is written.
  var target: Int? { get }
  /// Whether a listener hears silence where nothing is written.
  var isSilentByItself: Bool { get }
  /// Writes one hop, of `Model.largestHop` samples at most; false if there was no room for it.
  mutating func write(_ hop: UnsafeBufferPointer<Float>) -> Bool
  /// How much faster the output's clock is than the microphone's, in parts per million; nil with
  /// one clock.
  var drift: Double? { get }
  /// Throws away what has piled up.
  mutating func resynchronize()
}

/// From fragments to the output: cuts hops, has them denoised, gives silence where there are none,
/// and leaves out what is too old to be heard.
///
/// Samples are only stored as they arrive. A turn, after all that was there has arrived, knows how
/// many there are and how late they are, and keeps the newest. Allocates nothing after `init`.
/// Thread: audio.
package final class SoundPath<Output: HopOutput & ~Copyable> {
  /// Samples that are kept between two turns.
  private static var capacity: Int { 32_768 }
  /// Hops more than the target that may wait in an output with a clock, for jitter.
  private static var slack: Int { 1 }
  /// How long the rest of a burst is waited for, in microseconds.
  private static var pause: UInt64 { 1_000 }
  package var output: Output
  private let link: AudioLink
  private let sampleRate: Int
  /// Samples of the hop that is being cut.
  private var hop: Int { assembler.hop }
  private var queue: SampleQueue
  private var assembler: HopAssembler
  private let processor: HopProcessor
  private var silence: SilenceClock
  private var arrivals: ArrivalClock
  private var budget = HopBudget()
  private var policy = ResynchronizationPolicy()
  /// Samples that waited when hops were cut from them, in the mean of the last.
  private var waiting = 0.0
  /// Samples that have arrived since the last turn.
  private var arrived = 0
  /// Samples that found no room in the queue.
  private var lost = 0
  /// Hops of silence since the last sound.
  private var silentRun = Int.max
  private var incidents: IncidentLog
  /// When the next turn is to be, come what may.
  private var nextTurn: UInt64 = 0

  package init(
    _ processor: HopProcessor, output: consuming Output, sampleRate: Int,
    link: AudioLink
  ) {
    self.sampleRate = sampleRate
    queue = SampleQueue(capacity: Self.capacity)
    assembler = HopAssembler(hop: processor.hop)
    silence = SilenceClock(
      hopMicroseconds: UInt64(processor.hop * 1_000_000 / sampleRate))
    arrivals = ArrivalClock(sampleRate: sampleRate)
    self.link = link
    incidents = IncidentLog(link)
    self.processor = processor
    self.output = output
  }

  /// Somebody listens from now on; nothing of what was said before is kept.
  package func start(at now: UInt64 = AudioClock.microseconds) {
    processor.restart()
    assembler.reset()
    queue.drop(queue.count)
    (arrived, lost) = (0, 0)
    waiting = 0
    silentRun = .max
    adaptToHop()
    silence.start(at: now)
    budget.start(at: now)
    arrivals.reset()
    policy = ResynchronizationPolicy()
    schedule(at: now)
  }

  /// Nobody listens any more.
  package func stop() { silence.stop() }

  /// The samples that follow are of another stream.
  func restartArrivals() { arrivals.reset() }

  var isStarted: Bool { silence.next != nil }

  /// Microseconds until the next turn has to be; nil for never.
  var timeoutMicroseconds: Int? {
    guard isStarted else { return nil }
    let now = AudioClock.microseconds
    return nextTurn > now ? Int(nextTurn - now) : 0
  }

  /// Takes samples, or a hole for a nil pointer.
  package func receive(_ samples: UnsafePointer<Float>?, _ count: Int) {
    lost += unsafe queue.append(samples, count)
    arrived += count
  }

  /// Gives what has arrived, and the silence that is due. Call it when all that is there has
  /// arrived, and no later than `timeoutMicroseconds` says.
  package func turn(at now: UInt64 = AudioClock.microseconds) {
    guard isStarted else { return }
    let isInTime = noticeStall(at: now)
    if arrived > 0 {
      arrivals.record(arrived, at: now, isRegular: isInTime)
      link.period.store(arrivals.period, ordering: .relaxed)
      silence.heard(at: now, period: microseconds(arrivals.period))
      arrived = 0
    }
    let isIncomplete = arrivals.period > 2 * hop && arrivals.isIncomplete(at: now)
    if !isIncomplete { giveSound(at: now) }
    giveSilence(at: now)
    schedule(at: now)
    // What comes in many pieces is given when the last is there: what waits in the output has a
    // meaning only once in a period.
    if isIncomplete { nextTurn = min(nextTurn, now + Self.pause) }
  }

  private func microseconds(_ samples: Int) -> UInt64 {
    UInt64(samples) * 1_000_000 / UInt64(sampleRate)
  }

  // MARK: Time

  private func schedule(at now: UInt64) {
    let most = now + silence.hop + microseconds(arrivals.period)
    nextTurn = min(most, silence.next ?? most)
  }

  /// Time in which the thread should have run and did not makes hops late. Says whether there was
  /// none.
  private func noticeStall(at now: UInt64) -> Bool {
    guard now > nextTurn + silence.hop else { return true }
    let stall = now - nextTurn
    processor.miss(Int(stall / silence.hop))
    if stall >= IncidentLog.notableStall { incidents.note(.stall, stall, at: now) }
    return false
  }

  // MARK: Sound

  private func giveSound(at now: UInt64) {
    if lost > 0 { leaveOut(0) }
    let present = assembler.count + queue.count
    let hops = present / hop
    guard hops > 0 else { return }
    waiting += (Double(present) - waiting) * (waiting == 0 ? 1 : 0.02)
    link.waiting.store(Int(waiting), ordering: .relaxed)
    let allowed = allowedHops(at: now)
    if hops > allowed { leaveOut(hops - allowed) }
    var deadline = AudioClock.nanoseconds
    while queue.count > 0 {
      let piece = unsafe queue.oldest
      unsafe queue.drop(assembler.take(piece.baseAddress, piece.count))
      guard assembler.isFull else { continue }
      // Of several hops that come at once each has its own time.
      deadline += UInt64(hop) * 1_000_000_000 / UInt64(sampleRate)
      silentRun = 0
      unsafe give(processor.process(assembler.finish(), deadline: deadline))
    }
  }

  /// Hops that may be given now: what is older than the newest so many is too old.
  private func allowedHops(at now: UInt64) -> Int {
    let period = arrivals.period
    let fill = output.fill(at: now, period: period)
    let excess = resynchronize(fill, at: now)
    let credit = UInt64(HopBudget.credit) * silence.hop + microseconds(period)
    let late = arrivals.lateness(at: now)
    if arrivals.isBehind(by: Int64(credit), at: now) {
      incidents.note(.lateArrival, UInt64(late), at: now)
      return 0
    }
    guard let target = output.target else {
      return budget.hops(at: now, hop: silence.hop, period: microseconds(period))
    }
    // As much as comes at once may wait, beside the target.
    let room = target + (Self.slack + 1) * hop + period - fill - excess
    return max(0, room) / hop
  }

  /// Throws away what has piled up in the output, and says how many samples are to be left out for
  /// what cannot be.
  private func resynchronize(_ fill: Int, at now: UInt64) -> Int {
    let target = output.target
    let excess = (fill - (target ?? 0)) * 1_000_000 / sampleRate
    let action = policy.record(excess: excess, at: now)
    let mean = Int(policy.excess ?? 0) * sampleRate / 1_000_000
    link.fill.store(max(0, mean + (target ?? 0)), ordering: .relaxed)
    if action == .nothing { return 0 }
    link.resynchronizations.wrappingAdd(1, ordering: .relaxed)
    incidents.note(.piledUp, UInt64(excess), at: now)
    guard target != nil, case .skip(let microseconds) = action else {
      output.resynchronize()
      return 0
    }
    return microseconds * sampleRate / 1_000_000
  }

  /// Throws the oldest hops away, and counts what found no room before.
  private func leaveOut(_ hops: Int) {
    queue.drop(max(0, min(queue.count, hops * hop - assembler.count)))
    assembler.reset()
    link.skippedHops.wrappingAdd(hops + lost / hop, ordering: .relaxed)
    lost = 0
  }

  private func giveSilence(at now: UInt64) {
    let due = silence.due(at: now)
    guard due > 0 else { return }
    let allowed = budget.hops(
      at: now, hop: silence.hop, period: microseconds(arrivals.period))
    for _ in 0..<min(due, allowed) {
      link.silentHops.wrappingAdd(1, ordering: .relaxed)
      silentRun = silentRun == .max ? .max : silentRun + 1
      let made = unsafe processor.process(assembler.finishSilent(), deadline: .max)
      // The end of the sound comes out as late as the denoiser is.
      let isSilent = silentRun == .max || (silentRun - 1) * hop > processor.latency
      if output.isSilentByItself && isSilent {
        adaptToHop()
      } else {
        unsafe give(made)
      }
    }
  }

  /// The processor says how long the hops are that it wants.
  private func adaptToHop() {
    guard processor.hop != hop else { return }
    assembler.set(hop: processor.hop)
    silence.set(hopMicroseconds: UInt64(hop * 1_000_000 / sampleRate))
  }

  private func give(_ made: UnsafeBufferPointer<Float>) {
    budget.spend(hop: silence.hop)
    adaptToHop()
    if unsafe !output.write(made) { link.overruns.wrappingAdd(1, ordering: .relaxed) }
    link.drift.store((output.drift ?? .nan).bitPattern, ordering: .relaxed)
  }
}
