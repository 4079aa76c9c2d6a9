import QDControl
import Foundation
import TestSupport
import Testing
import QDMessages

extension SystemTests {
  /// What a mixer mutes or turns down on the way from the microphone to the applications.
  @Suite struct VolumeTests {
    @Test(arguments: SoundServer.Kind.allCases)
    func `what is muted or turned down is named with the command that undoes it`(
      kind: SoundServer.Kind
    ) throws {
      let scene = try Scene(kind, configuration: "mode = \"bypass\"\n")
      let listener = try scene.listen()
      #expect(try scene.status().attenuations.isEmpty)
      let own = try #require(
        try scene.server.list("source-outputs").first {
          $0.properties?["application.process.id"] == "\(scene.daemon.pid)"
        }?.index)
      var places: [(place: String, mute: [String])] = [
        ("the recording stream of qdenoise", ["set-source-output-mute", "\(own)", "1"]),
        ("the recording stream of qdenoise", ["set-source-output-volume", "\(own)", "40%"]),
        ("the virtual microphone", ["set-source-mute", "qdenoise", "1"]),
        ("the virtual microphone", ["set-source-volume", "qdenoise", "20%"]),
        ("the microphone 'fakemic'", ["set-source-mute", "fakemic", "1"]),
        ("the microphone 'fakemic'", ["set-source-volume", "fakemic", "3%"]),
        ("the microphone 'fakemic'", ["set-source-volume", "fakemic", "0"]),
      ]
      if kind == .pipeWire {
        let playback = try #require(
          try scene.server.list("sink-inputs").first {
            $0.properties?["application.process.id"] == "\(scene.daemon.pid)"
          }?.index)
        places += [
          ("the playback stream of qdenoise", ["set-sink-input-mute", "\(playback)", "1"]),
          ("the playback stream of qdenoise", ["set-sink-input-volume", "\(playback)", "5%"]),
        ]
      }
      for (place, command) in places {
        try pactl(scene, command)
        let said = eventually { (try? scene.status().attenuations.isEmpty) == false }
        try #require(said, "\(command)")
        let status = try scene.status()
        let found = try #require(
          status.attenuations.first { $0.place.description == place }, "\(command)")
        #expect(found.percent == percent(in: command), "\(command)")
        #expect(status.warnings.contains { $0.contains(found.remedy) && $0.hasPrefix(place) })
        #expect(scene.daemon.output.contains("\(found.sentence); `\(found.remedy)` undoes it"))
        #expect(try scene.denoisectl("status").contains("warning: \(place)"))
        let (code, doctor) = try scene.sandbox.run(Piece.built("denoisectl"), ["doctor"])
        #expect(code == 1, "\(doctor)")
        #expect(doctor.contains("-> \(found.remedy)\n"), "\(doctor)")
        #expect(doctor.count(of: found.remedy) == 1, "\(doctor)")
        // As a person copies it into a terminal.
        let (done, output) = try scene.sandbox.run("/bin/sh", ["-c", found.remedy])
        #expect(done == 0, "\(found.remedy): \(output)")
        let gone = eventually { (try? scene.status().attenuations.isEmpty) == true }
        #expect(gone, "\(found.remedy)")
        #expect(try scene.sandbox.run(Piece.built("denoisectl"), ["doctor"]).status == 0)
      }
      listener.stop()
    }

    private func pactl(_ scene: Scene, _ words: [String]) throws {
      let (status, output) = try scene.sandbox.run("pactl", words)
      guard status == 0 else { throw SupportError("pactl \(words): \(output)") }
    }

    /// The volume that a command sets; nil where it mutes.
    private func percent(in command: [String]) -> Int? {
      command[0].hasSuffix("mute") ? nil : Int(command[2].filter(\.isNumber))
    }
  }
}

extension String {
  fileprivate func count(of part: String) -> Int { components(separatedBy: part).count - 1 }
}
