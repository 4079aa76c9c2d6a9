import QDControl
import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// What the daemon costs.
  @Suite(.realTime) struct CostTests {
    @Test(arguments: SoundServer.Kind.allCases)
    func `while nobody listens nothing is captured and nothing runs`(kind: SoundServer.Kind) throws
    {
      let scene = try Scene(kind)
      try expectIdle(scene, after: 1.5)
      let listener = try scene.listen()
      #expect(try capturing(scene))
      listener.stop()
      let idle = eventually { (try? scene.status().state) == .idle }
      #expect(idle)
      // The server suspends what nobody uses after 5 s, and says so to all its clients.
      try expectIdle(scene, after: 6.5)
    }

    @Test func `memory stays where it was while somebody listens`() throws {
      let scene = try Scene(.pulseAudio)
      let listener = try scene.listen()
      let player = try Player(
        scene.server, sink: scene.microphone.sink, Sound.noise(seconds: 1, level: 0.05), loops: true
      )
      sleep(seconds: 5)
      let before = try Usage(of: scene.daemon.pid)
      sleep(seconds: 10)
      let after = try Usage(of: scene.daemon.pid)
      let status = try scene.status()
      player.stop()
      listener.stop()
      let share = (after.cpuSeconds - before.cpuSeconds) / (after.time - before.time) * 100
      print(
        String(
          format: "measured: CPU %.1f %% of a core, memory %.1f MB, hop p50 %.3f p99 %.3f ms",
          share, Double(after.residentKilobytes) / 1024,
          (status.hops.p50Microseconds ?? .nan) / 1000,
          (status.hops.p99Microseconds ?? .nan) / 1000),
        "(\(status.model.name), \(status.model.precision), \(status.model.instructionSet))")
      #expect(after.residentKilobytes < 100_000)
      #expect(after.residentKilobytes - before.residentKilobytes < 512)
    }

    private func capturing(_ scene: Scene) throws -> Bool {
      try scene.server.list("source-outputs").contains {
        $0.properties?["application.process.id"] == "\(scene.daemon.pid)"
      }
    }

    private func expectIdle(
      _ scene: Scene, after settling: Double, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
      sleep(seconds: settling)
      #expect(try !capturing(scene), sourceLocation: sourceLocation)
      let before = try Usage(of: scene.daemon.pid)
      sleep(seconds: 8)
      let after = try Usage(of: scene.daemon.pid)
      let seconds = after.time - before.time
      print(
        "measured: \(scene.server.kind.rawValue), idle: \(after.wakeUps - before.wakeUps) wake-ups, "
          + "\(after.cpuSeconds - before.cpuSeconds) s of CPU in \(Int(seconds)) s")
      #expect(Double(after.wakeUps - before.wakeUps) < seconds, sourceLocation: sourceLocation)
      #expect(after.cpuSeconds - before.cpuSeconds < 0.02, sourceLocation: sourceLocation)
    }
  }
}
