import AudioHost
import AudioPath
import Control
import Denoise
import Glibc
import Synchronization

extension Daemon {
  /// How long is waited before a bus that is away is tried again, in microseconds.
  private static var busPause: UInt64 { 5_000_000 }

  /// Takes the daemon's name on the session bus; without a bus the daemon goes on and tries again.
  func openControl() {
    nextControl = nil
    let handlers = ControlServer.Handlers(
      status: { [unowned self] in status },
      setMode: { [unowned self] mode throws(ControlError) in try set(mode: mode) },
      setStrength: { [unowned self] strength throws(ControlError) in try set(strength: strength) },
      setModel: { [unowned self] model throws(ControlError) in try set(model: model) },
      use: { [unowned self] device throws(ControlError) in try use(device) },
      setChannels: { [unowned self] text throws(ControlError) in try set(channels: text) },
      reload: { [unowned self] () throws(ControlError) in
        if let reason = reload() { throw .refused(reason) }
      },
      reset: { [unowned self] setting throws(ControlError) in try reset(setting) },
      record: { [unowned self] pipe throws(ControlError) in try record(into: pipe) },
      endRecording: { [unowned self] in endRecording() })
    do {
      let made = try ControlServer(handlers: handlers)
      control = made
      controlWatch = loop.watch(made.fileDescriptor) {}
      busFailure = nil
    } catch {
      lose(bus: error)
    }
  }

  private func lose(bus error: ControlError) {
    if busFailure != "\(error)" {
      Journal.write(.warning, "\(error); until then denoisectl cannot reach this daemon")
    }
    busFailure = "\(error)"
    controlWatch = nil
    control = nil
    // Nobody would say when who asked for it goes.
    endRecording()
    nextControl = AudioClock.microseconds + Self.busPause
  }

  func processControl() {
    if let due = nextControl, due <= AudioClock.microseconds { openControl() }
    guard let control else { return }
    do {
      try control.process()
      controlWatch?.want(
        readable: control.events & Int16(POLLIN) != 0,
        writable: control.events & Int16(POLLOUT) != 0)
    } catch {
      lose(bus: error)
    }
  }

  /// Tells the bus and systemd of what changed.
  func publish() {
    let line = statusLine
    if line != publishedStatus {
      publishedStatus = line
      Notify.status(line)
    }
    do {
      try control?.publishChanges()
    } catch {
      Journal.write(.warning, "\(error)")
    }
  }

  // MARK: What the person asks for

  private func set(mode name: String) throws(ControlError) {
    guard let mode = Mode(rawValue: name) else {
      let names = Mode.allCases.map(\.rawValue).joined(separator: ", ")
      throw .refused("'\(name)' is no mode; there are \(names)")
    }
    settings.mode = mode.rawValue
    state.mode = settings.mode
    applySettings()
  }

  private func set(strength: Double?) throws(ControlError) {
    let range = Settings.strengthRange
    if let strength, !(Double(range.lowerBound)...Double(range.upperBound)).contains(strength) {
      throw .refused(
        "\(strength) dB is no strength; it goes from \(range.lowerBound) to \(range.upperBound)")
    }
    settings.strength = strength
    state.strength = strength
    applySettings()
  }

  private func set(model: String) throws(ControlError) {
    guard Settings.isModel(model) else {
      throw .refused(
        "'\(model)' is no model; there are \(Settings.models.joined(separator: ", ")), and those "
          + "that `denoisectl model install` has put in place")
    }
    if model == "light" && models.light == nil {
      throw .refused("there is no light model; `denoisectl doctor` says what is installed")
    }
    if model == "low-latency" && models.lowLatency == nil {
      throw .refused(
        "there is no low-latency model; name a file with models.low-latency in config.toml")
    }
    do {
      try models.choose(model, budgetMilliseconds: configuration.latencyBudgetMilliseconds)
    } catch { throw .refused("\(error)") }
    settings.model = model
    state.model = model
    if let reason = applyModel() { throw .refused(reason) }
    save()
  }

  /// Brings in the model that the settings name, and says what is wrong if it cannot.
  private func applyModel() -> String? {
    let top = models.top(of: settings.model)
    do {
      try offer(top, entrance: .warm)
    } catch {
      return "\(error)"
    }
    link.ladder = models.ladder(of: settings.model)
    // Audio says so itself with its next hop, which may be a day away.
    link.level.store(top.rawValue, ordering: .releasing)
    return nil
  }

  private func use(_ device: String?) throws(ControlError) {
    if let device, !SavedState.isName(device) {
      throw .refused(
        "a microphone cannot have such a name; `denoisectl devices` lists what there is")
    }
    settings.device = device
    state.device = device
    settings.channels = nil
    state.channels = nil
    save()
    server?.lookAgain()
  }

  /// Forgets what was set, so that the configuration's value holds.
  private func reset(_ setting: String) throws(ControlError) {
    switch setting {
    case "mode": state.mode = nil
    case "strength": state.strength = nil
    case "model": state.model = nil
    case "device": (state.device, state.channels) = (nil, nil)
    default: throw .refused("'\(setting)' is no setting; there are mode, strength, model, device")
    }
    save()
    adopt(configuration, nil)
  }

  /// What was set and differs from the configuration.
  var overrides: [Status.Override] {
    let (set, said) = (state, configuration.settings)
    func decibels(_ strength: Double?) -> String { strength.map { "\($0)" } ?? "auto" }
    return [
      ("mode", set.mode, said.mode),
      ("strength", set.strength.map(decibels), decibels(said.strength)),
      ("model", set.model, said.model),
      ("device", set.device, said.device ?? "default"),
    ].compactMap { setting, value, configured in
      value.flatMap {
        $0 == configured
          ? nil : Status.Override(setting: setting, value: $0, configured: configured)
      }
    }
  }

  private func set(channels text: String) throws(ControlError) {
    guard let channels = text.isEmpty ? [] : Settings.channels(text: text) else {
      let range = Settings.channelRange
      throw .refused(
        "'\(text)' are no channels; they are numbers from \(range.lowerBound) to"
          + " \(range.upperBound), such as 2 or 1,2")
    }
    guard configuration.backend == .alsa || settings.device != nil || channels.isEmpty else {
      throw .refused(
        "channels are those of one microphone; `denoisectl use NAME --channels \(text)` names both")
    }
    if let source = microphone?.source, microphone?.reason == .pinned,
      let last = channels.last, last > source.channels
    {
      throw .refused(
        "'\(source.description)' has \(source.channels) channels, and no channel \(last)")
    }
    settings.channels = channels.isEmpty ? nil : channels
    state.channels = settings.channels
    save()
    server?.lookAgain()
    if configuration.backend == .alsa { postALSA() }
  }

  /// Tells the ALSA back end which channels are pinned.
  func postALSA() { post(AudioOrder(connection: 0, pinned: pinnedChannels)) }

  func applySettings() {
    link.settings = DenoiserSettings(settings, lowCut: configuration.lowCut)
    save()
  }

  func save() {
    do {
      try store.save(state)
    } catch {
      Journal.write(.warning, "\(error)")
    }
  }

  /// Reads the configuration again; what is wrong with it is said, and the old one stays.
  @discardableResult
  func reload() -> String? {
    do {
      var next = try Configuration.load(path: configurationPath)
      if (next.backend, next.alsa) != (configuration.backend, configuration.alsa) {
        Journal.write(.notice, "'backend' and 'alsa' take effect at the next start")
        (next.backend, next.alsa) = (configuration.backend, configuration.alsa)
      }
      let newModels = next.models == configuration.models ? nil : try Models(next.models)
      configurationFault = nil
      adopt(next, newModels)
      Journal.write(.info, "configuration read again")
      return configurationFault
    } catch {
      Journal.write(.error, "\(error); the old settings stay")
      configurationFault = "\(error)"
      return configurationFault
    }
  }

  private func adopt(_ next: Configuration, _ newModels: Models?) {
    let model = settings.model
    configuration = next
    settings = Daemon.settings(next, state)
    link.settings = DenoiserSettings(settings, lowCut: configuration.lowCut)
    server?.lookAgain()
    if configuration.backend == .alsa { postALSA() }
    if var newModels {
      let (old, new) = (models.full, newModels.full)
      guard new.sampleRate == old.sampleRate, Crossover.fits(new.hop, old.hop),
        models.lowLatency.map({ Crossover.fits(new.hop, $0.hop) }) ?? true
      else {
        configurationFault = "models with such a hop or sample rate take effect at the next start"
        return
      }
      choose(in: &newModels)
      models = newModels
    } else if settings.model != model {
      choose(in: &models)
    }
    if newModels != nil || settings.model != model { configurationFault = applyModel() }
  }

  /// Loads what the settings name; where it cannot be had, the full model runs.
  private func choose(in models: inout Models) {
    do {
      try models.choose(
        settings.model, budgetMilliseconds: configuration.latencyBudgetMilliseconds)
    } catch {
      configurationFault = "\(error)"
      settings.model = "auto"
    }
  }

  /// What the person set before stands above what the configuration says.
  static func settings(_ configuration: Configuration, _ state: SavedState) -> Settings {
    var settings = configuration.settings
    if let mode = state.mode, Mode(rawValue: mode) != nil { settings.mode = mode }
    if let strength = state.strength { settings.strength = strength }
    if let model = state.model, Settings.isModel(model) { settings.model = model }
    if let device = state.device { (settings.device, settings.channels) = (device, nil) }
    if let channels = state.channels { settings.channels = channels }
    return settings
  }
}

extension DenoiserSettings {
  init(_ settings: Settings, lowCut: Bool) {
    self.init(
      mode: Mode(rawValue: settings.mode) ?? .standard,
      strength: settings.strength.map { Float($0) }, lowCut: lowCut)
  }
}
