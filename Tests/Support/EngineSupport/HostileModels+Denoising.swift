import CAllocationCount
import QDDenoise
import Foundation
import Seeded
import QDTFLite

extension HostileModels {
  public static let denoising = ["denoisers/denoiser_full", "denoisers/denoiser_low_latency"]

  /// What went wrong with denoising models that were changed in one to four places, from a seed
  /// each, on the way that `denoisectl process` and the daemon take: read, made a model, made a
  /// denoiser, and fed with sound.
  public static func changeDenoising(
    _ name: String, mutations: Int, mostSeconds: Double
  ) throws -> [String] {
    let bytes = try ModelFixture.bytes(name)
    let places = try structure(of: bytes)
    let original = try Model(TFLiteFile.read(bytes, name: name))
    return (0..<UInt64(mutations)).flatMap { seed in
      var generator = SeededGenerator(seed: seed)
      let damaged = damage(bytes, at: places, &generator)
      let start = processorSeconds
      let problem = tryToDenoise(damaged, after: original)
      let seconds = processorSeconds - start
      return [problem, seconds < mostSeconds ? nil : "\(seconds) s"]
        .compactMap { $0 }.map { "\(name), seed \(seed): \($0)" }
    }
  }

  /// The bytes of a denoising model that was changed from a seed.
  public static func changed(_ name: String, seed: UInt64) throws -> [UInt8] {
    let bytes = try ModelFixture.bytes(name)
    var generator = SeededGenerator(seed: seed)
    return damage(bytes, at: try structure(of: bytes), &generator)
  }

  private static func tryToDenoise(_ bytes: [UInt8], after original: Model) -> String? {
    do {
      let model = try Model(TFLiteFile.read(bytes, name: "model"))
      // What has grown large only takes time.
      guard model.lookAhead * model.hop < 1 << 16 else { return nil }
      for sampleRate in [model.sampleRate, 44_100]
      where ChannelDenoiser.supports(sampleRate: sampleRate, model: model) {
        if let problem = try denoise(model, sampleRate: sampleRate) { return problem }
      }
      try crossOver(from: original, to: model)
      return nil
    } catch {
      // The name in the metadata may be what was changed.
      return "\(error)".isEmpty ? "an error without a word" : nil
    }
  }

  /// As a file is denoised.
  private static func denoise(_ model: Model, sampleRate: Int) throws -> String? {
    var channel = try ChannelDenoiser(model, sampleRate: sampleRate)
    var generator = SeededGenerator(seed: 1)
    let sound = (0..<4 * model.hop + 77).map { _ in Float.random(in: -1...1, using: &generator) }
    var output: [Float] = []
    channel.process(sound, into: &output)
    channel.finish(into: &output)
    if output.count != sound.count { return "\(output.count) samples of \(sound.count)" }
    return output.allSatisfy(\.isFinite) ? nil : "a sample is no number"
  }

  /// As the daemon brings in another model.
  private static func crossOver(from original: Model, to model: Model) throws {
    guard model.sampleRate == original.sampleRate, Crossover.fits(model.hop, original.hop) else {
      return
    }
    let slots = DenoiserSlots()
    var crossover = Crossover(try Denoiser(original))
    var incoming = try Denoiser(model)
    incoming.entrance = .atOnce
    slots.offer(incoming)
    let input = [Float](repeating: 0.1, count: Model.largestHop)
    var output = [Float](repeating: 0, count: Model.largestHop)
    for _ in 0..<4 * Model.largestHop / original.hop {
      crossover.exchange(with: slots)
      crossover.process(input, &output)
    }
    slots.collect()
  }
}
