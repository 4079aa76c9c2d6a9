import QDAudioHost
import CAllocationCount
import QDDenoise
import QDEngine
import Foundation
import QDTFLite
import TestSupport
import Testing
import denoisectl

/// Denoisers of other people. Their files lie beside the checkout, where `peers.py` runs them with
/// onnxruntime; where they are missing, the tests are skipped.
struct ForeignDenoiserTests {
  private static let scoring = URL(filePath: Piece.root).deletingLastPathComponent().appending(
    path: "shared/tools/scoring")

  private static let folders = [
    "deepfilternet3": "dfn3", "deepfilternet2-ll": "dfn2_ll", "gtcrn": "gtcrn", "ul-unas": "ulunas",
    "dtln": "dtln",
  ]

  private static func files(_ option: String) throws -> String {
    let folder = scoring.appending(path: "models/\(folders[option] ?? option)").path()
    guard FileManager.default.fileExists(atPath: folder) else {
      try Piece.skip("\(folder) is not there")
    }
    return folder
  }

  private static func graph(_ option: String) throws -> Graph {
    let row = try #require(ForeignDenoiser.all.first { $0.option == option })
    return try row.graph(try DenoiserFiles(try files(option)), name: option)
  }

  private static func sandbox() throws -> URL {
    let folder = FileManager.default.temporaryDirectory.appending(
      path: "qdenoise-foreign-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    return folder
  }

  @Test(arguments: ["deepfilternet3", "deepfilternet2-ll"])
  func `a joined denoiser says what it is`(option: String) throws {
    let model = try Model(try Self.graph(option))
    #expect(model.kind == .imported)
    #expect((model.sampleRate, model.hop, model.window) == (48000, 480, 960))
    #expect(model.lookAhead == (option == "deepfilternet3" ? 2 : 0))
    #expect(
      model.bandEdges == [
        0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 31, 36, 43, 50, 58, 68, 80, 93, 108, 126,
        146, 170, 198, 229, 266, 308, 358, 414, 481,
      ])
    #expect(model.licence?.contains("MIT or Apache-2.0") == true)
  }

  @Test(arguments: [("gtcrn", 768, 768 + 240), ("ul-unas", 768, 768 + 768), ("dtln", 384, 1392)])
  func `a network of 16 kHz is one of 48 kHz`(option: String, hop: Int, latency: Int) throws {
    let model = try Model(try Self.graph(option))
    #expect((model.sampleRate, model.hop, model.window) == (48000, hop, 1536))
    #expect(model.latency == latency)
    #expect(Crossover.fits(model.hop, 480) && Crossover.fits(model.hop, 240))
    #expect(model.frontEnd.decimation?.above == .follows)
    #expect(model.licence?.hasPrefix("MIT, Copyright") == true)
    let row = try #require(ForeignDenoiser.all.first { $0.option == option })
    let silent = try row.graph(
      try DenoiserFiles(try Self.files(option)), name: option, above: .silent)
    #expect(try Model(silent).frontEnd.decimation?.above == .silent)
  }

  /// The peer sees the whole recording at once, or resamples it, and is run by onnxruntime or LiteRT.
  @Test(arguments: [
    ("deepfilternet3", 48000), ("deepfilternet2-ll", 48000), ("gtcrn", 48000), ("gtcrn", 16000),
    ("ul-unas", 16000), ("dtln", 48000), ("dtln", 16000),
  ])
  func `hop by hop it gives what the peer gives for the whole`(
    option: String, sampleRate: Int
  ) throws {
    let model = try Model(try Self.graph(option))
    // The peer's resampling has no delay. Ours hears as much less of a first hop of silence, so that the hops
    // of both are the same.
    let ahead = sampleRate == model.sampleRate ? model.decimationDelay / 2 : 0
    let sound =
      Array(repeating: 0, count: ahead > 0 ? model.hop : 0)
      + Self.sound(sampleRate, floor: option == "ul-unas" ? 0.003 : 0)
    let wanted = try Self.peer(option, sound, sampleRate)
    var denoiser = try ChannelDenoiser(
      model, sampleRate: sampleRate, mode: .strong, lowCut: false, keepsDelay: true)
    var found: [Float] = []
    denoiser.process(sound.dropFirst(ahead), into: &found)
    denoiser.finish(into: &found)
    found.removeFirst(ahead)
    let worst = zip(wanted, found).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
    let ratio = Self.decibels(wanted, found)
    print("\(option) at \(sampleRate) Hz: \(ratio) dB, worst \(worst)")
    #expect(ratio >= 40)
    // Resampling alone is further away.
    if sampleRate == 16000 || model.decimationDelay == 0 { #expect(worst <= 1e-4) }
  }

  /// What the peer makes of a sound.
  private static func peer(_ option: String, _ sound: [Float], _ sampleRate: Int) throws -> [Float]
  {
    let folder = try sandbox()
    defer { try? FileManager.default.removeItem(at: folder) }
    let noisy = folder.appending(path: "noisy.wav").path()
    try write(sound, sampleRate, to: noisy)
    let peer = folder.appending(path: "peer.wav").path()
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", scoring.appending(path: "peers.py").path(), folders[option] ?? "", noisy, peer,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      try Piece.skip(
        "Python's onnxruntime, ai-edge-litert, soundfile, soxr or DeepFilterLib is not installed")
    }
    var reader = try SoundFileReader(path: peer)
    return try reader.read(sound.count)
  }

  @Test func `layers that hold a transform have names to keep them float by`() throws {
    let graph = try Self.graph("dtln")
    for name in ["2/analysis", "2/synthesis"] {
      let node = graph.operators.first { graph.tensors[$0.outputs[0]].name == name }
      #expect(node?.inputs[1].map { graph.tensors[$0].shape.contains(514) } == true, "\(name)")
    }
  }

  /// In int8 these two would leave 8 bits to the whole range of a spectrum.
  @Test(arguments: [[], ["--representative"]])
  func `layers that hold a transform stay float without being named`(options: [String]) throws {
    let folder = try Self.sandbox()
    defer { try? FileManager.default.removeItem(at: folder) }
    let (whole, small) = (
      folder.appending(path: "f32.tflite").path(), folder.path() + "/int8.tflite"
    )
    let graph = try Self.graph("dtln")
    try Data(try TFLiteFile.write(graph)).write(to: URL(filePath: whole))
    let sound = folder.appending(path: "sound.wav").path()
    try Self.write(Self.sound(48000), 48000, to: sound)
    let words = ["model", "convert", whole, small] + options + (options.isEmpty ? [] : [sound])
    let (status, text) = try Sandbox().run(Piece.built("denoisectl"), words)
    try #require(status == 0, "\(text)")
    let converted = try TFLiteFile.read(
      [UInt8](Data(contentsOf: URL(filePath: small))), name: small)
    for name in ["2/analysis", "2/synthesis"] {
      let node = converted.operators.first { converted.tensors[$0.outputs[0]].name == name }
      let weights = try #require(node?.inputs[1])
      #expect(converted.tensors[weights].type == .float32, "\(name)")
    }
    guard options.isEmpty else { return }
    let (found, wanted) = (try Self.denoised(converted), try Self.denoised(graph))
    let ratio = Self.decibels(wanted, found)
    print("dtln in int8: \(ratio) dB")
    #expect(ratio > 30)
  }

  /// The level of a sound over that of another one's distance from it.
  private static func decibels(_ wanted: [Float], _ found: [Float]) -> Double {
    let (signal, error) = zip(wanted, found).reduce((0.0, 0.0)) { sums, pair in
      let distance = Double(pair.0 - pair.1)
      return (sums.0 + Double(pair.0 * pair.0), sums.1 + distance * distance)
    }
    return 10 * log10(signal / error)
  }

  private static func write(_ sound: [Float], _ sampleRate: Int, to path: String) throws {
    var writer = try SoundFileWriter(
      path: path, format: SoundFormat(sampleRate: sampleRate, channels: 1))
    try writer.write(sound)
    try writer.finish()
  }

  private static func denoised(_ graph: Graph) throws -> [Float] {
    var denoiser = try ChannelDenoiser(try Model(graph), sampleRate: 48000, mode: .strong)
    var found: [Float] = []
    denoiser.process(sound(48000)[...], into: &found)
    denoiser.finish(into: &found)
    return found
  }

  @Test(arguments: ["deepfilternet3", "dtln"])
  func `a hop of it allocates nothing`(option: String) throws {
    let model = try Model(try Self.graph(option))
    let sound = Self.sound(48000)
    var denoiser = try Denoiser(model, mode: .strong)
    var output = [Float](repeating: 0, count: model.hop)
    let before = allocation_count()
    sound.withUnsafeBufferPointer { sound in
      output.withUnsafeMutableBufferPointer { output in
        for start in stride(from: 0, to: 50 * model.hop, by: model.hop) {
          denoiser.process(sound.baseAddress! + start, output.baseAddress!)
        }
      }
    }
    #expect(allocation_count() == before)
    #expect(denoiser.faults == 0)
  }

  /// Three seconds of harmonics that come and go, in seeded noise below 6.5 kHz.
  /// - Parameter floor: of noise in all of the band. Logarithms of nothing are another matter.
  private static func sound(_ sampleRate: Int, floor: Double = 0) -> [Float] {
    var state: UInt64 = 88_172_645_463_325_252
    func random() -> Double {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Double(state >> 11) / Double(1 << 53)
    }
    let tones = (0..<100).map { _ in (frequency: 50 + 6450 * random(), phase: random()) }
    return (0..<3 * sampleRate).map { index in
      let time = Double(index) / Double(sampleRate)
      let noise = tones.reduce(Float(0)) { sum, tone in
        sum + 0.1 * Float(sin(2 * .pi * (tone.frequency * time + tone.phase)))
      }
      let voice = (1...20).reduce(0.0) { $0 + sin(2 * .pi * 140 * Double($1) * time) / Double($1) }
      let hiss = floor > 0 ? floor * (2 * random() - 1) : 0
      return Float(0.1 * voice * max(0, sin(2 * .pi * 1.5 * time)) + hiss) + 0.02 * noise
    }
  }

  // MARK: What cannot be

  @Test func `a folder that lacks a file names it`() throws {
    let folder = try Self.sandbox()
    defer { try? FileManager.default.removeItem(at: folder) }
    let row = try #require(ForeignDenoiser.all.first { $0.option == "deepfilternet3" })
    try Data(ONNXBytes.empty).write(to: folder.appending(path: "enc.onnx"))
    let error = #expect(throws: ForeignDenoiserError.self) {
      try row.graph(try DenoiserFiles(folder.path()), name: "x")
    }
    #expect(error?.description.contains("there is no erb_dec.onnx") == true)
  }

  @Test func `the configuration of another version is refused`() throws {
    let folder = try Self.sandbox()
    defer { try? FileManager.default.removeItem(at: folder) }
    let row = try #require(ForeignDenoiser.all.first { $0.option == "deepfilternet3" })
    try Data("[train]\nmodel = deepfilternet2\n[df]\nsr = 48000\n".utf8)
      .write(to: folder.appending(path: "config.ini"))
    let error = #expect(throws: ForeignDenoiserError.self) {
      try row.graph(try DenoiserFiles(folder.path()), name: "x")
    }
    #expect(error?.description.contains("train.model is deepfilternet2") == true)
  }

  @Test func `the files of a form with look-ahead are no low-latency ones`() throws {
    let folder = try Self.sandbox()
    defer { try? FileManager.default.removeItem(at: folder) }
    let row = try #require(ForeignDenoiser.all.first { $0.option == "deepfilternet2-ll" })
    try Data("[train]\nmodel = deepfilternet2\n[deepfilternet]\nconv_lookahead = 2\n".utf8)
      .write(to: folder.appending(path: "config.ini"))
    let error = #expect(throws: ForeignDenoiserError.self) {
      try row.graph(try DenoiserFiles(folder.path()), name: "x")
    }
    #expect(error?.description.contains("deepfilternet.conv_lookahead is 2") == true)
  }

  @Test func `an operator that there is not ends the import in one line`() throws {
    let row = try #require(ForeignDenoiser.all.first { $0.option == "gtcrn" })
    let folder = try Self.sandbox()
    defer { try? FileManager.default.removeItem(at: folder) }
    var bytes = Array(
      try Data(
        contentsOf: URL(filePath: try Self.files("gtcrn")).appending(path: "gtcrn_simple.onnx")))
    // Field 4 of a node is its type.
    let type = [0x22, 7] + Array("Sigmoid".utf8)
    let found = try #require(
      bytes.indices.dropLast(9).first { Array(bytes[$0..<$0 + 9]) == type })
    bytes.replaceSubrange(found + 2..<found + 9, with: Array("Sigmund".utf8))
    try Data(bytes).write(to: folder.appending(path: "gtcrn_simple.onnx"))
    let error = #expect(throws: (any Error).self) {
      try row.graph(try DenoiserFiles(folder.path()), name: "x")
    }
    let text = error.map { "\($0)" } ?? ""
    #expect(text.contains("Sigmund") && !text.contains("\n"), "\(text)")
  }

  @Test func `stages of another width are refused`() throws {
    let folder = try Self.sandbox()
    defer { try? FileManager.default.removeItem(at: folder) }
    let row = try #require(ForeignDenoiser.all.first { $0.option == "dtln" })
    let files = URL(filePath: try Self.files("dtln"))
    for (name, other) in [("model_1", "model_2"), ("model_2", "model_1")] {
      try FileManager.default.copyItem(
        at: files.appending(path: "\(other).tflite"), to: folder.appending(path: "\(name).tflite"))
    }
    let error = #expect(throws: ForeignDenoiserError.self) {
      try row.graph(try DenoiserFiles(folder.path()), name: "x")
    }
    #expect(error?.description.contains("choose the files that --denoiser is for") == true)
  }

  @Test func `the files of another version are refused`() throws {
    let row = try #require(ForeignDenoiser.all.first { $0.option == "deepfilternet3" })
    let files = try DenoiserFiles(try Self.files("deepfilternet2-ll"))
    let error = #expect(throws: ForeignDenoiserError.self) { try row.graph(files, name: "x") }
    #expect(error?.description.contains("choose another --denoiser") == true)
  }

  @Test func `an archive is read like a folder`() throws {
    let folder = try Self.sandbox()
    defer { try? FileManager.default.removeItem(at: folder) }
    let text = String(repeating: "sr = 48000\nfft_size = 960\n", count: 500)
    try Data(text.utf8).write(to: folder.appending(path: "config.ini"))
    for (flag, name) in [("-czf", "a.tar.gz"), ("-cf", "a.tar")] {
      let process = Process()
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = [
        "tar", flag, folder.appending(path: name).path(), "-C", folder.path(), "./config.ini",
      ]
      try process.run()
      process.waitUntilExit()
      let files = try DenoiserFiles(folder.appending(path: name).path())
      #expect(files.bytes("config.ini").map { String(decoding: $0, as: UTF8.self) } == text)
    }
    // Damaged anywhere, it is an error and no crash.
    let whole = Array(try Data(contentsOf: folder.appending(path: "a.tar.gz")))
    for place in whole.indices {
      var bytes = whole
      bytes[place] ^= 0x55
      _ = try? Inflate.gunzip(bytes, atMost: 1 << 20)
      _ = try? Inflate.gunzip(Array(whole[..<place]), atMost: 1 << 20)
    }
  }
}

private enum ONNXBytes {
  /// A model without nodes.
  static let empty: [UInt8] = [7 << 3 | 2, 0, 8 << 3 | 2, 2, 2 << 3, 12]
}
