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
  private static let checksum = "checksum d1a734d704f886d2"

  /// The results of products of halves, hashed; `run.sh native` prints the same with AVX512-FP16.
  private static let halves = "halves a7736e48bf6fb8b5"

  @Test func `NEON equals the scalar kernels, and those equal those of x86`() throws {
    let (status, lines) = try CrossArchitectureTests.run([
      "aarch64", "cortex-a53", "cortex-a76", "max",
    ])
    if status == 77 { try Test.cancel("\(lines.joined())") }
    #expect(status == 0)
    #expect(
      lines == [
        "cpu cortex-a53", "scalar", "neon", CrossArchitectureTests.checksum,
        "cpu cortex-a76", "scalar", "neon", "neondot", "neonfp16", CrossArchitectureTests.halves,
        CrossArchitectureTests.checksum,
        "cpu max", "scalar", "neon", "neondot", "neonfp16", CrossArchitectureTests.halves,
        "neoni8mm", CrossArchitectureTests.halves, CrossArchitectureTests.checksum,
      ])
  }

  @Test func `NEON of ARMv7 equals the scalar kernels`() throws {
    let (status, lines) = try CrossArchitectureTests.run(["armv7", "cortex-a15"])
    if status == 77 { try Test.cancel("\(lines.joined())") }
    #expect(status == 0)
    #expect(lines == ["cpu cortex-a15", "scalar", "neon", CrossArchitectureTests.checksum])
  }

  @Test func `WebAssembly has the bits of SSE4_1, which rounds twice as well`() throws {
    let (status, lines) = try CrossArchitectureTests.run(["wasm32"])
    if status == 77 { try Test.cancel("\(lines.joined())") }
    #expect(status == 0)
    #expect(
      lines == [
        "scalar", "wasm128", "rounded twice 91c0551735cfeec5", CrossArchitectureTests.checksum,
      ])
  }
}
