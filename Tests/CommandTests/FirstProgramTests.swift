import Foundation
import TestSupport
import Testing

/// What the documentation of the library begins with.
struct FirstProgramTests {
  @Test func `the first program of the documentation is the one that is built`() throws {
    let program = try contents(of: "\(Piece.root)/Examples/FirstProgram/main.swift")
    let page = try contents(of: "\(Piece.root)/Sources/Engine/Engine.docc/FirstProgram.md")
    #expect(page.contains("```swift\n\(program)```\n"))
  }

  @Test func `the first program runs a model`() throws {
    let sandbox = try Sandbox("first-program")
    let (status, output) = try sandbox.run(
      Piece.built("first-program"), [Piece.fixture("fc_m1_f32")])
    #expect(status == 0)
    let line = try #require(output.wholeMatch(of: /y \[(.*)\]\n/))
    let values = line.1.split(separator: ", ").compactMap { Float($0) }
    #expect(values.count == 8)
    // Behind a RELU.
    #expect(values.allSatisfy { $0 >= 0 && $0.isFinite } && values.contains { $0 > 0 })
  }
}
