import Foundation
import Testing

/// The microkernels as a C program, built for this machine and for aarch64, where qemu runs it.
@Suite struct CrossArchitectureTests {
  private static let script = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "cross/run.sh").path

  private static func run(_ arguments: [String]) throws -> (status: Int32, lines: [String]) {
    let process = Process()
    let pipe = Pipe()
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = [script] + arguments
    process.standardOutput = pipe
    try process.run()
    let output = pipe.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    let text = String(decoding: output, as: UTF8.self)
    return (process.terminationStatus, text.split(separator: "\n").map(String.init))
  }

  @Test func `NEON equals the scalar kernels, and those equal this machine's`() throws {
    let foreign = try CrossArchitectureTests.run(["aarch64", "cortex-a53", "max"])
    if foreign.status == 77 {
      try Test.cancel("\(foreign.lines.joined())")
    }
    let native = try CrossArchitectureTests.run(["native"])
    #expect(native.status == 0, "\(native.lines)")
    #expect(foreign.status == 0, "\(foreign.lines)")
    let checksum = try #require(native.lines.last)
    let expected = [
      "cpu cortex-a53", "scalar", "neon", checksum,
      "cpu max", "scalar", "neon", "neondot", checksum,
    ]
    #expect(foreign.lines == expected)
  }
}
