import QDAudioHost
import QDEngine
import Foundation
import QDTFLite
import TestSupport
import Testing

/// `denoisectl bench` and `denoisectl model run` on real files.
struct NetworkCommandTests {
  let sandbox: Sandbox

  init() throws { sandbox = try Sandbox("network") }

  private static let fixtures = "\(Piece.root)/Tests/Fixtures"

  private struct Report: Decodable {
    struct Timed: Decodable {
      var index: Int
      var name: String
      var us: Double
    }
    var min_us: Double
    var median_us: Double
    var p99_us: Double
    var runs_per_batch: Int
    var instruction_set: String
    var arena_bytes: Int
    var ready_us: Double
    var load_us: Double
    var weights: String
    var operators: [Timed]
  }

  @Test func `bench prints times, operators, arena and instruction set as JSON`() throws {
    let (status, output) = try sandbox.run(
      Piece.built("denoisectl"),
      [
        "bench", "\(Self.fixtures)/denoisers/streaming_int8.tflite", "--json", "--isa", "scalar",
        "--seconds", "0.3",
      ])
    try #require(status == 0, "\(output)")
    let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
    #expect(0 < report.min_us && report.min_us <= report.median_us)
    #expect(report.median_us <= report.p99_us)
    #expect(report.instruction_set == "scalar")
    #expect(report.arena_bytes > 0)
    #expect(Double(report.runs_per_batch) * report.p99_us >= 1e5)
    #expect(report.operators.map(\.index) == report.operators.map(\.index).sorted())
    #expect(report.operators.contains { $0.name == "FULLY_CONNECTED" && $0.us > 0 })
  }

  private struct HopReport: Decodable {
    struct Times: Decodable {
      var min_us: Double
      var median_us: Double
    }
    var hop_ms: Double
    var hops: Int
    var whole: Times
    var analysis: Times
    var network: Times
    var synthesis: Times
  }

  @Test(arguments: [("full", 10.0), ("low_latency", 5)])
  func `bench of whole hops says what each stage takes`(model: String, milliseconds: Double) throws
  {
    let sound = "\(sandbox.directory)/in.wav"
    var writer = try SoundFileWriter(
      path: sound, format: try SoundFormat(sampleRate: 48000, channels: 1).adapted(to: sound))
    try writer.write((0..<48000).map { 0.1 * sinf(Float($0 % 977)) })
    try writer.finish()
    let words = ["bench", "--hop", sound, "--json", "--seconds", "0.2"]
    let (status, output) = try sandbox.run(
      Piece.built("denoisectl"), words + [Piece.fixture("denoisers/denoiser_\(model)")])
    try #require(status == 0, "\(output)")
    let report = try JSONDecoder().decode(HopReport.self, from: Data(output.utf8))
    #expect(report.hop_ms == milliseconds)
    #expect(report.hops >= 100)
    #expect(0 < report.whole.min_us && report.whole.min_us <= report.whole.median_us)
    // The network of the fixture is next to nothing, the two transforms are most of the hop.
    #expect(report.network.median_us > 0)
    #expect(report.analysis.min_us + report.synthesis.min_us < report.whole.median_us)
  }

  /// A .npy file of floats, as NumPy 1 and 2 write it.
  private func array(_ shape: String, _ values: [Float]) -> Data {
    var header = "{'descr': '<f4', 'fortran_order': False, 'shape': \(shape), }"
    header += String(repeating: " ", count: 117 - header.count) + "\n"
    var data = Data([0x93] + Array("NUMPY".utf8) + [1, 0, 118, 0] + Array(header.utf8))
    for value in values { withUnsafeBytes(of: value) { data.append(contentsOf: $0) } }
    return data
  }

  @Test func `a model runs on NumPy arrays and gives what LiteRT gave`() throws {
    // The golden file: the number of runs, then the first run's 5 by 33 inputs and 37 outputs.
    let golden = try Data(
      contentsOf: URL(filePath: "\(Self.fixtures)/operators/fc_awkward_int8.golden"))
    let words = golden.dropFirst(4).withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
    let folder = URL(filePath: sandbox.directory)
    let x = folder.appending(path: "x.npy")
    try array("(1, 5, 33)", Array(words[..<165])).write(to: x)
    let output = folder.appending(path: "made/outputs")
    let (status, text) = try sandbox.run(
      Piece.built("denoisectl"),
      [
        "model", "run", "\(Self.fixtures)/operators/fc_awkward_int8.tflite", "--input",
        "x=\(x.path())",
        "--output-dir", output.path(),
      ])
    try #require(status == 0, "\(text)")
    let y = try Data(contentsOf: output.appending(path: "0_y.npy"))
    let expected = array("(1, 5, 37)", Array(words[165..<350]))
    #expect(y.suffix(185 * 4) == expected.suffix(185 * 4))
    #expect(String(decoding: y.prefix(128), as: UTF8.self).contains("'shape': (1, 5, 37,)"))
  }

  /// A file of a layer of 5 MB.
  private func largeModel() throws -> String {
    var graph = Graph(
      name: "large",
      tensors: [
        Tensor(name: "x", shape: [1, 1200], type: .float32),
        Tensor(
          name: "w", shape: [1100, 1200],
          values: (0..<1100 * 1200).map { Float($0 * 7919 % 2001) / 1000 - 1 }),
        Tensor(name: "y", shape: [1, 1100], type: .float32),
      ])
    graph.operators = [
      Operator(.fullyConnected(.none, keepsDimensions: false), inputs: [0, 1], outputs: [2])
    ]
    (graph.inputs, graph.outputs) = ([0], [2])
    let path = "\(sandbox.directory)/large.tflite"
    try Data(try TFLiteFile.write(graph)).write(to: URL(filePath: path))
    return path
  }

  @Test func `weights of a large model are mapped the second time`() throws {
    let model = try largeModel()
    func weights(_ options: String...) throws -> String {
      let (status, output) = try sandbox.run(
        Piece.built("denoisectl"), ["bench", model, "--json", "--seconds", "0.1"] + options)
      try #require(status == 0, "\(output)")
      let report = try JSONDecoder().decode(Report.self, from: Data(output.utf8))
      #expect(0 < report.ready_us && report.ready_us < report.load_us)
      return report.weights
    }
    let folder = "\(sandbox.directory)/home/.cache/qdenoise"
    #expect(try weights("--no-cache") == "weights packed, not cached")
    #expect(!FileManager.default.fileExists(atPath: folder))
    #expect(try weights().hasPrefix("weights packed and written to \(folder)/"))
    #expect(try weights().hasPrefix("weights mapped from \(folder)/"))
    #expect(try weights("--isa", "scalar").hasPrefix("weights packed and written to \(folder)/"))
  }

  @Test func `processes that load a model at once have the same results`() throws {
    let model = try largeModel()
    let x = "\(sandbox.directory)/x.npy"
    try array("(1, 1200)", (0..<1200).map { Float($0) / 600 - 1 }).write(to: URL(filePath: x))
    let names = ["plain", "a", "b", "c", "d"]
    let children = try names.map { name in
      try sandbox.start(
        Piece.built("denoisectl"),
        [
          "model", "run", model, "--input", "x=\(x)", "--output-dir",
          "\(sandbox.directory)/\(name)",
        ]
          + (name == "plain" ? ["--no-cache"] : ["--verbose"]), log: name)
    }
    for child in children { #expect(child.wait(seconds: 60) == 0, "\(child.output)") }
    #expect(children[0].output == "")
    for child in children.dropFirst() { #expect(child.output.contains(": weights ")) }
    let results = try names.map {
      try Data(contentsOf: URL(filePath: "\(sandbox.directory)/\($0)/0_y.npy"))
    }
    #expect(Set(results).count == 1)
    let folder = "\(sandbox.directory)/home/.cache/qdenoise"
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
  }

  @Test func `inputs that are missing or do not fit are named`() throws {
    let x = "\(sandbox.directory)/wrong.npy"
    try array("(2,)", [1, 2]).write(to: URL(filePath: x))
    let model = "\(Self.fixtures)/operators/fc_awkward_int8.tflite"
    for (input, complaint) in [
      ("x=\(x)", "is float32 [2], but input 'x' wants float32 [1, 5, 33]; convert it"),
      ("q=\(x)", "there is no input 'q'; there is 'x'"),
      ("x=\(model)", "is not a .npy file; write it with numpy.save"),
    ] {
      let (status, text) = try sandbox.run(
        Piece.built("denoisectl"),
        ["model", "run", model, "--input", input, "--output-dir", sandbox.directory])
      #expect(status == 1)
      #expect(text.contains(complaint), "\(text)")
      #expect(text.count(where: \.isNewline) == 1)
    }
  }
}
