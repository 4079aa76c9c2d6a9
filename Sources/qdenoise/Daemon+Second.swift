import AudioHost
import Control
import Denoise
import Synchronization

extension Daemon {
  /// What is looked at once a second while somebody listens.
  func second(at now: UInt64) {
    // The last look comes after the last listener has gone.
    let isLost = if case .lost = report.connection { server != nil } else { false }
    nextSecond = isRunning || isLost ? now + 1_000_000 : nil
    statistics.read(link.hopTimes)
    retry()
    measureFill(at: now)
    watchBudget()
    let thread = link.threadID.load(ordering: .relaxed)
    if realTime.hasPrefix("SCHED_FIFO") && !RealTime.has(thread: thread) { askForRealTime() }
  }

  /// Gives the order again if audio could not carry it out.
  private func retry() {
    guard configuration.backend == .pulse else { return }
    switch (report.connection, report.capture) {
    case (.lost, _), (_, .failed): post(order)
    default: break
    }
  }

  /// The fill that even the emptiest moment of the last second had is latency that does not pass.
  private func measureFill(at now: UInt64) {
    let least = link.leastFill.exchange(.max, ordering: .relaxed)
    guard least != .max else { return }
    leastFill = least
    let microseconds = least * 1_000_000 / models.full.sampleRate
    guard
      resynchronization.record(
        measured: microseconds, expected: expectedFillMicroseconds, at: now)
    else { return }
    resynchronizations += 1
    link.resynchronize.wrappingAdd(1, ordering: .relaxed)
    Journal.write(
      .notice, "\(microseconds / 1000) ms of latency had piled up and were thrown away",
      ["QDENOISE_LATENCY_US": "\(microseconds)"])
  }

  /// Says once when the latency's own sum is above the budget, and which stage takes most.
  private func watchBudget() {
    guard case .over(let excess, let stage) = ledger.verdict else {
      isOverBudget = false
      return
    }
    if !isOverBudget {
      Journal.write(
        .warning, "latency is \(excess / 1000) ms above the budget; '\(stage)' takes most",
        ["QDENOISE_STAGE": stage])
    }
    isOverBudget = true
  }

  /// A reader that keeps up leaves nothing in the FIFO; the sink is kept at its target.
  private var expectedFillMicroseconds: Int {
    if configuration.backend == .alsa {
      return ALSAOutput.target(hop: firstHop) * 1_000_000 / models.full.sampleRate
    }
    if case .sink = order.route { return SinkOutput.targetMicroseconds }
    return 0
  }

  /// Builds the denoiser that the governor asks for, and frees the one that it replaced.
  func followGovernor() {
    link.denoisers.collect()
    guard let level = Governor.Level(rawValue: link.level.load(ordering: .acquiring)) else {
      return
    }
    // At the gate and below it the denoiser stays: the way up begins with it.
    let wanted = models.has(level) ? level : modelLevel
    guard wanted != modelLevel else { return }
    let isUp = wanted < modelLevel
    Journal.write(
      .warning,
      (isUp ? "in time again: " : "hops are late: ") + Self.words(for: wanted),
      ["QDENOISE_LEVEL": "\(wanted)"])
    do {
      try offer(wanted, entrance: isUp ? .warm : .atOnce)
    } catch {
      Journal.write(.error, "\(error)")
    }
  }

  /// Builds a denoiser and offers it to audio, in place of one that it has not taken yet.
  func offer(
    _ level: Governor.Level, entrance: Denoiser.Entrance
  ) throws(DenoiseError) {
    var denoiser = try models.denoiser(at: level, settings: link.settings)
    denoiser.entrance = entrance
    denoiser.tag = level.rawValue
    link.denoisers.offer(denoiser)
    modelLevel = level
  }

  func feedWatchdog(at now: UInt64) {
    guard let interval = Notify.watchdogInterval, let due = nextQuestion else { return }
    let hops = link.hops.load(ordering: .relaxed)
    if watchdog.isWell(
      answer: link.pong.load(ordering: .acquiring), isRunning: isRunning, hops: hops)
    {
      Notify.watchdog()
    }
    guard due <= now else { return }
    watchdog.ask(isRunning: isRunning, hops: hops)
    link.ping.store(watchdog.question, ordering: .releasing)
    wakeAudio?.wake()
    nextQuestion = now + interval / 2
  }
}
