package import QDAudioHost
package import QDDenoise
import QDMemory
import Synchronization

/// One hop in, one hop out: follows settings and governor, times and counts. Allocates nothing
/// after `init`.
/// Thread: audio, or the data loop of PipeWire while that runs.
package final class HopProcessor {
  /// Samples of the next hop; another number after `process` or `restart` brought in a denoiser
  /// with another hop.
  package var hop: Int { crossover.hop }
  private let sampleRate: Int
  private let link: AudioLink
  private let wakeControl: Waker
  private var crossover: Crossover
  private var settings: DenoiserSettings
  private var governor: Governor
  private var meter: LevelMeter
  private var output: AlignedBuffer<Float>
  /// The last hop was late: the next is dry.
  private var wasLate = false

  package init(
    _ crossover: consuming Crossover, sampleRate: Int, link: AudioLink,
    wakeControl: Waker
  ) {
    let hop = crossover.hop
    self.sampleRate = sampleRate
    self.link = link
    self.wakeControl = wakeControl
    self.crossover = crossover
    settings = link.settings
    governor = link.ladder.governor(hopSeconds: Double(hop) / Double(sampleRate))
    meter = LevelMeter(hopSeconds: Float(hop) / Float(sampleRate))
    output = AlignedBuffer(count: Model.largestHop)
  }

  /// Starts anew after a pause: nothing of what was said before it is kept, and a denoiser that
  /// waits comes in at once.
  package func restart() {
    let before = hop
    crossover.exchange(with: link.denoisers)
    crossover.reset()
    crossover.exchange(with: link.denoisers)
    wasLate = false
    if hop != before { adaptToHop() }
  }

  /// Processes one hop that should be done at `deadline`, in nanoseconds of the monotonic clock.
  /// The result is as long as the input, but for a hop that brings in a denoiser with another one;
  /// it is valid until the next call.
  package func process(
    _ input: UnsafePointer<Float>, deadline: UInt64
  ) -> UnsafeBufferPointer<Float> {
    let start = AudioClock.nanoseconds
    let taken = hop
    follow()
    let count = unsafe crossover.process(input, output.pointer, path: path)
    let made = unsafe UnsafeBufferPointer(start: output.pointer, count: count)
    let end = AudioClock.nanoseconds
    link.hopTimes.append(nanoseconds: end - start)
    judge(late: end > deadline)
    meter.record(crossover.levels)
    link.levels.publish(meter)
    unsafe link.tap.write(
      UnsafeBufferPointer(start: input, count: taken), made, delay: crossover.latency)
    link.hops.wrappingAdd(1, ordering: .relaxed)
    if hop != taken { adaptToHop() }
    return unsafe made
  }

  /// The thread did not run in time for so many hops. One stall leads one step down at most, however
  /// long it was.
  package func miss(_ hops: Int) {
    link.lateHops.wrappingAdd(hops, ordering: .relaxed)
    for _ in 0..<min(hops, Governor.lateHops) { record(late: true) }
  }

  /// Samples by which the output is behind the input.
  package var latency: Int { crossover.latency }

  private var hopSeconds: Double { Double(hop) / Double(sampleRate) }

  private func adaptToHop() {
    meter.set(hopSeconds: Float(hopSeconds))
    govern(link.ladder)
  }

  private func govern(_ ladder: Ladder) {
    governor = ladder.governor(hopSeconds: hopSeconds)
    link.level.store(governor.level.rawValue, ordering: .releasing)
  }

  private var path: Denoiser.Path {
    if wasLate { return .dry }
    return switch governor.level {
    case .lowLatency, .full, .light: .network
    case .gate: .gate
    case .bypass: .dry
    }
  }

  /// Does what control has asked for since the last hop.
  private func follow() {
    crossover.exchange(with: link.denoisers)
    let wanted = link.settings
    if wanted != settings {
      settings = wanted
      crossover.set(mode: wanted.mode, strength: wanted.strength)
      crossover.set(lowCut: wanted.lowCut)
      meter.forgetBackground()
    }
    let ladder = link.ladder
    if ladder != Ladder(of: governor) { govern(ladder) }
  }

  private func judge(late: Bool) {
    wasLate = late
    if late { link.lateHops.wrappingAdd(1, ordering: .relaxed) }
    record(late: late)
  }

  private func record(late: Bool) {
    guard let change = governor.record(late: late) else { return }
    link.level.store(change.to.rawValue, ordering: .releasing)
    wakeControl.wake()
  }
}
