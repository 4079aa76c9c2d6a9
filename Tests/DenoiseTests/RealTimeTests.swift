import Foundation
import TestSupport
import Testing

/// The audio path under clang's real-time sanitizer, which reports whatever may block: memory,
/// locks, system calls.
@Suite struct RealTimeTests {
  private func run(_ arguments: [String] = []) throws -> (status: Int32, output: String) {
    let script = "\(Piece.root)/Tests/DenoiseTests/realtime/run.sh"
    let build = (Piece.built("denoisectl") as NSString).deletingLastPathComponent
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [script, build] + arguments
    process.standardOutput = pipe
    process.standardError = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: output, as: UTF8.self)
    if process.terminationStatus == 77 { try Piece.skip(text) }
    return (process.terminationStatus, text)
  }

  @Test func `nothing in 200 hops may block, a change of denoiser included`() throws {
    let (status, output) = try run()
    #expect(status == 0)
    #expect(output == "200 hops\n")
  }

  @Test func `a planted mistake is found`() throws {
    let (status, output) = try run(["--mistake"])
    #expect(status != 0)
    #expect(output.contains("RealtimeSanitizer: unsafe-library-call"))
  }
}
