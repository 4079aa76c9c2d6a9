import AudioHost
import AudioPath
import Control
import Denoise
import Glibc
import Kernels
import Signal
import Synchronization

extension Daemon {
  /// One line for systemd.
  var statusLine: String {
    if configuration.backend == .alsa {
      return "Denoising ALSA '\(configuration.alsa.capture)' to '\(configuration.alsa.playback)'"
    }
    guard let server else { return "Waiting: \(serverFailure ?? "no sound server yet")" }
    guard let microphone else { return "Waiting: no microphone" }
    if !isRunning { return "Idle: nobody records from the virtual microphone" }
    let names = (server.listeners.map(\.application) + (recording == nil ? [] : ["a recording"]))
      .joined(separator: ", ")
    return "Denoising '\(microphone.source.description)' for \(names)"
  }

  /// A snapshot for who asks.
  var status: Status {
    statistics.read(link.hopTimes)
    var status = Status()
    status.version = Product.version
    (status.state, status.stateReason) = stateAndReason
    if let server {
      status.server = server.server.title
      status.virtualMicrophone = VirtualMicrophone.description
      status.listeners = server.listeners.map(\.application)
      status.strays = strays.strays.map {
        Status.Stray(
          application: $0.listener.application, stream: $0.listener.index,
          microphone: $0.source.description, chosen: $0.isChosen)
      }
    }
    if recording != nil { status.listeners.append("denoisectl record") }
    if configuration.backend == .alsa {
      status.server = "ALSA"
      status.virtualMicrophone = configuration.alsa.playback
      status.microphone.name = configuration.alsa.capture
      status.microphone.reason = "chosen in the configuration"
      status.microphone.channels = channels(report.positions)
    }
    if let microphone {
      status.microphone.name = microphone.source.name
      status.microphone.description = microphone.source.description
      status.microphone.reason = microphone.explanation
      status.microphone.muted = microphone.source.isMuted
      status.microphone.channels = channels(microphone.source.positions)
    }
    status.settings = settings
    status.overrides = overrides
    status.model = modelInUse
    status.latency = latency
    status.hops = hopCounts
    if isRunning {
      status.levels.inputDecibels = link.levels.inputDecibels
      status.levels.outputDecibels = link.levels.outputDecibels
      status.levels.noiseReductionDecibels = link.levels.noiseReductionDecibels
      status.levels.speechProbability = link.levels.speechProbability
    }
    let drift = Double(bitPattern: link.drift.load(ordering: .relaxed))
    status.driftPpm = drift.isNaN ? nil : drift
    status.cpuPercent = usage.percent()
    status.memoryBytes = ProcessUsage.residentBytes
    status.realTime = realTime
    status.attenuations = attenuations
    status.warnings = warnings
    status.warnings += status.strays.filter { !$0.chosen }.map {
      "\($0.text); `\($0.remedy)` mends it"
    }
    return status
  }

  private func channels(_ positions: [String]) -> [Status.Channel] {
    let isCaptured = isRunning && report.capture == .running
    return positions.indices.map { channel in
      let decibels =
        positions.count == 1 ? link.levels.inputDecibels : link.channels.decibels(of: channel)
      return Status.Channel(
        number: channel + 1, position: positions[channel],
        levelDecibels: isCaptured ? decibels : nil,
        used: positions.count == 1 || isCaptured && link.channels.used & 1 << UInt32(channel) != 0)
    }
  }

  var isRunning: Bool {
    configuration.backend == .alsa || order.route != nil
  }

  private var stateAndReason: (Status.State, String) {
    if configuration.backend != .alsa {
      guard server != nil else { return (.waiting, serverFailure ?? "no sound server yet") }
      guard microphone != nil else { return (.waiting, "there is no microphone") }
      guard isRunning else { return (.idle, "nobody records from the virtual microphone") }
    }
    switch report.capture {
    case .failed(let reason):
      return (.degraded, Status.Silence.failed.stateReason + reason)
    case .suspended: return (.degraded, Status.Silence.suspended.stateReason)
    case .off, .starting: return (.degraded, Status.Silence.starting.stateReason)
    case .running: break
    }
    if let recentIncident { return (.degraded, recentIncident.description) }
    if let level, level > models.top(of: settings.model) {
      return (.degraded, "hops were late: \(Self.words(for: level))")
    }
    return (.running, "")
  }

  /// Sound that was thrown away in the last two seconds.
  private var recentIncident: Incident? {
    guard let incident = Incident(packed: link.incident.load(ordering: .acquiring)) else {
      return nil
    }
    let now = AudioClock.microseconds / 1000
    return now < incident.time + 2000 ? incident : nil
  }

  private var level: Governor.Level? {
    Governor.Level(rawValue: link.level.load(ordering: .acquiring))
  }

  static func words(for level: Governor.Level) -> String {
    switch level {
    case .lowLatency: "the low-latency model"
    case .full: "the full model"
    case .light: "the light model"
    case .gate: "a gate instead of the network"
    case .bypass: "not denoised"
    }
  }

  private var modelInUse: Status.Model {
    let model = models.model(at: modelLevel)
    var status = Status.Model()
    status.name = model.name
    status.kind = model.kind.rawValue
    status.licence = model.licence ?? ""
    status.precision = model.precision.rawValue
    status.instructionSet = InstructionSet.best.rawValue
    return status
  }

  private var hopCounts: Status.Hops {
    var hops = Status.Hops()
    hops.count = UInt64(link.hops.load(ordering: .relaxed))
    hops.late = UInt64(link.lateHops.load(ordering: .relaxed))
    hops.overruns = UInt64(
      link.overruns.load(ordering: .relaxed) + link.xruns.load(ordering: .relaxed))
    hops.silent = UInt64(link.silentHops.load(ordering: .relaxed))
    hops.skipped = UInt64(link.skippedHops.load(ordering: .relaxed))
    hops.resynchronizations = UInt64(link.resynchronizations.load(ordering: .relaxed))
    if !statistics.isEmpty {
      hops.p50Microseconds = statistics.p50Microseconds
      hops.p99Microseconds = statistics.p99Microseconds
      hops.maximumMicroseconds = statistics.maximumMicroseconds
    }
    return hops
  }

  private var latency: Status.Latency {
    var latency = Status.Latency()
    latency.budgetMicroseconds = configuration.latencyBudgetMilliseconds * 1000
    let ledger = self.ledger
    latency.stages = ledger.stages.map {
      Status.Latency.Stage(
        name: $0.name, microseconds: Double($0.microseconds), measured: $0.isMeasured)
    }
    latency.totalMicroseconds = isRunning ? Double(ledger.sumMicroseconds) : nil
    return latency
  }

  /// Microphone to application, stage by stage.
  var ledger: LatencyLedger {
    var ledger = LatencyLedger(
      budgetMicroseconds: Int(configuration.latencyBudgetMilliseconds * 1000))
    let model = models.model(at: modelLevel)
    let rate = model.sampleRate
    if let source = microphone?.source, isRunning {
      ledger.measure("microphone device", microseconds: source.latencyMicroseconds)
    }
    enterCapture(in: &ledger, model)
    ledger.declare(
      "overlap of windows", samples: model.window - model.hop, sampleRate: rate)
    if model.lookAhead > 0 {
      ledger.declare("look-ahead", samples: model.lookAhead * model.hop, sampleRate: rate)
    }
    if !statistics.isEmpty {
      ledger.measure("compute", microseconds: Int(statistics.p99Microseconds.rounded(.up)))
    }
    if isRunning {
      if case .sink = order.route {
        let period = link.period.load(ordering: .relaxed)
        ledger.measure("quantum of the graph", microseconds: period * 1_000_000 / rate)
        ledger.declare("resampler", samples: DriftResampler.latency, sampleRate: rate)
      }
      ledger.measure(
        "output fill", microseconds: link.fill.load(ordering: .relaxed) * 1_000_000 / rate)
    }
    return ledger
  }

  /// What arrives at once, and what is waited for beyond it until a hop is there.
  private func enterCapture(in ledger: inout LatencyLedger, _ model: Model) {
    let rate = model.sampleRate
    let period = link.period.load(ordering: .relaxed)
    if order.transport == .pipeWire {
      if isRunning, period > 0 {
        ledger.measure("quantum of the graph", microseconds: period * 1_000_000 / rate)
      }
      return ledger.declare(
        "hop", samples: GraphPath.wait(hop: model.hop, quantum: period), sampleRate: rate)
    }
    let waiting = link.waiting.load(ordering: .relaxed)
    guard isRunning, period > 0, waiting > 0 else {
      let fragment = min(report.fragment ?? PulseStreams.fragment(rate), model.hop)
      ledger.declare("capture fragment", samples: fragment, sampleRate: rate)
      ledger.declare("hop", samples: model.hop - fragment, sampleRate: rate)
      return
    }
    ledger.measure("capture fragment", microseconds: period * 1_000_000 / rate)
    ledger.measure("hop", microseconds: max(0, waiting - period) * 1_000_000 / rate)
  }

  /// Pinned channels that the microphone does not have.
  private var missingChannels: String? {
    guard let source = microphone?.source, pinnedChannels != 0 else { return nil }
    let missing = (settings.channels ?? []).filter { $0 > source.channels }
    if missing.isEmpty { return nil }
    return "'\(source.description)' has \(source.channels) channels, and not"
      + " \(Settings.text(channels: missing)); `denoisectl use \(source.name)` forgets them"
  }

  private var warnings: [String] {
    var warnings: [String] = []
    warnings += attenuations.map { "\($0.sentence); `\($0.remedy)` undoes it" }
    if let missing = missingChannels { warnings.append(missing) }
    if isRunning, case .over(let excess, let stage) = ledger.verdict {
      warnings.append(
        "latency is \(excess / 1000) ms above the budget; '\(stage)' takes the most of it")
    }
    if let output = report.output { warnings.append(output) }
    if let cutOffSince, AudioClock.microseconds - cutOffSince >= Daemon.cutOffPatience {
      warnings.append(
        "the session manager connects an application that asked for"
          + " '\(VirtualMicrophone.description)' to nothing; `systemctl --user restart pipewire"
          + " pipewire-pulse wireplumber` mends it")
    }
    if usesSinkNeedlessly { warnings.append(Self.needlessSink) }
    if let configurationFault { warnings.append(configurationFault + Status.oldSettingsHold) }
    return warnings
  }
}
