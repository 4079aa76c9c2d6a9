import Denoise
import ModelStore

/// The models that the daemon can denoise with, and voices made of them. Thread: control.
struct Models {
  let full: Model
  /// What the governor steps down to; nil if there is none, or nothing above it.
  let light: Model?

  /// Loads both. A build without a full model uses the light one for everything; without a light
  /// one, or if it does not fit, there is no step down to it.
  init(_ configuration: Configuration.Models) throws(ModelStoreError) {
    let light = try? ModelStore.load(configuration.light.map { .file($0) } ?? .light)
    do {
      full = try ModelStore.load(configuration.full.map { .file($0) } ?? .full)
    } catch {
      guard configuration.full == nil, let light else { throw error }
      full = light
      self.light = nil
      return
    }
    // One pipeline, one hop: what is cut into hops must fit either.
    let fits = light?.hop == full.hop && light?.sampleRate == full.sampleRate
    self.light = fits ? light : nil
  }

  /// The most work that a choice ("auto", "full", "light") asks for.
  func top(of choice: String) -> Governor.Level {
    choice == "light" && light != nil ? .light : .full
  }

  /// The model that runs at a level of the governor's.
  func model(at level: Governor.Level) -> Model {
    level == .full ? full : light ?? full
  }

  /// What the governor may use when the person chose `choice`.
  func ladder(of choice: String) -> Ladder {
    Ladder(top: top(of: choice), hasLight: light != nil)
  }

  /// Builds a denoiser for a level and runs it once, so that nothing is done for the first time on
  /// the audio thread.
  func denoiser(
    at level: Governor.Level, settings: DenoiserSettings
  ) throws(DenoiseError) -> Denoiser {
    var denoiser = try Denoiser(
      model(at: level), mode: settings.mode, strength: settings.strength)
    unsafe withUnsafeTemporaryAllocation(of: Float.self, capacity: denoiser.hop) { buffer in
      unsafe buffer.initialize(repeating: 0)
      if let samples = buffer.baseAddress { unsafe denoiser.process(samples, samples) }
    }
    denoiser.reset()
    return denoiser
  }
}
