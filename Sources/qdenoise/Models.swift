import AudioPath
import Control
import Denoise
import ModelStore

/// The models that the daemon can denoise with, and voices made of them. Thread: control.
struct Models {
  let full: Model
  /// What the governor steps down to; nil if there is none, or nothing above it.
  let light: Model?
  /// What has a shorter hop; nil if there is none, or its hops do not make those of `full`.
  let lowLatency: Model?
  /// An installed one, which takes the place of `full` while it is chosen.
  private(set) var installed: (name: String, model: Model)?

  /// What runs where nothing less is asked for.
  private var whole: Model { installed?.model ?? full }

  /// Loads all. A build without a full model uses the light one for everything; without a light
  /// one, or if it does not fit, there is no step down to it.
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

  /// A model that can take over from another and back.
  private static func ifItFits(_ model: Model?, _ other: Model) -> Model? {
    guard let model, model.sampleRate == other.sampleRate, Crossover.fits(model.hop, other.hop)
    else { return nil }
    return model
  }

  /// Loads the installed model that a choice names, or lets go of it.
  /// - Parameter budget: the most milliseconds that a model may delay the sound.
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
        "\(name): it hears \(model.sampleRate) Hz, the others \(full.sampleRate) Hz; choose another"
      )
    }
    let others = [full, light, lowLatency, installed?.model].compactMap { $0 }
    guard others.allSatisfy({ Crossover.fits(model.hop, $0.hop) }) else {
      throw .unusable(
        "\(name): hops of \(model.hop) samples cannot follow those of \(full.hop); choose another"
      )
    }
    let delay = Double(model.latency + model.hop) / Double(model.sampleRate) * 1000
    guard delay <= budget else {
      throw .unusable(
        "\(name): it delays the sound by \(Int(delay)) ms, the budget is \(Int(budget)) ms; raise "
          + "latency-budget in config.toml or choose another")
    }
    installed = (name, model)
  }

  /// The most work that a choice asks for.
  func top(of choice: ModelSetting) -> Governor.Level {
    switch choice {
    case .light where light != nil: .light
    case .lowLatency where lowLatency != nil: .lowLatency
    default: .full
    }
  }

  /// Whether a level of the governor's has a model of its own.
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

  /// What the governor may use when the person chose `choice`.
  func ladder(of choice: ModelSetting) -> Ladder {
    Ladder(top: top(of: choice), hasLight: light.map { $0.hop == whole.hop } ?? false)
  }

  /// Builds a denoiser for a level and runs it once, so that nothing is done for the first time on
  /// the audio thread.
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
