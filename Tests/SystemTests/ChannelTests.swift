import QDControl
import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Microphones with several channels, and only some of them spoken into.
  @Suite(.realTime) struct ChannelTests {
    private static let aux = (0..<10).map { "aux\($0)" }
    private static let stereo = ["front-left", "front-right"]

    /// What each channel gets of the voice.
    private struct Case {
      var name: String
      var microphone: String
      var gains: [Float]
      var used: [Int]
    }

    private static let cases = [
      Case(name: "mono", microphone: "fakemic", gains: [1], used: [1]),
      Case(name: "left only", microphone: "stereo", gains: [1, 0], used: [1]),
      Case(name: "antiphase", microphone: "stereo", gains: [1, -1], used: [1]),
      Case(name: "the same", microphone: "stereo", gains: [1, 1], used: [1, 2]),
      Case(
        name: "AUX7 only", microphone: "ten", gains: aux.map { $0 == "aux7" ? 1 : 0 }, used: [8]),
    ]

    @Test(arguments: SoundServer.Kind.allCases)
    func `a voice is as loud as in mono, whichever channel it is on`(
      kind: SoundServer.Kind
    ) throws {
      let scene = try Scene(kind, configuration: "mode = \"bypass\"\n")
      let stereo = try FakeMicrophone(
        "stereo", on: scene.server, positions: Self.stereo, isDefault: false)
      let ten = try FakeMicrophone("ten", on: scene.server, positions: Self.aux, isDefault: false)
      let microphones = [scene.microphone, stereo, ten]
      let listener = try scene.listen()
      // Words, as a voice has them, of one level.
      let voice = Sound.sine(800, seconds: 2, amplitude: 0.2).enumerated().map { index, sample in
        index % 24_000 < 18_000 ? sample : 0
      }
      let expected = Analysis.decibels(Analysis.level(voice))
      for test in Self.cases {
        let microphone = try #require(microphones.first { $0.name == test.microphone })
        try scene.denoisectl("use", test.microphone)
        #expect(eventually { captures(test.microphone, scene) })
        let start = listener.count
        let player = try Player(
          scene.server, sink: microphone.sink,
          voice.flatMap { sample in test.gains.map { sample * $0 } },
          positions: microphone.positions)
        player.wait()
        sleep(seconds: 0.3)
        let heard = listener.heard.samples[start...]
        // As many samples as the voice has, from its first one.
        let first = heard.firstIndex { abs($0) > 0.02 } ?? heard.endIndex
        let level = Analysis.decibels(Analysis.level(heard[first...].prefix(voice.count)))
        let channels = try scene.status().microphone.channels
        print(
          "measured: \(kind.rawValue): \(test.name): \(level - expected) dB to the voice played")
        #expect(abs(level - expected) < 1, "\(test.name)")
        #expect(channels.filter(\.used).map(\.number) == test.used, "\(test.name)")
        #expect(channels.map(\.position) == microphone.positions)
        player.stop()
      }
      listener.stop()
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `channels are shown with their levels, pinned, and stay so over a restart`(
      kind: SoundServer.Kind
    ) throws {
      let scene = try Scene(kind, configuration: "mode = \"bypass\"\n")
      let ten = try FakeMicrophone("ten", on: scene.server, positions: Self.aux)
      let tone = Sound.sine(800, seconds: 1, amplitude: 0.2).flatMap { sample in
        (0..<10).map { $0 == 7 ? sample : $0 == 2 ? 0.1 * sample : 0 }
      }
      let player = try Player(
        scene.server, sink: ten.sink, tone, positions: ten.positions, loops: true)
      let listener = try scene.listen()
      #expect(eventually { (levels(scene)[7] ?? -120) > -18 && used(scene) == [8] })
      let measured = levels(scene).map { $0 ?? 0 }
      #expect(abs(measured[7] + 17) < 1 && abs(measured[2] + 37) < 1 && measured[0] < -80)
      let text = try scene.denoisectl("status")
      #expect(text.contains("channels     8 of 10 (the loudest ones in phase)\n"), "\(text)")
      #expect(text.contains(#/ 8 aux7 +-1[67]\.\d dBFS  used\n/#), "\(text)")

      try scene.denoisectl("use", "ten", "--channels", "3")
      func hears(_ decibels: Double) -> Bool {
        eventually {
          abs(Analysis.decibels(Analysis.level(listener.heard.samples.suffix(24_000))) - decibels)
            < 1
        }
      }
      #expect(hears(-37))
      #expect(used(scene) == [3])
      try scene.denoisectl("use", "ten", "--channels", "8,3")
      #expect(hears(20 * log10(0.11 / 2.squareRoot())))
      #expect(used(scene) == [3, 8])
      listener.stop()

      #expect(scene.stopDaemon() == 0)
      try scene.startDaemon()
      #expect(try scene.status().settings.channels == [3, 8])
      let again = try scene.listen()
      #expect(eventually { used(scene) == [3, 8] })
      // What cannot be is refused, and changes nothing.
      for (words, reason) in [
        (["use", "ten", "--channels", "11"], "has no channel 11; there are 1 aux0"),
        (["use", "default", "--channels", "2"], "channels are those of one microphone"),
      ] {
        let (status, output) = try scene.sandbox.run(Piece.built("denoisectl"), words)
        #expect(status == 1 && output.contains(reason), "\(output)")
      }
      try scene.denoisectl("use", "ten")
      #expect(eventually { used(scene) == [8] })
      #expect(try scene.status().settings.channels == nil)
      again.stop()
      player.stop()
    }

    private func captures(_ name: String, _ scene: Scene) -> Bool {
      guard let microphone = try? scene.status().microphone else { return false }
      return microphone.name == name && microphone.channels.allSatisfy { $0.levelDecibels != nil }
    }

    private func levels(_ scene: Scene) -> [Double?] {
      (try? scene.status().microphone.channels.map(\.levelDecibels))
        ?? [Double?](repeating: nil, count: 10)
    }

    private func used(_ scene: Scene) -> [Int] {
      (try? scene.status().microphone.channels.filter(\.used).map(\.number)) ?? []
    }
  }
}
