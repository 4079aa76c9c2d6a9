import QDControl
import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// After doing what `denoisectl doctor` says, the finding is gone.
  @Suite struct DoctorTests {
    @Test func `a suspended microphone comes back by what the doctor says`() throws {
      let scene = try Scene(.pulseAudio, configuration: "mode = \"bypass\"\n")
      let listener = try scene.listen()
      try scene.server.pactl("suspend-source", "fakemic", "1")
      let said = eventually { (try? remedies(in: scene).first) == "pactl suspend-source fakemic 0" }
      #expect(said, "\((try? remedies(in: scene)) ?? [])")
      for remedy in try remedies(in: scene) { try follow(remedy, in: scene) }
      let mended = eventually { (try? remedies(in: scene)) == [] }
      #expect(mended, "\((try? remedies(in: scene)) ?? [])")
      listener.stop()
    }

    @Test func `a mistake in the configuration is mended by what the doctor says`() throws {
      let scene = try Scene(.pulseAudio)
      let path = "\(scene.sandbox.directory)/home/.config/qdenoise/config.toml"
      try write("mode = \"loud\"\n", to: path)
      _ = try scene.sandbox.run(Piece.built("denoisectl"), ["reload"])
      #expect(try remedies(in: scene) == ["mend the file, then denoisectl reload"])
      try write("mode = \"light\"\n", to: path)
      try scene.denoisectl("reload")
      #expect(try remedies(in: scene) == [])
    }

    /// What follows the arrows below the problems.
    private func remedies(in scene: Scene) throws -> [String] {
      let output = try scene.sandbox.run(Piece.built("denoisectl"), ["doctor"]).output
      let lines = output.split(separator: "\n")
      return zip(lines, lines.dropFirst()).filter { $0.0.hasPrefix("problem") }
        .compactMap { $0.1.split(separator: "-> ", maxSplits: 1).last.map(String.init) }
    }

    private func follow(_ command: String, in scene: Scene) throws {
      let (status, output) = try scene.sandbox.run(
        "sh", ["-c", command], environment: ["PULSE_SERVER": scene.server.address])
      #expect(status == 0, "\(output)")
    }
  }
}
