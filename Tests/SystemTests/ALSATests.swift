import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// `backend = "alsa"`, in and out through ALSA's `pulse` plugin; no real card was at hand.
  @Suite(.realTime) struct ALSATests {
    @Test func `sound goes from one PCM to another and survives a restart of both`() throws {
      try Piece.require(.pulseAudio)
      let plugins = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64"]
      guard
        plugins.contains(where: {
          access("\($0)/alsa-lib/libasound_module_pcm_pulse.so", R_OK) == 0
        })
      else { try Piece.skip("libasound2-plugins is not installed") }
      let sandbox = try Sandbox()
      try sandbox.startSessionBus()
      let server = try SoundServer(.pulseAudio, in: sandbox)
      // Spoken into on the left only: that is what is to be heard, and as loud.
      let microphone = try FakeMicrophone(on: server, positions: ["front-left", "front-right"])
      try write(
        """
        pcm.mic { type pulse server "\(server.address)" device "fakemic" }
        pcm.out { type pulse server "\(server.address)" device "speakers" }
        """, to: "\(sandbox.directory)/home/.asoundrc")
      try makeDirectory("\(sandbox.directory)/home/.config/qdenoise")
      try write(
        """
        backend = "alsa"
        mode = "bypass"
        [alsa]
        capture = "mic"
        playback = "out"
        """, to: "\(sandbox.directory)/home/.config/qdenoise/config.toml")
      let daemon = try sandbox.start(Piece.built("qdenoise"))
      let listener = try Recorder(server, source: "speakers.monitor")
      let player = try Player(
        server, sink: microphone.sink,
        Sound.sine(1000, seconds: 1, amplitude: 0.25).flatMap { [$0, 0] },
        positions: microphone.positions, loops: true)
      func heard() -> Bool {
        eventually {
          let level = Analysis.level(listener.heard.samples.suffix(24000))
          return abs(level - 0.25 / 2.0.squareRoot()) < 0.03
        }
      }
      #expect(heard(), "\(daemon.output)")
      let steady = listener.count
      sleep(seconds: 5)
      let tone = Analysis.continuity(
        of: Array(listener.heard.samples[steady...]), frequency: 1000, amplitude: 0.25)
      print("measured: ALSA through the pulse plugin: \(tone)")
      #expect(tone.silent <= 5 + RealTime.machine.silentPieces)
      #expect(tone.jumps <= 10 + RealTime.machine.breaks)
      player.stop()
      daemon.signal(SIGTERM)
      #expect(daemon.wait(seconds: 10) == 0)
    }
  }
}
