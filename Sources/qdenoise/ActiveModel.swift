package import AudioPath
package import Control
package import Denoise
package import ModelStore
import Synchronization
package import UserMessages

/// The model that denoises: the one that the person chose, or less while hops are late.
/// Thread: control.
package final class ActiveModel {
  private let preferences: Preferences
  /// What audio and control share.
  package let link: AudioLink
  private var models: Models
  /// The level of the governor's ladder whose denoiser audio has or will get.
  private var level: Governor.Level

  /// Loads the models of the configuration. Where the one that is set cannot be had, the full one
  /// runs.
  package init(_ preferences: Preferences) throws(ModelStoreError) {
    self.preferences = preferences
    models = try Models(preferences.configuration.models)
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

  /// Samples a second, of every model.
  package var sampleRate: Int { models.full.sampleRate }

  /// What audio begins with.
  package func firstDenoiser() throws(DenoiseError) -> Denoiser {
    try models.denoiser(at: level, settings: link.settings)
  }

  /// What runs less than was asked for, in words; nil while hops are in time.
  package var reduction: UserMessage? {
    guard let level = Governor.Level(rawValue: link.level.load(ordering: .acquiring)),
      level > models.top(of: preferences.settings.model)
    else { return nil }
    return Self.words(for: level)
  }

  // MARK: What the person asks for

  /// Brings in a model, and keeps the choice.
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

  /// Audio is to follow what was set.
  package func applySettings() { link.settings = preferences.denoising }

  /// Follows another configuration or setting. What cannot be had is a fault of the preferences.
  /// - Parameters:
  ///   - before: the choice of model of before.
  ///   - loaded: models that the configuration names now, if they are others.
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

  /// Offers the denoiser of a choice to audio, and says what is wrong if it cannot.
  private func apply(_ choice: ModelSetting) -> UserMessage? {
    let top = models.top(of: choice)
    do {
      try offer(top, entrance: .warm)
    } catch {
      return UserMessage(describing: error)
    }
    link.ladder = models.ladder(of: choice)
    // Audio says so itself with its next hop, which may be a day away.
    link.level.store(top.rawValue, ordering: .releasing)
    return nil
  }

  // MARK: What audio asks for

  /// Builds the denoiser that the governor asks for, and frees the one that it replaced.
  package func followGovernor() {
    link.denoisers.collect()
    guard let asked = Governor.Level(rawValue: link.level.load(ordering: .acquiring)) else {
      return
    }
    // At the gate and below it the denoiser stays: the way up begins with it.
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

  /// Builds a denoiser and offers it to audio, in place of one that it has not taken yet.
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
