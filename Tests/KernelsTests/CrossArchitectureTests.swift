import Foundation
import Testing

/// The microkernels in a C program that compares them, built for other architectures and run by
/// qemu and Node; `make test-cross` runs the same.
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

  /// What `run.sh native` prints: the scalar results, hashed.
  private static let checksum = "checksum 2f3bc23fdb471ad7"

  @Test func `NEON equals the scalar kernels, and those equal those of x86`() throws {
    let (status, lines) = try CrossArchitectureTests.run(["aarch64", "cortex-a53", "max"])
    if status == 77 { try Test.cancel("\(lines.joined())") }
    #expect(status == 0)
    #expect(
      lines == [
        "cpu cortex-a53", "scalar", "neon", CrossArchitectureTests.checksum,
        "cpu max", "scalar", "neon", "neondot", CrossArchitectureTests.checksum,
      ])
  }

  @Test(arguments: [["armv7", "cortex-a15"], ["wasm32"]])
  func `the scalar kernels equal those of x86 where there are no others`(
    arguments: [String]
  ) throws {
    let (status, lines) = try CrossArchitectureTests.run(arguments)
    if status == 77 { try Test.cancel("\(lines.joined())") }
    #expect(status == 0)
    #expect(lines.suffix(2) == ["scalar", CrossArchitectureTests.checksum])
  }
}
