import QDAudioHost
import Foundation
import QDKernels
import TestSupport
import Testing

/// `denoisectl model convert`, `import`, `evaluate` and `inspect --svg` on real files.
struct ModelCommandTests {
  let sandbox: Sandbox

  init() throws { sandbox = try Sandbox("model") }

  private func denoisectl(_ words: String...) throws -> (status: Int32, output: String) {
    try sandbox.run(Piece.built("denoisectl"), words)
  }

  /// A .npy file of float32.
  private func array(_ name: String, _ shape: String, _ values: [Float]) throws -> String {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: 117 - header.count) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8))
    for value in values { withUnsafeBytes(of: value) { data.append(contentsOf: $0) } }
    let path = "\(sandbox.directory)/\(name)"
    try data.write(to: URL(filePath: path))
    return path
  }

  private func sound(_ name: String, _ samples: [Float]) throws -> String {
    let path = "\(sandbox.directory)/\(name)"
    var writer = try SoundFileWriter(
      path: path, format: try SoundFormat(sampleRate: 48000, channels: 1).adapted(to: path))
    try writer.write(samples)
    try writer.finish()
    return path
  }

  private static let tone = (0..<96000).map { index -> Float in
    let t = Float(index) / 48000
    return 0.2 * sin(900 * t) * max(0, sin(15 * t)) + 0.1 * sin(2300 * t) * max(0, cos(11 * t))
  }
  private static let noisy = tone.enumerated().map { index, value -> Float in
    value + 0.02 * Float((index &* 7919) % 1009 - 504) / 504
  }

  @Test func `what a command reads is not replaced by what it writes`() throws {
    let folder = sandbox.directory
    let model = "\(folder)/light.tflite"
    try FileManager.default.copyItem(
      atPath: "\(Piece.root)/models/light.tflite", toPath: model)
    let sound = try sound("noise.wav", Self.noisy)
    let before = (try bytes(of: model), try bytes(of: sound))
    #expect(link(model, "\(folder)/other.csv") == 0)
    for words in [
      ["inspect", model, "--svg", model], ["debug", model, "--csv", "\(folder)/other.csv"],
      ["convert", model, "\(folder)/./light.tflite"],
      ["convert", model, sound, "--representative", sound], ["import", model, model],
      ["evaluate", model, "--against", model, "--csv", model],
    ] {
      let (status, text) = try sandbox.run(Piece.built("denoisectl"), ["model"] + words)
      #expect(status == 1, "\(words)")
      #expect(text.contains("would replace what is read"), "\(text)")
    }
    #expect(try bytes(of: model) == before.0 && bytes(of: sound) == before.1)
  }

  @Test func `a file with a name of one letter is imported, or named in one line`() throws {
    let (status, text) = try sandbox.run(
      "/bin/sh", ["-c", "cd \(sandbox.directory) && \(Piece.built("denoisectl")) model import m x"])
    #expect(status == 1)
    #expect(text == "denoisectl: m: cannot be read: there is no such file\n")
  }

  @Test func `values that are allowed, and options that take what follows, are in the error`()
    throws
  {
    let set = try denoisectl("bench", "light", "--isa", "foo")
    #expect(set.status == 64)
    // The parser has other words for three values than for more.
    for name in InstructionSet.available.map(\.rawValue) {
      #expect(set.output.contains(name), "\(set.output)")
    }
    let order = try denoisectl("model", "convert", "--representative", "a.wav", "in", "out")
    #expect(order.status == 64)
    #expect(order.output.contains("put the other files before it"), "\(order.output)")
  }

  @Test func `sound calibrates a denoiser, the same bytes in every instruction set`() throws {
    let sound = try sound("noise.wav", Self.noisy)
    let first = "\(sandbox.directory)/scalar.tflite"
    for instructionSet in InstructionSet.available {
      let out = "\(sandbox.directory)/\(instructionSet).tflite"
      let (status, text) = try sandbox.run(
        Piece.built("denoisectl"),
        [
          "model", "convert", "\(Piece.root)/models/light.tflite", out, "--optimize", "latency",
          "--runs", "60", "--representative", sound,
        ], environment: ["QDENOISE_ISA": instructionSet.rawValue])
      try #require(status == 0, "\(text)")
      let isSame = FileManager.default.contentsEqual(atPath: first, andPath: out)
      #expect(isSame, "\(instructionSet)")
    }
    let (_, report) = try denoisectl("model", "inspect", first)
    #expect(report.contains("full int8"))
    #expect(report.contains("runs here    yes"))
    let (status, table) = try denoisectl(
      "model", "evaluate", first, "--against", "\(Piece.root)/models/light.tflite", "--samples",
      sound)
    #expect(status == 0 && table.contains("gains"), "\(table)")
  }

  @Test func `a denoiser of nothing but integers denoises`() throws {
    let sound = try sound("noise.wav", Self.noisy)
    let (model, out) = ("\(sandbox.directory)/integers.tflite", "\(sandbox.directory)/out.wav")
    let (status, text) = try denoisectl(
      "model", "convert", "\(Piece.root)/models/light.tflite", model, "--int8-only",
      "--runs", "150", "--representative", sound)
    try #require(status == 0, "\(text)")
    let (_, report) = try denoisectl("model", "inspect", model)
    #expect(report.contains("full int8") && report.contains("runs here    yes"), "\(report)")
    func energy(_ model: String) throws -> (sound: Float, error: Float) {
      let (status, text) = try denoisectl("process", "--model", model, sound, out)
      try #require(status == 0, "\(text)")
      var reader = try SoundFileReader(path: out)
      let samples = try reader.read(Self.noisy.count)
      try #require(samples.count == Self.noisy.count)
      return zip(samples, Self.tone).reduce(into: (0, 0)) { sums, pair in
        sums.sound += pair.0 * pair.0
        sums.error += (pair.0 - pair.1) * (pair.0 - pair.1)
      }
    }
    let (integers, floats) = (try energy(model), try energy("\(Piece.root)/models/light.tflite"))
    #expect(integers.sound > 0.3 * floats.sound, "\(integers) \(floats)")
    #expect(integers.sound < 3 * floats.sound, "\(integers) \(floats)")
    let (checked, table) = try denoisectl(
      "model", "evaluate", model, "--against", "\(Piece.root)/models/light.tflite", "--samples",
      sound)
    #expect(checked == 0 && table.contains("gains"), "\(table)")
  }

  @Test func `without data to calibrate with there is no file`() throws {
    let out = "\(sandbox.directory)/out.tflite"
    for (words, complaint) in [
      (["--optimize", "latency"], "give --representative FILES"),
      (["--int8-only", "--representative", "/nowhere.npy"], "/nowhere.npy: cannot be read"),
      (["--int8-only", "--representative", "/nowhere.wav"], "/nowhere.wav"),
    ] {
      let (status, text) = try sandbox.run(
        Piece.built("denoisectl"), ["model", "convert", "light", out] + words)
      #expect(status != 0)
      #expect(text.contains(complaint), "\(text)")
      #expect(!FileManager.default.fileExists(atPath: out))
    }
  }

  @Test func `a node without an integer form is named, and there is no file`() throws {
    let out = "\(sandbox.directory)/out.tflite"
    let samples = try array("x.npy", "(1, 40)", (0..<40).map { sin(Float($0)) })
    let (imported, text) = try denoisectl(
      "model", "import", "\(Piece.root)/Tests/Fixtures/onnx/dense.onnx",
      "\(sandbox.directory)/dense.tflite", "--shape", "input_0=2,20")
    try #require(imported == 0, "\(text)")
    let rows = try array("rows.npy", "(2, 20)", (0..<40).map { sin(Float($0)) })
    let (status, report) = try denoisectl(
      "model", "convert", "\(sandbox.directory)/dense.tflite", out, "--int16x8", "--int8-only",
      "--representative", rows)
    #expect(status == 1)
    #expect(report.contains("(PRELU, "))
    #expect(report.contains("cannot compute in integers: it has no form for int16"))
    #expect(!FileManager.default.fileExists(atPath: out))
    let (wrong, complaint) = try denoisectl(
      "model", "convert", "\(sandbox.directory)/dense.tflite", out, "--optimize", "latency",
      "--representative", samples)
    #expect(wrong == 1)
    #expect(complaint.contains("is float32 [1, 40], but input 'input_0' wants float32 [2, 20]"))
    let holes = try array(
      "nan.npy", "(2, 20)", (0..<40).map { $0 == 7 ? .nan : sin(Float($0)) })
    let (lost, reason) = try denoisectl(
      "model", "convert", "\(sandbox.directory)/dense.tflite", out, "--optimize", "latency",
      "--representative", holes)
    #expect(lost == 1)
    #expect(reason.contains("'input_0' has values that are NaN or infinite"), "\(reason)")
    #expect(!FileManager.default.fileExists(atPath: out))
  }

  @Test func `an import that fails names the node and leaves no file`() throws {
    let out = "\(sandbox.directory)/out.tflite"
    let damaged = "\(sandbox.directory)/damaged.onnx"
    let whole = try Data(
      contentsOf: URL(filePath: "\(Piece.root)/Tests/Fixtures/onnx/image.onnx"))
    try whole.prefix(900).write(to: URL(filePath: damaged))
    let (status, text) = try denoisectl("model", "import", damaged, out)
    #expect(status == 1)
    #expect(text.contains("truncated or damaged"), "\(text)")
    #expect(!FileManager.default.fileExists(atPath: out))
  }

  @Test func `a denoiser is scored on pairs`() throws {
    for folder in ["noisy", "clean"] {
      try FileManager.default.createDirectory(
        atPath: "\(sandbox.directory)/\(folder)", withIntermediateDirectories: false)
    }
    _ = try sound("noisy/a.wav", Self.noisy)
    _ = try sound("clean/a.wav", Self.tone)
    let table = "\(sandbox.directory)/table.csv"
    let (status, text) = try denoisectl(
      "model", "evaluate", "light", "--pairs", sandbox.directory, "--csv", table)
    try #require(status == 0, "\(text)")
    #expect(text.contains("1 pairs"))
    let lines = try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 2)
    let numbers = lines[1].split(separator: ",").dropFirst().compactMap { Double($0) }
    #expect(numbers.count == 6)
    // What the noise of this pair is worth, by the definition of the ratio.
    let power = Self.tone.reduce(0.0) { $0 + Double($1 * $1) }
    let rest = zip(Self.noisy, Self.tone).reduce(0.0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
    #expect(abs(numbers[0] - 10 * log10(power / rest)) < 0.3)
    let (empty, complaint) = try denoisectl(
      "model", "evaluate", "light", "--pairs", "\(sandbox.directory)/clean")
    #expect(empty == 1 && complaint.contains("there are no pairs in it"))
  }

  @Test func `a graph is drawn with all of its operators`() throws {
    let path = "\(sandbox.directory)/light.svg"
    let (status, text) = try denoisectl("model", "inspect", "light", "--svg", path)
    try #require(status == 0, "\(text)")
    let svg = try String(contentsOfFile: path, encoding: .utf8)
    #expect(svg.hasPrefix("<svg ") && svg.hasSuffix("</svg>\n"))
    let operators = try #require(text.firstMatch(of: #/: (\d+) operators/#)?.1)
    let edges = try #require(text.firstMatch(of: #/(\d+) states/#)?.1)
    // Inputs and outputs have boxes too, and the picture a background.
    let boxes = Int(operators)! + 2 * Int(edges)! + 1 + 3 + 1
    #expect(svg.matches(of: #/<rect /#).count == boxes)
    #expect(svg.contains(">FULLY_CONNECTED<"))
  }
}
