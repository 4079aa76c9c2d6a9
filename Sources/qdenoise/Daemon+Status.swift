import AudioHost
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
      status.server = "\(server.server.name) \(server.server.version)"
      status.virtualMicrophone = VirtualMicrophone.description
      status.listeners = server.listeners.map(\.application)
    }
    if recording != nil { status.listeners.append("denoisectl record") }
    if configuration.backend == .alsa {
      status.server = "ALSA"
      status.virtualMicrophone = configuration.alsa.playback
      status.microphone.name = configuration.alsa.capture
      status.microphone.reason = "chosen in the configuration"
    }
    if let microphone {
      status.microphone.name = microphone.source.name
      status.microphone.description = microphone.source.description
      status.microphone.reason = microphone.explanation
      status.microphone.muted = microphone.source.isMuted
    }
    status.settings = settings
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
    status.warnings = warnings
    return status
  }

  var isRunning: Bool {
    configuration.backend == .alsa || order.route != nil
  }

  private var stateAndReason: (Status.State, String) {
    if configuration.backend == .pulse {
      guard server != nil else { return (.waiting, serverFailure ?? "no sound server yet") }
      guard microphone != nil else { return (.waiting, "there is no microphone") }
      guard isRunning else { return (.idle, "nobody records from the virtual microphone") }
    }
    switch report.capture {
    case .failed(let reason): return (.degraded, "silence: \(reason)")
    case .suspended: return (.degraded, "silence: the microphone is suspended")
    case .off, .starting: return (.degraded, "silence: the microphone is starting")
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
    let waiting = link.waiting.load(ordering: .relaxed)
    guard isRunning, period > 0, waiting > 0 else {
      let fragment = min(report.fragment ?? PulseAudioLoop.fragment(rate), model.hop)
      ledger.declare("capture fragment", samples: fragment, sampleRate: rate)
      ledger.declare("hop", samples: model.hop - fragment, sampleRate: rate)
      return
    }
    ledger.measure("capture fragment", microseconds: period * 1_000_000 / rate)
    ledger.measure("hop", microseconds: max(0, waiting - period) * 1_000_000 / rate)
  }

  private var warnings: [String] {
    var warnings: [String] = []
    if microphone?.source.isMuted == true {
      warnings.append("the microphone is muted: listeners get silence")
    }
    if isRunning, case .over(let excess, let stage) = ledger.verdict {
      warnings.append(
        "latency is \(excess / 1000) ms above the budget; '\(stage)' takes the most of it")
    }
    if let output = report.output { warnings.append(output) }
    if let configurationFault { warnings.append("\(configurationFault); the old settings hold") }
    return warnings
  }
}
