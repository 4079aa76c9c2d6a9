import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// What an application hears, beside an application that records the microphone itself.
  @Suite(.realTime) struct SoundTests {
    @Test(arguments: SoundServer.Kind.allCases)
    func `speech comes out cleaner than it went in, and no quieter`(kind: SoundServer.Kind) throws {
      let samples = try Samples()
      let scene = try Scene(kind)
      let (direct, denoised, _) = try scene.hear(samples.noisy)

      let before = try quality(of: direct, samples)
      let after = try quality(of: denoised, samples)
      print("measured: \(kind.rawValue): before \(before), after \(after)")
      #expect(after.signalToDistortion > before.signalToDistortion + 2.5)
      #expect(after.noise < before.noise - 10)
      #expect(abs(after.speech - before.speech) < 3)
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `a click is heard little later than without us`(kind: SoundServer.Kind)
      throws
    {
      let scene = try Scene(kind, configuration: "mode = \"bypass\"\n")
      let clicks = Sound.clicks(Self.clickCount, interval: Self.clickInterval)
      let (direct, denoised, player) = try scene.hear(clicks, buffer: 0.01)

      let passThrough = Self.latencies(in: direct, of: player)
      let ours = Self.latencies(in: denoised, of: player)
      print("measured: \(kind.rawValue): pass-through \(passThrough) ms, denoised \(ours) ms")
      #expect(Self.areEnough(ours) && Self.areEnough(passThrough))
      // On PipeWire the application's fragment falls where it happens to, two quanta apart.
      // A stall comes twice over: the server is late, and then so are we with what it held.
      let late = 2 * RealTime.machine.milliseconds
      #expect(ours.p50 - passThrough.p50 < 25 + late)
      #expect(ours.p99 - passThrough.p99 < 30 + late)
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `in bypass the microphone comes through sample by sample`(kind: SoundServer.Kind) throws {
      let scene = try Scene(kind, configuration: "mode = \"bypass\"\nlow_cut = false\n")
      let (direct, denoised, _) = try scene.hear(Sound.noise(seconds: 20, level: 0.1))
      let start = 2 * 48_000
      let ours = Array(denoised.samples.dropFirst(start).prefix(16 * 48_000))
      var ratios: [Double] = []
      var shifts: [Int] = []
      for second in 0..<15 {
        let piece = Array(ours[second * 48_000..<(second + 1) * 48_000])
        let first = max(0, start + second * 48_000 - 19_200)
        let reference = Array(direct.samples[first..<first + 48_000 + 38_400])
        let shift = Analysis.delay(of: reference, behind: piece, within: 0...38_400)
        shifts.append(shift)
        ratios.append(
          Analysis.signalToDistortion(of: reference, reference: piece, delay: shift))
      }
      // One clock, and nothing left out unless the machine stood still.
      #expect(
        Set(shifts).count == 1 || RealTime.machine.breaks > 0, "pieces of 1 s are at \(shifts)")
      let least = Distribution(ratios).quantile(RealTime.machine.breaks > 0 ? 0.5 : 0)
      print("measured: \(kind.rawValue): \(least) dB at least")
      // The FIFO has 16 bits.
      #expect(least > (kind == .pulseAudio ? 75 : 100))
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `a tone comes through without gaps`(kind: SoundServer.Kind) throws {
      let scene = try Scene(kind, configuration: "mode = \"bypass\"\n")
      let tone = Sound.sine(1000, seconds: 10, amplitude: 0.25)
      let (direct, denoised, _) = try scene.hear(tone)

      // What the player's own scheduling breaks is broken in both.
      let tones = Tones(direct, denoised)
      print("measured: \(kind.rawValue): \(tones)")
      #expect(tones.after.pieces > 950)
      tones.expectFew(silent: 5, jumps: 10)
    }

    static let clickCount = 50
    /// Seconds between clicks: no multiple of any buffer, and more than a click takes on a bad day.
    static let clickInterval = 0.211

    private struct Quality: CustomStringConvertible {
      var signalToDistortion: Double
      var speech: Double
      var noise: Double

      var description: String {
        String(
          format: "SI-SDR %.1f dB, speech %.1f dB, noise %.1f dB", signalToDistortion, speech, noise
        )
      }
    }

    /// Measured word by word, because a player that comes late on a busy machine shifts all that follows;
    /// the median, because it breaks some of them.
    private func quality(of heard: Recording, _ samples: Samples) throws -> Quality {
      let delay = Analysis.delay(of: heard.samples, behind: samples.speech, within: 0...48000)
      var ratios: [Double] = []
      var speech: [Double] = []
      var noise: [Double] = []
      for start in stride(from: 0, to: samples.speech.count - 24000, by: 24000) {
        let clean = Array(samples.speech[start..<start + 24000])
        let from = max(0, start + delay - 14400)
        let near = Array(heard.samples[min(from, heard.samples.count)...].prefix(24000 + 28800))
        guard near.count == 24000 + 28800, Analysis.level(clean) > 0.02 else { continue }
        let shift = Analysis.delay(of: near, behind: clean, within: 0...28800)
        ratios.append(
          Analysis.signalToDistortion(of: near, reference: clean, delay: shift))
        var sounds: [Bool: [Float]] = [:]
        for piece in 0..<50 {
          let sound = near[shift + piece * 480..<min(near.count, shift + piece * 480 + 480)]
          sounds[samples.isSpoken[start / 480 + piece], default: []] += sound
        }
        speech.append(Analysis.decibels(Analysis.level(sounds[true] ?? [])))
        if let pause = sounds[false], pause.count > 2400 {
          noise.append(Analysis.decibels(Analysis.level(pause)))
        }
      }
      try #require(ratios.count > 10 && noise.count > 5)
      return Quality(
        signalToDistortion: Distribution(ratios).p50,
        speech: Distribution(speech).p50, noise: Distribution(noise).p50)
    }

    /// Whether so many clicks were heard that their latencies say something; that nothing is lost is what
    /// the test of the tone holds.
    static func areEnough(_ heard: Distribution) -> Bool { heard.count >= clickCount * 8 / 10 }

    /// From the hand of the player to the hand of the recorder, in ms, of the clicks that were heard.
    static func latencies(in heard: Recording, of player: Player) -> Distribution {
      let interval = clickInterval
      let step = Int(interval * 48000)
      let found = Analysis.clicks(in: heard.samples).map { heard.time(of: $0) }
      return Distribution(
        (1...clickCount).compactMap { click in
          guard let played = player.time(of: click * step),
            let time = found.first(where: { $0 >= played && $0 < played + interval })
          else { return nil }
          return (time - played) * 1000
        })
    }
  }
}
