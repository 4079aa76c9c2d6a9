import QDAudioHost
import QDControl
import ControlSupport
import Foundation
import TestSupport
import Testing

/// `denoisectl record`, with a real control server that writes a ramp into the pipe.
struct RecordTests {
  let sandbox: Sandbox
  let served: ServedControl

  init() throws {
    sandbox = try Sandbox("record")
    try sandbox.startSessionBus()
    served = try ServedControl(address: sandbox.environment["DBUS_SESSION_BUS_ADDRESS"]!)
  }

  private func record(_ words: String...) throws -> (status: Int32, output: String) {
    defer { served.stop() }
    return try sandbox.run(Piece.built("denoisectl"), ["record"] + words)
  }

  private func samples(_ path: String) throws -> [Float] {
    var reader = try SoundFileReader(path: path)
    #expect(reader.format == SoundFormat(sampleRate: 48_000, channels: 1))
    return try reader.read(100_000)
  }

  @Test func `both sides are aligned in files of a new directory`() throws {
    let out = "\(sandbox.directory)/ab"
    let (status, output) = try record("--ab", "--seconds", "0.01", out)
    #expect(status == 0, "\(output)")
    #expect(try samples("\(out)/microphone.wav") == Array(ServedControl.recorded.prefix(480)))
    #expect(try samples("\(out)/denoised.wav") == ServedControl.recorded.prefix(480).map { -$0 })
  }

  @Test func `at a terminal it shows that it records`() throws {
    try Piece.require(["script"])
    defer { served.stop() }
    let command = "\(Piece.built("denoisectl")) record --seconds 0.01 \(sandbox.directory)/a.wav"
    let (status, output) = try sandbox.run(
      "script", ["-qec", command, "/dev/null"], environment: ["TERM": "xterm"])
    #expect(status == 0)
    #expect(
      output.contains("recording \(sandbox.directory)/a.wav: 0 s, Ctrl-C ends it"), "\(output)")
  }

  @Test func `what came before the daemon ended it is kept`() throws {
    let out = "\(sandbox.directory)/one.wav"
    let (status, output) = try record(out)
    #expect(status == 1)
    #expect(output.hasPrefix("denoisectl: the daemon ended the recording, "))
    #expect(try samples(out) == ServedControl.recorded.map { -$0 })
  }

  @Test(arguments: ["/nowhere/x.wav", "/proc/x.wav"])
  func `a place that cannot be written to is named`(out: String) throws {
    let (status, output) = try record(out)
    #expect(status == 1)
    #expect(output.hasPrefix("denoisectl: \(out): cannot be written: "), "\(output)")
    #expect(output.count(where: \.isNewline) == 1)
  }

  @Test func `a name without a known format leaves nothing`() throws {
    let out = "\(sandbox.directory)/x.txt"
    let (status, output) = try record(out)
    #expect(status == 1)
    #expect(output.contains("which format?"), "\(output)")
    #expect(access(out, F_OK) != 0)
  }
}
