package import QDAudioPath
package import QDControl
import QDDenoise
package import QDMessages

/// The configuration, the user's changes since, and the resulting settings.
/// Thread: control.
package final class Preferences {
  private let path: String
  private let store: StateStore
  package private(set) var configuration: Configuration
  private var state: SavedState
  package private(set) var settings: Settings
  /// The problem with the configuration file, while the old settings stay.
  package var fault: UserMessage?

  /// - Parameters:
  ///   - path: of the configuration's file, for `reload`.
  ///   - store: has the earlier changes.
  package init(_ configuration: Configuration, path: String, store: StateStore = StateStore()) {
    self.path = path
    self.store = store
    self.configuration = configuration
    let (state, warning) = store.load()
    if let warning { Journal.write(.warning, warning) }
    self.state = state
    settings = configuration.settings.overruled(by: state)
  }

  /// The settings for the denoiser.
  package var denoising: DenoiserSettings {
    DenoiserSettings(
      mode: settings.mode,
      strength: settings.strength.map { Float($0) },
      lowCut: configuration.lowCut)
  }

  /// The maximum latency in milliseconds from the microphone to the applications before the daemon
  /// warns.
  package var budget: Double { configuration.latencyBudgetMilliseconds }

  // MARK: What the person sets

  package func set(mode: Mode) {
    settings.mode = mode
    change { $0.mode = mode }
  }

  package func set(strength: Double?) {
    settings.strength = strength
    change { $0.strength = strength }
  }

  package func set(model: ModelSetting) {
    settings.model = model
    change { $0.model = model }
  }

  /// The chosen model is unavailable: the full one is used, and the stored choice stays.
  package func standIn() { settings.model = .auto }

  package func set(device: String?) {
    (settings.device, settings.channels) = (device, nil)
    change { ($0.device, $0.channels) = (device, nil) }
  }

  package func set(channels: [Int]?) {
    settings.channels = channels
    change { $0.channels = channels }
  }

  /// Drops a change, so that the configuration's value applies. False if there is no such setting.
  package func reset(_ setting: String) -> Bool {
    switch setting {
    case "mode": change { $0.mode = nil }
    case "strength": change { $0.strength = nil }
    case "model": change { $0.model = nil }
    case "device": change { ($0.device, $0.channels) = (nil, nil) }
    default: return false
    }
    settings = configuration.settings.overruled(by: state)
    return true
  }

  /// Changes that differ from the configuration.
  package var overrides: [Status.Override] {
    let (set, said) = (state, configuration.settings)
    func decibels(_ strength: Double?) -> String { strength.map { "\($0)" } ?? "auto" }
    return [
      ("mode", set.mode?.rawValue, said.mode.rawValue),
      ("strength", set.strength.map(decibels), decibels(said.strength)),
      ("model", set.model?.rawValue, said.model.rawValue),
      ("device", set.device, said.device ?? "default"),
    ].compactMap { setting, value, configured in
      value.flatMap {
        $0 == configured
          ? nil : Status.Override(setting: setting, value: $0, configured: configured)
      }
    }
  }

  /// The last default microphone that was not our own.
  package var lastDefaultMicrophone: String? { state.lastDefaultMicrophone }

  package func keep(lastDefaultMicrophone name: String) {
    change { $0.lastDefaultMicrophone = name }
  }

  private func change(_ body: (inout SavedState) -> Void) {
    body(&state)
    do {
      try store.save(state)
    } catch {
      Journal.write(.warning, "\(error)")
    }
  }

  // MARK: The configuration

  /// The configuration in its file, except for parts that take effect at the next start.
  package func read() throws(ConfigurationError) -> Configuration {
    var next = try Configuration.load(path: path)
    if (next.backend, next.alsa) != (configuration.backend, configuration.alsa) {
      Journal.write(.notice, "'backend' and 'alsa' take effect at the next start")
      (next.backend, next.alsa) = (configuration.backend, configuration.alsa)
    }
    return next
  }

  package func adopt(_ next: Configuration) {
    configuration = next
    settings = next.settings.overruled(by: state)
  }
}

extension Settings {
  /// The user's earlier changes override the configuration.
  fileprivate func overruled(by state: SavedState) -> Settings {
    var settings = self
    if let mode = state.mode { settings.mode = mode }
    if let strength = state.strength { settings.strength = strength }
    if let model = state.model { settings.model = model }
    if let device = state.device { (settings.device, settings.channels) = (device, nil) }
    if let channels = state.channels { settings.channels = channels }
    return settings
  }
}
