import AudioHost
import Denoise
import Engine
import Foundation
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

  @Test func `a network of 16 kHz runs at 48 kHz without resampling`() throws {
    let model = try Model(try Self.graph("gtcrn"))
    #expect((model.sampleRate, model.hop, model.window) == (48000, 768, 1536))
    #expect(model.latency == 768)
    #expect(Crossover.fits(model.hop, 480) && Crossover.fits(model.hop, 240))
  }

  /// The peer sees the whole recording at once, or resamples it, and is run by onnxruntime.
  @Test(arguments: ["deepfilternet3", "deepfilternet2-ll", "gtcrn"])
  func `hop by hop it gives what the peer gives for the whole`(option: String) throws {
    let model = try Model(try Self.graph(option))
    let folder = try Self.sandbox()
    defer { try? FileManager.default.removeItem(at: folder) }
    let noisy = folder.appending(path: "noisy.wav").path()
    let sound = Self.sound
    var writer = try SoundFileWriter(
      path: noisy, format: SoundFormat(sampleRate: 48000, channels: 1))
    try writer.write(sound)
    try writer.finish()
    let peer = folder.appending(path: "peer.wav").path()
    let process = Process()
    process.executableURL = URL(filePath: "/usr/bin/env")
    process.arguments = [
      "python3", Self.scoring.appending(path: "peers.py").path(), Self.folders[option] ?? "", noisy,
      peer,
    ]
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      try Piece.skip("Python's onnxruntime, soundfile or DeepFilterLib is not installed")
    }
    var reader = try SoundFileReader(path: peer)
    let wanted = try reader.read(sound.count)
    var denoiser = try ChannelDenoiser(
      model, sampleRate: 48000, mode: .strong, lowCut: false, keepsDelay: true)
    var found: [Float] = []
    denoiser.process(sound, into: &found)
    denoiser.finish(into: &found)
    let (signal, error) = zip(wanted, found).reduce((0.0, 0.0)) { sums, pair in
      let distance = Double(pair.0 - pair.1)
      return (sums.0 + Double(pair.0 * pair.0), sums.1 + distance * distance)
    }
    let worst = zip(wanted, found).reduce(Float(0)) { max($0, abs($1.0 - $1.1)) }
    print("\(option): \(10 * log10(signal / error)) dB, worst \(worst)")
    #expect(10 * log10(signal / error) >= 40)
    // Resampling alone is further away.
    if model.hop == 480 { #expect(worst <= 1e-4) }
  }

  /// Three seconds of harmonics that come and go, in seeded noise below 6.5 kHz.
  private static let sound: [Float] = {
    var state: UInt64 = 88_172_645_463_325_252
    func random() -> Double {
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      return Double(state >> 11) / Double(1 << 53)
    }
    let tones = (0..<100).map { _ in (frequency: 50 + 6450 * random(), phase: random()) }
    return (0..<144_000).map { index in
      let noise = tones.reduce(Float(0)) { sum, tone in
        sum + 0.1 * Float(sin(2 * .pi * (tone.frequency * Double(index) / 48000 + tone.phase)))
      }
      let time = Double(index) / 48000
      let voice = (1...20).reduce(0.0) { $0 + sin(2 * .pi * 140 * Double($1) * time) / Double($1) }
      return Float(0.1 * voice * max(0, sin(2 * .pi * 1.5 * time))) + 0.02 * noise
    }
  }()

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
