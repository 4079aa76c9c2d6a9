import QDDenoise
import QDModelStore
import QDSignal
import Trampoline

/// What the audio thread does with a hop.
struct AudioPath: ~Copyable {
  let slots = DenoiserSlots()
  var crossover: Crossover
  var governor = Governor()
  var drift = DriftResampler(hop: 480, sampleRate: 48000, target: 960)
  var path = Denoiser.Path.network
  let samples = UnsafeMutablePointer<Float>.allocate(capacity: 960)
  var planted: [Float] = []

  init() throws {
    crossover = Crossover(try Denoiser(ModelStore.load(.light)))
    for index in 0..<480 { samples[index] = Float(index % 7) / 70 - 0.05 }
  }

  mutating func hop() {
    crossover.exchange(with: slots)
    crossover.process(samples, samples, path: path)
    drift.push(samples, 480, outside: 0)
    _ = drift.pull(into: samples, count: 480)
    _ = governor.record(late: path == .dry)
  }

  /// A mistake: an array that grows.
  mutating func mistake() { planted.append(contentsOf: repeatElement(samples[0], count: 100_000)) }
}

nonisolated(unsafe) var audio = try! AudioPath()

@main struct Main {
  static func main() throws {
    // Globals are made at their first use.
    audio.hop()
    for index in 0..<200 {
      if index == 50 { audio.slots.offer(try Denoiser(ModelStore.load(.light))) }
      if index == 100 {
        audio.slots.collect()
        audio.crossover.set(mode: .strong, strength: 30)
      }
      audio.path = [.network, .network, .network, .dry, .gate][index % 5]
      call_in_real_time { audio.hop() }
    }
    print("200 hops")
    if CommandLine.arguments.contains("--mistake") { call_in_real_time { audio.mistake() } }
  }
}
