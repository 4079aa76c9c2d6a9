import QDAudioPath
import QDControl
import QDDenoise
import QDModelStore
import QDMessages

/// The daemon's models, and denoisers made from them. Thread: control.
struct Models {
  let full: Model
  /// The model for the governor's step down; nil if there is none, or it is the only one.
  let light: Model?
  /// The model with a shorter hop; nil if there is none, or its hops do not divide those of `full`.
  let lowLatency: Model?
  /// An installed model, which replaces `full` while it is chosen.
  private(set) var installed: (name: String, model: Model)?

  /// The model without a step down.
  private var whole: Model { installed?.model ?? full }

  /// Loads all models. A build without a full model uses the light one for everything; without a
  /// light one, or if it does not fit, the governor cannot step down to it.
  init(_ configuration: Configuration.Models) throws(ModelStoreError) {
    let lowLatency = try? ModelStore.load(
      configuration.lowLatency.map { .file($0) } ?? .lowLatency)
    let light = try? ModelStore.load(configuration.light.map { .file($0) } ?? .light)
    do {
      full = try ModelStore.load(configuration.full.map { .file($0) } ?? .full)
    } catch {
      guard configuration.full == nil, let light else { throw error }
      full = light
      self.light = nil
      self.lowLatency = Models.ifItFits(lowLatency, full)
      return
    }
    // The governor steps down at once, without a jump in the sound.
    self.light = Models.ifItFits(light, full).flatMap { [hop = full.hop] in $0.hop == hop ? $0 : nil
    }
    self.lowLatency = Models.ifItFits(lowLatency, full)
  }

  /// Why models that the configuration names beside the full one are not used.
  static func problems(_ configuration: Configuration.Models) -> [UserMessage] {
    guard let models = try? Models(configuration) else { return [] }
    var problems: [UserMessage] = []
    func check(_ path: String?, _ used: Model?) {
      guard let path, used == nil else { return }
      do {
        let model = try ModelStore.load(.file(path))
        problems.append(
          UserMessage(
            "\(path): hops of \(model.hop) samples at \(model.sampleRate) Hz cannot follow those of the"
              + " full model, \(models.full.hop) at \(models.full.sampleRate) Hz; name another model"
          ))
      } catch { problems.append(UserMessage(describing: error)) }
    }
    check(configuration.light, models.light)
    check(configuration.lowLatency, models.lowLatency)
    return problems
  }

  /// A model that can replace another one and be replaced by it.
  private static func ifItFits(_ model: Model?, _ other: Model) -> Model? {
    guard let model, model.sampleRate == other.sampleRate, Crossover.fits(model.hop, other.hop)
    else { return nil }
    return model
  }

  /// Loads the installed model of a choice, or releases it.
  /// - Parameter budget: the maximum delay of a model in milliseconds.
  mutating func choose(
    _ choice: ModelSetting, budgetMilliseconds budget: Double
  ) throws(ModelStoreError) {
    guard case .installed(let name) = choice else {
      installed = nil
      return
    }
    let model = try ModelStore.load(.file(name))
    guard model.sampleRate == full.sampleRate else {
      throw .unusable(
        UserMessage(
          "\(name): it hears \(model.sampleRate) Hz, the others \(full.sampleRate) Hz; choose another"
        ))
    }
    let others = [full, light, lowLatency, installed?.model].compactMap { $0 }
    guard others.allSatisfy({ Crossover.fits(model.hop, $0.hop) }) else {
      throw .unusable(
        UserMessage(
          "\(name): hops of \(model.hop) samples cannot follow those of \(full.hop); choose another"
        ))
    }
    let delay = Double(model.latency + model.hop) / Double(model.sampleRate) * 1000
    guard delay <= budget else {
      throw .unusable(
        UserMessage(
          "\(name): it delays the sound by \(Int(delay)) ms, the budget is \(Int(budget)) ms; raise"
            + " latency.budget_ms in config.toml or choose another"))
    }
    installed = (name, model)
  }

  /// The governor's top level for a choice.
  func top(of choice: ModelSetting) -> Governor.Level {
    switch choice {
    case .light where light != nil: .light
    case .lowLatency where lowLatency != nil: .lowLatency
    default: .full
    }
  }

  /// Whether a level of the governor's has its own model.
  func has(_ level: Governor.Level) -> Bool {
    switch level {
    case .lowLatency: lowLatency != nil
    case .full: true
    case .light: light != nil
    case .gate, .bypass: false
    }
  }

  /// The model that runs at a level of the governor's.
  func model(at level: Governor.Level) -> Model {
    switch level {
    case .lowLatency: lowLatency ?? full
    case .full: whole
    case .light, .gate, .bypass: light ?? full
    }
  }

  /// The levels that the governor may use for a choice.
  func ladder(of choice: ModelSetting) -> Ladder {
    Ladder(top: top(of: choice), hasLight: light.map { $0.hop == whole.hop } ?? false)
  }

  /// Builds a denoiser for a level and runs it once, so that the audio thread does nothing for the
  /// first time.
  func denoiser(
    at level: Governor.Level, settings: DenoiserSettings
  ) throws(DenoiseError) -> Denoiser {
    var denoiser = try Denoiser(
      model(at: level), mode: settings.mode, strength: settings.strength, lowCut: settings.lowCut)
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: denoiser.hop) { buffer in
      unsafe buffer.initialize(repeating: 0)
      if let samples = buffer.baseAddress { unsafe denoiser.process(samples, samples) }
    }
    denoiser.reset()
    return denoiser
  }
}
