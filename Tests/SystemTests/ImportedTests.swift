import QDControl
import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Denoisers of other people's in the daemon, whose files lie beside the checkout. Where they are
  /// missing, the tests are skipped.
  @Suite(.realTime) struct ImportedTests {
    /// What is known of one.
    struct Peer: CustomTestStringConvertible {
      /// What it is installed as, and the name of the folder of its files.
      var name: String
      /// `--denoiser` of the import.
      var format: String
      var title: String
      var licence: String
      /// Milliseconds.
      var lookAhead: Double?
      var bandSplit: Double?

      var testDescription: String { name }
    }

    private static let deepFilterNet = Peer(
      name: "dfn3", format: "deepfilternet3", title: "DeepFilterNet3",
      licence: "MIT or Apache-2.0", lookAhead: 20)
    private static let gtcrn = Peer(
      name: "gtcrn", format: "gtcrn", title: "GTCRN", licence: "MIT", bandSplit: 5)
    private static let bypass = "mode = \"bypass\"\nlow_cut = false\n"

    /// Starts a daemon and imports, quantizes and installs a denoiser for it.
    private func scene(
      _ kind: SoundServer.Kind, _ peer: Peer = Self.deepFilterNet, configuration: String
    ) throws -> Scene {
      let files = URL(filePath: Piece.root).deletingLastPathComponent().appending(
        path: "shared/tools/scoring/models/\(peer.name)"
      ).path()
      guard FileManager.default.fileExists(atPath: files) else {
        try Piece.skip("\(files) is not there")
      }
      let scene = try Scene(kind, configuration: configuration)
      let folder = scene.sandbox.directory
      for words in [
        ["import", "--denoiser", peer.format, files, "\(folder)/whole.tflite"],
        ["convert", "\(folder)/whole.tflite", "\(folder)/\(peer.name).tflite"],
        ["install", "\(folder)/\(peer.name).tflite"],
      ] {
        let (status, output) = try scene.sandbox.run(Piece.built("denoisectl"), ["model"] + words)
        guard status == 0 else { throw SupportError("model \(words): \(output)") }
      }
      return scene
    }

    private func awaits(_ kind: ModelKind, in scene: Scene) -> Bool {
      eventually { (try? scene.status().model.kind) == kind }
    }

    @Test(arguments: SoundServer.Kind.allCases, [Self.deepFilterNet, Self.gtcrn])
    func `a chosen denoiser is later by what its ledger says`(
      kind: SoundServer.Kind, peer: Peer
    ) throws {
      let scene = try scene(kind, peer, configuration: Self.bypass)
      let denoised = try scene.listen()
      let direct = try Recorder(scene.server, source: scene.microphone.name)
      // PulseAudio takes a second for the first fragment of it.
      #expect(eventually { direct.count > 4800 && denoised.count > 4800 })
      let start = now()
      let player = try Player(
        scene.server, sink: scene.microphone.sink, Sound.noise(seconds: 20, level: 0.1),
        buffer: 0.05)
      sleep(seconds: 4)
      let ours = try scene.status()
      try scene.denoisectl("model", "choose", peer.name)
      #expect(awaits(.imported, in: scene))
      let chosen = now()
      sleep(seconds: 4)
      let status = try scene.status()
      player.stop()
      let (near, far) = (direct.stop().part(from: start), denoised.stop().part(from: start))

      #expect(status.model.name == peer.title)
      #expect(status.model.precision == "dynamic-range int8")
      #expect(status.model.licence.contains(peer.licence))
      #expect(status.settings.model == .installed(peer.name))
      #expect(status.installedModels == [peer.name])
      #expect(status.state == .running, "\(status.stateReason)")
      let late = status.hops.late - ours.hops.late
      #expect(late == 0 || RealTime.machine.stalls > 0, "\(late) late hops")
      func stage(_ name: String, _ status: Status) -> Double? {
        status.latency.stages.first { $0.name == name }.map { $0.microseconds / 1000 }
      }
      #expect(stage("look-ahead", status) == peer.lookAhead)
      #expect(stage("band split", status) == peer.bandSplit)
      /// What the network delays by, and waits for, in milliseconds.
      func own(_ status: Status) -> Double {
        ["hop", "overlap of windows", "band split", "look-ahead"].compactMap { stage($0, status) }
          .reduce(0, +)
      }
      let expected = own(status) - own(ours)

      // One clock: what the two applications hear is apart by the same number of samples all along,
      // but for the change.
      func shift(around time: Double) -> Int {
        let first = Int((time - start) * 48_000)
        let piece = Array(far.samples[first..<first + 48_000])
        let from = max(0, first - 19_200)
        let reference = Array(near.samples[from..<min(near.samples.count, first + 67_200)])
        return first - from - Analysis.delay(of: reference, behind: piece, within: 0...38_400)
      }
      let (before, after) = (shift(around: chosen - 2.5), shift(around: chosen + 1.5))
      let later = Double(after - before) / 48
      print(
        "measured: \(kind.rawValue), \(peer.name): \(before) samples, then \(after):"
          + " \(later) ms more, ledger \(expected); late \(late)")
      // With hops of one length the buffers stay as they are, so that not a sample is between them.
      let tolerance = stage("hop", status) == stage("hop", ours) ? 0 : 3.0
      #expect(abs(later - expected) <= tolerance || RealTime.machine.breaks > 0)
    }

    @Test func `a look-ahead beyond the budget is refused in a line, and nothing changes`() throws {
      let scene = try scene(.pulseAudio, configuration: "[latency]\nbudget_ms = 35\n")
      let (status, output) = try scene.sandbox.run(
        Piece.built("denoisectl"), ["model", "choose", "dfn3"])
      #expect(status != 0 && output.split(separator: "\n").count == 1)
      #expect(
        output.contains("dfn3: it delays the sound by 40 ms, the budget is 35 ms"), "\(output)")
      let now = try scene.status()
      #expect(now.settings.model == .auto && now.model.kind == .full)
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `a denoiser comes and goes without a click or a gap`(kind: SoundServer.Kind) throws {
      let scene = try scene(kind, configuration: Self.bypass)
      let listener = try scene.listen()
      let direct = try Recorder(scene.server, source: scene.microphone.name)
      let tone = Sound.sine(1000, seconds: 1, amplitude: 0.25)
      let start = now()
      let player = try Player(scene.server, sink: scene.microphone.sink, tone, loops: true)
      let models: [(String, ModelKind)] = [
        ("dfn3", .imported), ("low-latency", .lowLatency), ("dfn3", .imported), ("auto", .full),
      ]
      for (model, kind) in models {
        sleep(seconds: 2)
        try scene.denoisectl("model", "choose", model)
        #expect(awaits(kind, in: scene))
      }
      sleep(seconds: 2)
      player.stop()
      sleep(seconds: 0.5)
      #expect(try scene.status().hops.overruns <= RealTime.machine.stalls)
      // Each jump is whole periods of the tone, so that only a click or a hole would show.
      let tones = Tones(direct.stop().part(from: start), listener.stop().part(from: start))
      print("measured: \(kind.rawValue): four changes: \(tones)")
      #expect(tones.after.pieces > 800 && tones.after.pieces > tones.before.pieces - 50)
      let (few, some) = kind == .pulseAudio ? (2, 2) : (10, 20)
      tones.expectFew(silent: few, jumps: some)
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `after a stall the light network stands in, then all is as before`(
      kind: SoundServer.Kind
    ) throws {
      let scene = try scene(kind, configuration: Self.bypass)
      try write(
        Self.bypass + "model = \"dfn3\"\n",
        to: "\(scene.sandbox.directory)/home/.config/qdenoise/config.toml")
      try scene.denoisectl("reload")
      #expect(awaits(.imported, in: scene))
      let ears = try Ears(scene)
      defer { ears.close() }
      sleep(seconds: 2.5)
      let before = try ears.lag()
      scene.daemon.signal(SIGSTOP)
      sleep(seconds: 1.5)
      scene.daemon.signal(SIGCONT)
      #expect(awaits(.light, in: scene), "no step down the ladder")
      sleep(seconds: 1.5)
      let during = try ears.lag()
      #expect(awaits(.imported, in: scene), "no step up")
      sleep(seconds: 1.5)
      let after = try ears.lag()
      print("measured: \(kind.rawValue): \(before) ms, light \(during) ms, again \(after) ms")
      let late = RealTime.machine.milliseconds
      #expect(during < before + late)
      #expect(abs(after - before) < 10 + late)
      let end = try scene.status()
      #expect(end.settings.model == .installed("dfn3") && end.overrides.isEmpty)
    }
  }
}
