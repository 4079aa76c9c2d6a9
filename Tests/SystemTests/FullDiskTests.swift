import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// A disk without room.
  @Suite struct FullDiskTests {
    @Test func `process says so in one line and leaves no part of a file`() throws {
      guard Piece.isRoot else { try Piece.skip("a small file system of its own needs root") }
      try Piece.require(["unshare", "mount"])
      _ = try Samples()
      let sandbox = try Sandbox()
      let small = "\(sandbox.directory)/small"
      try makeDirectory(small)
      let script = """
        mount -t tmpfs -o size=300k tmpfs \(small) || exit 99
        \(Piece.built("denoisectl")) process \(Piece.root)/out/samples/noisy.wav \(small)/clean.wav
        echo "status $?"
        ls -A \(small)
        """
      let (status, output) = try sandbox.run(
        "unshare", ["--mount", "--propagation", "private", "sh", "-c", script], seconds: 60)
      #expect(status == 0)
      let lines = output.split(separator: "\n")
      #expect(lines.last == "status 1", "\(output)")
      #expect(lines.contains { $0.contains("clean.wav: the disk is full") })
    }
  }
}
