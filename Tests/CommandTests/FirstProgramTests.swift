import Foundation
import TestSupport
import Testing

/// What the documentation of the library begins with.
struct FirstProgramTests {
  @Test func `the first program of the documentation is the one that is built`() throws {
    let program = try contents(of: "\(Piece.root)/Examples/FirstProgram/main.swift")
    let page = try contents(of: "\(Piece.root)/Sources/QDEngine/QDEngine.docc/FirstProgram.md")
    #expect(page.contains("```swift\n\(program)```\n"))
    // A checkout's folder may have any name, a dependency's name is the package's.
    #expect(page.contains(".package(name: \"qdenoise\", path: \"../qdenoise\")"))
  }

  @Test func `the first program without a model says how it is called`() throws {
    let (status, output) = try Sandbox("first-program").run(Piece.built("first-program"))
    #expect(status == 64)
    #expect(output == "usage: first-program MODEL.tflite\n")
  }

  @Test func `the first program runs a model`() throws {
    let sandbox = try Sandbox("first-program")
    let (status, output) = try sandbox.run(
      Piece.built("first-program"), [Piece.fixture("operators/fc_m1_f32")])
    #expect(status == 0)
    let line = try #require(output.wholeMatch(of: /y \[(.*)\]\n/))
    let values = line.1.split(separator: ", ").compactMap { Float($0) }
    #expect(values.count == 8)
    // Behind a RELU.
    #expect(values.allSatisfy { $0 >= 0 && $0.isFinite } && values.contains { $0 > 0 })
  }
}
