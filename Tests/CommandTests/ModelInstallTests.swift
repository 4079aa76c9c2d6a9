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

  /// The light model with another word in its metadata.
  private func changed(_ name: String, _ old: String, _ new: String) throws -> String {
    var bytes = Array(
      try Data(contentsOf: URL(filePath: "\(Piece.root)/models/light.int8.tflite")))
    let word = Array(old.utf8)
    let place = try #require(
      bytes.indices.dropLast(word.count).first { Array(bytes[$0..<$0 + word.count]) == word })
    bytes.replaceSubrange(place..<place + word.count, with: Array(new.utf8))
    let path = "\(sandbox.directory)/\(name).tflite"
    try Data(bytes).write(to: URL(filePath: path))
    return path
  }

  @Test func `what cannot be written leaves nothing behind`() throws {
    let file = "\(sandbox.directory)/mine.tflite"
    try FileManager.default.copyItem(
      atPath: "\(Piece.root)/models/light.int8.tflite", toPath: file)
    // A file where the folder should be.
    try FileManager.default.createDirectory(atPath: data, withIntermediateDirectories: true)
    try Data().write(to: URL(filePath: "\(data)/qdenoise"))
    let (status, output) = try install(file)
    #expect(status != 0 && output.contains("/qdenoise/models: cannot be written: "), "\(output)")
    #expect(output.split(separator: "\n").count == 1, "\(output)")
  }

  @Test func `an import that fails leaves no file`() throws {
    let result = "\(sandbox.directory)/out.tflite"
    for (denoiser, words) in [
      ("deepfilternet3", "there is no enc.onnx"), ("dtln", "there is no model_1.tflite"),
      ("deepfilternet2", "--denoiser deepfilternet2 is not known; there is deepfilternet2-ll,"),
    ] {
      let (status, output) = try sandbox.run(
        Piece.built("denoisectl"),
        ["model", "import", "--denoiser", denoiser, sandbox.directory, result])
      #expect(status != 0 && output.contains(words), "\(output)")
      #expect(!FileManager.default.fileExists(atPath: result))
    }
  }

  @Test func `what cannot run is not installed`() throws {
    let broken = "\(sandbox.directory)/broken.tflite"
    try Data("TFL3 and nothing else".utf8).write(to: URL(filePath: broken))
    let named = "\(sandbox.directory)/full.tflite"
    try FileManager.default.copyItem(
      atPath: "\(Piece.root)/models/light.int8.tflite", toPath: named)
    let plain = Piece.fixture("operators/fc_m1_f32")
    let other = try changed("other", "48000", "44100")
    let wide = try changed("wide", "48000", "16000")
    for (file, words) in [
      (broken, "broken.tflite"), (named, "is no name for a model"),
      (plain, "no 'qdenoise' metadata"),
      (other, "it hears 44100 Hz; the daemon runs models of 48000 Hz"),
      (wide, "it hears 16000 Hz; the daemon runs models of 48000 Hz"),
      ("\(sandbox.directory)/none.tflite", "there is no such file"),
    ] {
      let (status, output) = try install(file)
      #expect(status != 0 && output.contains(words), "\(output)")
      #expect(output.split(separator: "\n").count == 1, "\(output)")
    }
    #expect(!FileManager.default.fileExists(atPath: "\(data)/qdenoise"))
  }
}
