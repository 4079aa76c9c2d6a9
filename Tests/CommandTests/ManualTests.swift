import Foundation
import TestSupport
import Testing
import qdenoise

/// The manual pages say what the programs do.
struct ManualTests {
  let sandbox = Result { try Sandbox("manual") }

  /// A page as a reader has it, without markup or line breaks.
  private func page(_ name: String) throws -> String {
    let source = try contents(of: "\(Piece.root)/man/\(name)")
    var text = source.replacing("\\-", with: "-").replacing("\\(dq", with: "\"")
    for font in ["\\fB", "\\fI", "\\fR"] { text = text.replacing(font, with: "") }
    return text
  }

  /// One command of `denoisectl`, as the parser describes itself.
  private struct Command: Decodable {
    struct Argument: Decodable {
      struct Name: Decodable {
        var kind: String
        var name: String
      }
      var names: [Name]?
      var shouldDisplay: Bool
    }
    var commandName: String
    var subcommands: [Command]?
    var arguments: [Argument]?

    /// With the names of those above it: "model inspect".
    func tree(below above: String = "") -> [(name: String, command: Command)] {
      let name = above + commandName
      return [(name, self)] + (subcommands ?? []).flatMap { $0.tree(below: name + " ") }
    }
  }

  private struct Dump: Decodable {
    var command: Command
  }

  @Test func `denoisectl(1) has every command and option`() throws {
    let (status, output) = try sandbox.get().run(
      Piece.built("denoisectl"), ["--experimental-dump-help"])
    try #require(status == 0)
    let text = try page("denoisectl.1")
    let root = try JSONDecoder().decode(Dump.self, from: Data(output.utf8)).command
    let commands = (root.subcommands ?? []).flatMap { $0.tree() }
    #expect(commands.count > 8)
    for (name, command) in commands where !name.hasPrefix("help") {
      #expect(text.contains("\n.B \(name) ") || text.contains("\n.B \(name)\n"), "\(name)")
      for argument in command.arguments ?? [] where argument.shouldDisplay {
        for option in argument.names ?? [] where option.kind == "long" {
          #expect(text.contains("--\(option.name)"), "\(name) --\(option.name)")
        }
      }
    }
  }

  @Test func `qdenoise(1) has every option`() throws {
    let (status, output) = try sandbox.get().run(Piece.built("qdenoise"), ["--help"])
    try #require(status == 0)
    let text = try page("qdenoise.1")
    for option in output.matches(of: /--[a-z-]+/) {
      #expect(text.contains(option.output), "\(option.output)")
    }
  }

  @Test func `qdenoise.toml(5) has every key`() throws {
    let text = try page("qdenoise.toml.5")
    #expect(Configuration.keys.count > 10)
    for key in Configuration.keys { #expect(text.contains("\n.B \(key)\n"), "\(key)") }
  }

  @Test func `the example of qdenoise.toml(5) is a configuration`() throws {
    let text = try page("qdenoise.toml.5")
    let example = try #require(
      text.split(separator: ".SH EXAMPLE").last?.split(separator: ".nf").last?
        .split(separator: ".fi").first)
    let configuration = try Configuration(toml: String(example))
    #expect(configuration.latencyBudgetMilliseconds == 45)
  }

  @Test(arguments: ["denoisectl.1", "qdenoise.1", "qdenoise.toml.5"])
  func `a page is formatted without a complaint`(name: String) throws {
    try Piece.require(["groff"])
    let (status, output) = try sandbox.get().run(
      "groff", ["-ww", "-z", "-man", "-Tutf8", "\(Piece.root)/man/\(name)"])
    #expect(status == 0)
    #expect(output.isEmpty, "\(output)")
  }
}
