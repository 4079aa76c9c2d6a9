import Foundation
import TestSupport
import Testing

extension SystemTests {
  /// What `make install` leaves.
  @Suite struct InstallTests {
    @Test func `installed programs need no Swift`() throws {
      try Piece.require(["readelf"])
      let directory = "\(Piece.root)/.build/static/release"
      guard access("\(directory)/denoisectl", X_OK) == 0 else {
        try Piece.skip("`make install` has not built its programs yet")
      }
      let sandbox = try Sandbox()
      for program in ["qdenoise", "denoisectl"] {
        let (status, output) = try sandbox.run("readelf", ["-d", "\(directory)/\(program)"])
        #expect(status == 0)
        let needed = output.split(separator: "\n").filter { $0.contains("(NEEDED)") }
        #expect(needed.count > 3)
        #expect(!needed.contains { $0.contains("swift") || $0.contains("Foundation") })
      }
    }

    @Test func `what is installed is removed again, and the unit starts what was installed`() throws
    {
      let sandbox = try Sandbox()
      let root = "\(sandbox.directory)/root"
      let install = "\(Piece.root)/scripts/install"
      #expect(try sandbox.run(install, ["add", Piece.programs, "/usr", root]).status == 0)
      let unit = try contents(of: "\(root)/usr/lib/systemd/user/qdenoise.service")
      #expect(unit.contains("\nExecStart=/usr/bin/qdenoise\n"))
      #expect(access("\(root)/usr/bin/qdenoise", X_OK) == 0)
      #expect(access("\(root)/usr/share/bash-completion/completions/denoisectl", R_OK) == 0)

      #expect(try sandbox.run(install, ["remove", "/usr", root]).status == 0)
      let left = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
      #expect(left.filter { !isDirectory("\(root)/\($0)") } == [])
    }

    @Test(arguments: [
      ("/usr", "qdenoise"), ("/usr/local", "qdenoise"),
      ("/elsewhere", "/elsewhere/lib/systemd/user/qdenoise.service"),
    ])
    func `the command that is shown enables a unit that systemd finds`(
      prefix: String, unit: String
    ) throws {
      let sandbox = try Sandbox()
      let root = "\(sandbox.directory)/root"
      let (status, output) = try sandbox.run(
        "\(Piece.root)/scripts/install", ["add", Piece.programs, prefix, root])
      #expect(status == 0)
      #expect(output.contains("systemctl --user enable --now \(unit)\n"), "\(output)")
      #expect(output.contains("fpath=(") == (prefix == "/elsewhere"))
      #expect(access("\(root)\(prefix)/lib/systemd/user/qdenoise.service", R_OK) == 0)
    }

    private func isDirectory(_ path: String) -> Bool {
      var directory: ObjCBool = false
      return FileManager.default.fileExists(atPath: path, isDirectory: &directory)
        && directory.boolValue
    }
  }
}
