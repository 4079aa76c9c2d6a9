import QDAudioHost
import QDAudioPath
package import QDControl
import QDDenoise
import QDKernels
import QDSignal
import Synchronization
package import QDMessages

/// The daemon's status for the bus and systemd, and its one-time warnings.
/// Times are microseconds of the monotonic clock. Thread: control.
package final class StatusSource {
  let preferences: Preferences
  let active: ActiveModel
  let session: Session
  private let isRecording: () -> Bool
  private let realTime: () -> UserMessage
  var statistics = HopStatistics()
  private let usage = ProcessUsage()
  /// The last incident in the journal, packed.
  private var reportedIncident: UInt64 = 0
  private var isOverBudget = false

  var link: AudioLink { active.link }

  /// - Parameters:
  ///   - isRecording: whether there is a recording.
  ///   - realTime: the scheduling of the audio thread, for the user.
  package init(
    _ preferences: Preferences, _ active: ActiveModel, _ session: Session,
    isRecording: @escaping () -> Bool, realTime: @escaping () -> UserMessage
  ) {
    self.preferences = preferences
    self.active = active
    self.session = session
    self.isRecording = isRecording
    self.realTime = realTime
  }

  /// A status line for systemd.
  package var line: String {
    guard let title = session.title else { return "Waiting: \(session.failure)" }
    guard let source = session.microphone?.source else { return "Waiting: no microphone" }
    guard session.isRunning else { return "Idle: nobody records from the virtual microphone" }
    guard let listeners = session.listeners else {
      return "Denoising \(title) '\(source.name)' to '\(session.virtualMicrophone ?? "")'"
    }
    let names = (listeners.map(\.application) + (isRecording() ? ["a recording"] : []))
      .joined(separator: ", ")
    return "Denoising '\(source.description)' for \(names)"
  }

  /// A snapshot.
  package func status(at now: UInt64) -> Status {
    statistics.read(link.hopTimes)
    var status = Status()
    status.version = Product.version
    let (state, reason) = stateAndReason(at: now)
    (status.state, status.stateReason) = (state, reason.map { status.note($0) } ?? "")
    if let title = session.title {
      status.server = title
      status.virtualMicrophone = session.virtualMicrophone ?? ""
    }
    status.listeners = (session.listeners ?? []).map(\.application)
    if isRecording() { status.listeners.append("denoisectl record") }
    status.strays = session.strays.map {
      Status.Stray(
        application: $0.listener.application, stream: $0.listener.index,
        microphone: $0.source.description, chosen: $0.isChosen)
    }
    if let microphone = session.microphone { enter(microphone, in: &status.microphone) }
    status.settings = preferences.settings
    status.overrides = preferences.overrides
    status.model = modelInUse
    status.installedModels = ModelSetting.inPlace.map(\.rawValue)
    status.latency = latency
    status.hops = hopCounts
    if session.isRunning { enterLevels(in: &status.levels) }
    let drift = Double(bitPattern: link.drift.load(ordering: .relaxed))
    status.driftPpm = drift.isNaN ? nil : drift
    status.cpuPercent = usage.percent()
    status.memoryBytes = ProcessUsage.residentBytes
    status.realTime = status.note(realTime())
    status.attenuations = session.attenuations
    for attenuation in session.attenuations { _ = status.note(attenuation.place) }
    let strays = status.strays.filter { !$0.chosen }.map {
      UserMessage("\($0.message); `\($0.remedy)` mends it")
    }
    status.warnings = (warnings(at: now) + strays).map { status.note($0) }
    return status
  }

  private func enter(_ choice: MicrophoneChoice, in microphone: inout Status.Microphone) {
    microphone.name = choice.source.name
    microphone.description = choice.source.description
    microphone.reason = choice.explanation
    microphone.muted = choice.source.isMuted
    let positions = session.positions
    let isCaptured = session.isRunning && session.report.capture == .running
    microphone.channels = positions.indices.map { channel in
      let decibels =
        positions.count == 1 ? link.levels.inputDecibels : link.channels.decibels(of: channel)
      return Status.Channel(
        number: channel + 1, position: positions[channel],
        levelDecibels: isCaptured ? decibels : nil,
        used: positions.count == 1 || isCaptured && link.channels.used & 1 << UInt32(channel) != 0)
    }
  }

  private func enterLevels(in levels: inout Status.Levels) {
    levels.inputDecibels = link.levels.inputDecibels
    levels.outputDecibels = link.levels.outputDecibels
    levels.noiseReductionDecibels = link.levels.noiseReductionDecibels
    levels.speechProbability = link.levels.speechProbability
  }

  private func stateAndReason(at now: UInt64) -> (Status.State, UserMessage?) {
    guard session.title != nil else { return (.waiting, session.failure) }
    guard session.microphone != nil else {
      return (.waiting, Session.noMicrophone)
    }
    guard session.isRunning else {
      return (.idle, UserMessage("nobody records from the virtual microphone"))
    }
    switch session.report.capture {
    case .failed(let reason):
      return (.degraded, UserMessage("silence: \(reason)"))
    case .suspended: return (.degraded, Status.Silence.suspended.message)
    case .off, .starting: return (.degraded, Status.Silence.starting.message)
    case .running: break
    }
    if let incident = incident, now / 1000 < incident.time + 2000 {
      return (.degraded, incident.message)
    }
    if let reduction = active.reduction {
      return (.degraded, UserMessage("hops were late: \(reduction)"))
    }
    return (.running, nil)
  }

  /// The last time that sound was dropped.
  private var incident: Incident? {
    Incident(packed: link.incident.load(ordering: .acquiring))
  }

  private var modelInUse: Status.Model {
    let model = active.model
    var status = Status.Model()
    status.name = model.name
    status.kind = model.kind
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

  private func warnings(at now: UInt64) -> [UserMessage] {
    var warnings = session.attenuations.map {
      UserMessage("\($0.message); `\($0.remedy)` undoes it")
    }
    if let missing = session.missingChannels { warnings.append(missing) }
    if session.isRunning, case .over(let excess, let stage) = ledger.verdict {
      warnings.append(
        UserMessage(
          "latency is \(excess / 1000) ms above the budget; '\(UserMessage(pattern: stage))' takes the"
            + " most of it"))
    }
    if let output = session.report.output { warnings.append(output) }
    warnings += session.warnings(at: now)
    if let fault = preferences.fault { warnings.append(Status.oldSettingsHold(fault)) }
    return warnings
  }

  // MARK: Once a second while there is a listener

  /// Reads audio's measurements, and reports problems once.
  package func tick() {
    statistics.read(link.hopTimes)
    reportIncident()
    watchBudget()
  }

  /// Reports dropped sound.
  private func reportIncident() {
    guard let incident, incident.packed != reportedIncident else { return }
    reportedIncident = incident.packed
    Journal.write(
      .warning, incident.description, ["QDENOISE_LATENCY_US": "\(incident.milliseconds * 1000)"])
  }

  /// Reports once when the ledger's sum is above the budget, and its largest stage.
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
}
