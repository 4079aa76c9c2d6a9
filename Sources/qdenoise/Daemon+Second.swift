import AudioHost
import AudioPath
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
    reportIncident()
    watchBudget()
    let thread = link.threadID.load(ordering: .relaxed)
    if realTime.hasPrefix("SCHED_FIFO") && !RealTime.has(thread: thread) { askForRealTime() }
  }

  /// Gives the order again if audio could not carry it out.
  private func retry() {
    guard configuration.backend != .alsa else { return }
    switch (report.connection, report.capture) {
    case (.lost, _), (_, .failed): post(order)
    default: break
    }
  }

  /// Says what sound was thrown away, once a second at most.
  private func reportIncident() {
    let packed = link.incident.load(ordering: .acquiring)
    guard packed != reportedIncident, let incident = Incident(packed: packed) else { return }
    reportedIncident = packed
    Journal.write(
      .warning, incident.description, ["QDENOISE_LATENCY_US": "\(incident.milliseconds * 1000)"])
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
    // PipeWire's graph stands still while the microphone does.
    let isRunning = isRunning && order.transport == .pulse
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
