import Foundation
import TestSupport
import Testing

/// `denoisectl model install` on real files.
struct ModelInstallTests {
  let sandbox: Sandbox

  init() throws { sandbox = try Sandbox("install") }

  private var data: String { "\(sandbox.directory)/data" }

  private func install(_ file: String) throws -> (status: Int32, output: String) {
    try sandbox.run(
      Piece.built("denoisectl"), ["model", "install", file], environment: ["XDG_DATA_HOME": data])
  }

  @Test func `a model is found by its name`() throws {
    let file = "\(sandbox.directory)/mine.tflite"
    try FileManager.default.copyItem(
      atPath: "\(Piece.root)/models/light.int8.tflite", toPath: file)
    let (status, output) = try install(file)
    #expect(status == 0)
    #expect(output.contains("licence: "))
    #expect(output.contains("denoisectl model choose mine"))
    let installed = "\(data)/qdenoise/models/mine.tflite"
    #expect(FileManager.default.contentsEqual(atPath: file, andPath: installed))
    let (inspected, report) = try sandbox.run(
      Piece.built("denoisectl"), ["model", "inspect", installed],
      environment: ["XDG_DATA_HOME": data])
    #expect(inspected == 0 && report.contains("denoises"))
    // Known, and the daemon is not there.
    let (chosen, answer) = try sandbox.run(
      Piece.built("denoisectl"), ["model", "choose", "mine"], environment: ["XDG_DATA_HOME": data])
    #expect(chosen == 3, "\(answer)")
  }

  @Test func `what cannot run is not installed`() throws {
    let broken = "\(sandbox.directory)/broken.tflite"
    try Data("TFL3 and nothing else".utf8).write(to: URL(filePath: broken))
    let named = "\(sandbox.directory)/full.tflite"
    try FileManager.default.copyItem(
      atPath: "\(Piece.root)/models/light.int8.tflite", toPath: named)
    let plain = Piece.fixture("fc_m1_f32")
    for (file, words) in [
      (broken, "broken.tflite"), (named, "is no name for a model"),
      (plain, "no 'qdenoise' metadata"),
      ("\(sandbox.directory)/none.tflite", "there is no such file"),
    ] {
      let (status, output) = try install(file)
      #expect(status != 0 && output.contains(words), "\(output)")
      #expect(output.split(separator: "\n").count == 1, "\(output)")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(data)/qdenoise"))
  }
}
