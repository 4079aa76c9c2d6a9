import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// What the other tests stand on.
  @Suite struct SupportTests {
    @Test(.realTime, arguments: SoundServer.Kind.allCases)
    func `a click in the fake microphone is heard by an application`(kind: SoundServer.Kind) throws
    {
      try Piece.require(kind)
      let sandbox = try Sandbox()
      try sandbox.startSessionBus()
      let server = try SoundServer(kind, in: sandbox)
      let microphone = try FakeMicrophone(on: server)
      let recorder = try Recorder(server, source: microphone.name)
      let player = try Player(server, sink: microphone.sink, Sound.clicks(10, interval: 0.13))
      player.wait()
      sleep(seconds: 0.3)
      let heard = Analysis.clicks(in: recorder.stop().samples).count
      #expect(heard >= 10 - min(RealTime.machine.stalls, 2) && heard <= 10)
    }

    @Test func `nothing is left of a sandbox whose test program is killed`() async throws {
      let result = await #expect(
        processExitsWith: .signal(SIGKILL), observing: [\.standardOutputContent]
      ) {
        let sandbox = try Sandbox("killed")
        let child = try sandbox.start("sleep", ["600"])
        // The marks stand around it because the exit test's own output may come before and after.
        let words = "<\(sandbox.directory)|\(child.pid)>"
        _ = words.withCString { write(1, $0, strlen($0)) }
        kill(getpid(), SIGKILL)
      }
      let output = String(decoding: try #require(result).standardOutputContent, as: UTF8.self)
      let words = try #require(output.split(separator: "<").last?.split(separator: ">").first)
        .split(separator: "|")
      let pid = try #require(pid_t(words[1]))
      #expect(eventually { access(String(words[0]), F_OK) != 0 })
      // What nobody has waited for yet has an empty command line.
      #expect(eventually { ((try? contents(of: "/proc/\(pid)/cmdline")) ?? "").isEmpty })
    }

    @Test func `a delay and a distortion are measured as they were made`() {
      let sound = Sound.noise(seconds: 2, level: 0.1)
      let late = [Float](repeating: 0, count: 1234) + sound
      #expect(Analysis.delay(of: late, behind: sound, within: -2400...4800) == 1234)
      let dirty = zip(late, Sound.noise(seconds: 3, level: 0.01, seed: 2)).map { $0 * 0.5 + $1 }
      let ratio = Analysis.signalToDistortion(of: dirty, reference: sound, delay: 1234)
      #expect(abs(ratio - 20 * log10(0.05 / 0.01)) < 0.5)
    }

    @Test func `a gap and a jump in a tone are counted`() {
      var tone = Sound.sine(1000, seconds: 1, amplitude: 0.5)
      let whole = Analysis.continuity(of: tone, frequency: 1000, amplitude: 0.5)
      #expect(whole.pieces == 100 && whole.silent == 0 && whole.jumps == 0)
      tone.removeSubrange(24000..<24010)
      tone.replaceSubrange(38400..<39360, with: Sound.silence(seconds: 0.02))
      let broken = Analysis.continuity(of: tone, frequency: 1000, amplitude: 0.5)
      #expect((1...3).contains(broken.silent) && (1...4).contains(broken.jumps))
    }
  }
}
