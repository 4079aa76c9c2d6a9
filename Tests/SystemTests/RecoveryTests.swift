import QDControl
import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// Servers, microphones and the daemon itself go away and come back.
  @Suite struct RecoveryTests {
    private static let tone = Sound.sine(1000, seconds: 1, amplitude: 0.25)
    private static let bypass = "mode = \"bypass\"\n"

    @Test(arguments: SoundServer.Kind.allCases)
    func `a server that was killed and started again is found again`(kind: SoundServer.Kind) throws
    {
      let scene = try Scene(kind, configuration: Self.bypass)
      let first = try scene.listen()
      scene.server.kill()
      let waits = eventually { (try? scene.status().state) == .waiting }
      #expect(waits)
      first.stop()
      try scene.server.start()
      try scene.microphone.plugIn()
      try scene.waitForDaemon()
      try expectTone(in: scene, heardBy: scene.listen())
      #expect(scene.daemon.isRunning)
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `a microphone that goes leaves silence, and is heard when it returns`(
      kind: SoundServer.Kind
    ) throws {
      let scene = try Scene(kind, configuration: Self.bypass)
      let listener = try scene.listen()
      let source = try #require(try scene.virtualSource()?.index)
      try expectTone(in: scene, heardBy: listener)

      try scene.microphone.unplug()
      sleep(seconds: 1)
      let silence = listener.count
      // Two seconds of it, at the pace of sound.
      #expect(eventually(within: 4) { listener.count >= silence + 2 * 48000 })
      let heard = listener.heard.samples[silence...]
      #expect(Analysis.level(heard) < 1e-4)

      try scene.microphone.plugIn()
      let back = eventually { (try? scene.status().microphone.name) == "fakemic" }
      #expect(back)
      try expectTone(in: scene, heardBy: listener)
      #expect(try scene.virtualSource()?.index == source)
    }

    @Test(.realTime, arguments: SoundServer.Kind.allCases)
    func `an application hears a daemon come back that was killed`(kind: SoundServer.Kind) throws {
      let scene = try Scene(kind, configuration: Self.bypass)
      let listener = try scene.listen()
      try expectTone(in: scene, heardBy: listener)

      let (begin, count) = (now(), listener.count)
      scene.daemon.signal(SIGKILL)
      scene.daemon.wait(seconds: 15)
      sleep(seconds: 0.5)
      try scene.startDaemon()
      try expectTone(in: scene, heardBy: listener)
      sleep(seconds: 2)
      let share = Double(listener.count - count) / (48_000 * (now() - begin))
      print("measured: \(kind.rawValue): \(share) of the samples while the daemon was killed")
      // A node of PipeWire's own goes on with silence, a pipe without a writer stands still.
      #expect(kind == .pulseAudio || share > 0.99 - RealTime.machine.milliseconds / 1000)
      listener.stop()
      #expect(scene.stopDaemon() == 0)
      #expect(try scene.leftovers() == [])
    }

    @Test(arguments: SoundServer.Kind.allCases)
    func `what was said to an earlier listener is never heard by a later one`(
      kind: SoundServer.Kind
    ) throws {
      let scene = try Scene(kind, configuration: Self.bypass)
      // The fake microphone itself keeps some of what it heard when it stops; a running one does not.
      let awake = try Recorder(scene.server, source: scene.microphone.name)
      defer { awake.stop() }
      for killed in [false, true] {
        let first = try scene.listen()
        let talker = try Player(scene.server, sink: scene.microphone.sink, Self.tone, loops: true)
        let spoken = eventually {
          Analysis.level(first.heard.samples.suffix(4800)) > 0.1
        }
        #expect(spoken)
        // The listener goes while somebody speaks; then it is quiet.
        if killed { scene.daemon.signal(SIGKILL) }
        first.stop()
        talker.stop()
        sleep(seconds: 1.5)
        if killed { try scene.startDaemon() }

        let second = try scene.listen()
        #expect(eventually { second.count >= 48000 })
        let heard = second.stop()
        // PipeWire's own nodes hand out the quantum that they held when they stopped, of any source.
        let ours = heard.samples.dropFirst(kind == .pipeWire ? 512 : 0)
        #expect((ours.map(abs).max() ?? 1) < 0.01, "after a kill: \(killed)")
      }
    }

    @Test func `people who choose us as their microphone do not hear themselves in a circle`()
      throws
    {
      let scene = try Scene(.pulseAudio, configuration: Self.bypass)
      try scene.server.pactl("set-default-source", Scene.virtualMicrophone)
      let listener = try scene.listen()
      #expect(try scene.status().microphone.name == "fakemic")
      try expectTone(in: scene, heardBy: listener)
    }

    @Test func `another default microphone is taken at once, and a pinned one is kept`() throws {
      let scene = try Scene(.pulseAudio, configuration: Self.bypass)
      let other = try FakeMicrophone("othermic", on: scene.server)
      let followed = eventually(within: 10) {
        (try? scene.status().microphone.name) == "othermic"
      }
      #expect(followed)
      let listener = try scene.listen()
      try expectTone(in: scene, heardBy: listener, playing: other.sink)
      try scene.denoisectl("use", "fakemic")
      #expect(try scene.status().microphone.name == "fakemic")
      try expectTone(in: scene, heardBy: listener)
    }

    @Test func `a muted microphone is silent and the status says so`() throws {
      let scene = try Scene(.pulseAudio, configuration: Self.bypass)
      let listener = try scene.listen()
      try scene.server.pactl("set-source-mute", "fakemic", "1")
      let known = eventually(within: 10) { (try? scene.status().microphone.muted) == true }
      #expect(known)
      try scene.server.pactl("set-source-mute", "fakemic", "0")
      let heard = eventually(within: 10) { (try? scene.status().microphone.muted) == false }
      #expect(heard)
      try expectTone(in: scene, heardBy: listener)
    }

    @Test func `mode and device are as they were after a restart`() throws {
      let scene = try Scene(.pulseAudio)
      try scene.denoisectl("mode", "light")
      try scene.denoisectl("use", "fakemic")
      #expect(scene.stopDaemon() == 0)
      #expect(try scene.leftovers() == [])
      try scene.startDaemon()
      let settings = try scene.status().settings
      #expect(settings.mode == .light && settings.device == "fakemic")
      #expect(
        try scene.status().overrides == [
          .init(setting: "mode", value: "light", configured: "standard"),
          .init(setting: "device", value: "fakemic", configured: "default"),
        ])
      try scene.denoisectl("mode", "--reset")
      try scene.denoisectl("use", "--reset")
      #expect(try scene.status().settings == Settings())
      #expect(try scene.status().overrides == [])
    }

    @Test func `without a sound server the daemon waits, and starts when one comes`() throws {
      let scene = try Scene(.pulseAudio, configuration: Self.bypass)
      scene.stopDaemon()
      scene.server.stop()
      let daemon = try scene.sandbox.start(Piece.built("qdenoise"), log: "early")
      let waits = eventually { (try? scene.status().state) == .waiting }
      #expect(waits)
      try scene.server.start()
      try scene.microphone.plugIn()
      try scene.waitForDaemon()
      try expectTone(in: scene, heardBy: scene.listen())
      #expect(daemon.isRunning)
    }

    /// A sandbox hides the socket; another may let it be reached and no client in.
    @Test(arguments: [false, true])
    func `where PipeWire itself cannot be reached the sound goes through its pulse server`(
      answers: Bool
    ) throws {
      try Piece.require(["python3"])
      let scene = try Scene(.pipeWire, configuration: Self.bypass)
      scene.stopDaemon()
      let path = "\(scene.sandbox.directory)/closed"
      if answers {
        let refusal = """
          import socket
          server = socket.socket(socket.AF_UNIX)
          server.bind("\(path)")
          server.listen()
          while True: server.accept()[0].close()
          """
        _ = try scene.sandbox.start("python3", ["-c", refusal])
        #expect(eventually { FileManager.default.fileExists(atPath: path) })
      }
      let daemon = try scene.sandbox.start(
        Piece.built("qdenoise"), environment: ["PIPEWIRE_REMOTE": path], log: "shut-out")
      try scene.waitForDaemon()
      func isSaid() -> Bool {
        daemon.output.contains("the sound goes through PipeWire's pulse server")
      }
      if answers { #expect(eventually(isSaid), "\(daemon.output)") }
      try scene.waitForDaemon()
      let listener = try scene.listen()
      try expectTone(in: scene, heardBy: listener)
      #expect(try scene.status().latency.stages.contains { $0.name == "resampler" })
      listener.stop()
      #expect(isSaid() == answers, "\(daemon.output)")
      #expect(daemon.isRunning)
    }

    /// Plays a tone into a microphone and waits until `listener` hears half a second of it, from us:
    /// the microphone itself gives the same tone.
    private func expectTone(
      in scene: Scene, heardBy listener: Recorder, playing sink: String? = nil,
      sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      let player = try Player(
        scene.server, sink: sink ?? scene.microphone.sink, Self.tone, loops: true)
      defer {
        player.stop()
        sleep(seconds: 0.3)
      }
      let heard = eventually {
        abs(Analysis.level(listener.heard.samples.suffix(24000)) - 0.25 / 2.0.squareRoot()) < 0.02
      }
      let state = "\((try? scene.status().json()) ?? "") \(scene.daemon.output.suffix(2000))"
      #expect(heard, "\(state)", sourceLocation: sourceLocation)
      #expect(
        try scene.places().allSatisfy { $0 == Scene.virtualMicrophone },
        "the raw microphone: \(state)", sourceLocation: sourceLocation)
    }
  }
}
