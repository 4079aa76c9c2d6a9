package import QDAudioPath
package import QDControl
package import QDDenoise
package import QDModelStore
import Synchronization
package import QDMessages

/// The active model: the user's choice, or a lighter one while hops are late.
/// Thread: control.
package final class ActiveModel {
  private let preferences: Preferences
  /// Data shared by audio and control.
  package let link: AudioLink
  private var models: Models
  /// The governor's level whose denoiser audio has or will get.
  private var level: Governor.Level

  /// Loads the models of the configuration. If the chosen one is unavailable, the full one is used.
  package init(_ preferences: Preferences) throws(ModelStoreError) {
    self.preferences = preferences
    models = try Models(preferences.configuration.models)
    for problem in Models.problems(preferences.configuration.models) {
      Journal.write(.error, "\(problem)")
    }
    do {
      try models.choose(preferences.settings.model, budgetMilliseconds: preferences.budget)
    } catch {
      Journal.write(.warning, "\(error); the full model runs")
      preferences.standIn()
    }
    let choice = preferences.settings.model
    level = models.top(of: choice)
    link = AudioLink(preferences.denoising, models.ladder(of: choice))
  }

  /// The model in use.
  package var model: Model { models.model(at: level) }

  /// Samples per second, the same for every model.
  package var sampleRate: Int { models.full.sampleRate }

  /// The first denoiser of the audio thread.
  package func firstDenoiser() throws(DenoiseError) -> Denoiser {
    try models.denoiser(at: level, settings: link.settings)
  }

  /// Why less than the user's choice runs; nil while hops are on time.
  package var reduction: UserMessage? {
    guard let level = Governor.Level(rawValue: link.level.load(ordering: .acquiring)),
      level > models.top(of: preferences.settings.model)
    else { return nil }
    return Self.words(for: level)
  }

  // MARK: What the person asks for

  /// Changes to a model, and stores the choice.
  package func choose(_ choice: ModelSetting) throws(ControlError) {
    if choice == .light && models.light == nil {
      throw .refused("there is no light model; `denoisectl doctor` says what is installed")
    }
    if choice == .lowLatency && models.lowLatency == nil {
      throw .refused(
        "there is no low-latency model; name a file with models.low-latency in config.toml")
    }
    do {
      try models.choose(choice, budgetMilliseconds: preferences.budget)
    } catch { throw .refusal(UserMessage(describing: error)) }
    if let reason = apply(choice) { throw .refusal(reason) }
    preferences.set(model: choice)
  }

  /// Passes the settings to audio.
  package func applySettings() { link.settings = preferences.denoising }

  /// Applies a new configuration or setting. A problem becomes the preferences' fault.
  /// - Parameters:
  ///   - before: the choice of model before.
  ///   - loaded: the models that the configuration names now, if they changed.
  func adopt(choiceBefore before: ModelSetting, _ loaded: Models?) {
    applySettings()
    let isOther = preferences.settings.model != before
    guard loaded != nil || isOther else { return }
    if let loaded {
      let (old, new) = (models.full, loaded.full)
      guard new.sampleRate == old.sampleRate, Crossover.fits(new.hop, old.hop),
        models.lowLatency.map({ Crossover.fits(new.hop, $0.hop) }) ?? true
      else {
        preferences.fault = UserMessage(
          "models with such a hop or sample rate take effect at the next start")
        return
      }
      models = loaded
    }
    var fault: UserMessage?
    do {
      try models.choose(preferences.settings.model, budgetMilliseconds: preferences.budget)
    } catch {
      fault = UserMessage(describing: error)
      preferences.standIn()
    }
    preferences.fault = apply(preferences.settings.model) ?? fault
  }

  /// Offers the denoiser of a choice to audio; returns a problem if there is one.
  private func apply(_ choice: ModelSetting) -> UserMessage? {
    let top = models.top(of: choice)
    do {
      try offer(top, entrance: .warm)
    } catch {
      return UserMessage(describing: error)
    }
    link.ladder = models.ladder(of: choice)
    // Audio stores it itself with its next hop, which may be a day away.
    link.level.store(top.rawValue, ordering: .releasing)
    return nil
  }

  // MARK: What audio asks for

  /// Builds the denoiser that the governor requests, and frees the replaced one.
  package func followGovernor() {
    link.denoisers.collect()
    guard let asked = Governor.Level(rawValue: link.level.load(ordering: .acquiring)) else {
      return
    }
    // In the gate and bypass the denoiser stays, because the way up begins with it.
    let wanted = models.has(asked) ? asked : level
    guard wanted != level else { return }
    let isUp = wanted < level
    Journal.write(
      .warning,
      (isUp ? "in time again: " : "hops are late: ") + Self.words(for: wanted).description,
      ["QDENOISE_LEVEL": "\(wanted)"])
    do {
      try offer(wanted, entrance: isUp ? .warm : .atOnce)
    } catch {
      Journal.write(.error, "\(error)")
    }
  }

  /// Builds a denoiser and offers it to audio, in place of an earlier offer.
  private func offer(
    _ wanted: Governor.Level, entrance: Denoiser.Entrance
  ) throws(DenoiseError) {
    var denoiser = try models.denoiser(at: wanted, settings: link.settings)
    denoiser.entrance = entrance
    denoiser.tag = wanted.rawValue
    link.denoisers.offer(denoiser)
    level = wanted
  }

  private static func words(for level: Governor.Level) -> UserMessage {
    switch level {
    case .lowLatency: UserMessage("the low-latency model")
    case .full: UserMessage("the full model")
    case .light: UserMessage("the light model")
    case .gate: UserMessage("a gate instead of the network")
    case .bypass: UserMessage("not denoised")
    }
  }
}
