import AudioHost
import Foundation
import TestSupport
import Testing

/// The real `denoisectl` on real files; it needs no daemon.
struct ProcessTests {
  let sandbox: Sandbox

  init() throws { sandbox = try Sandbox("process") }

  private func file(_ name: String) -> String { "\(sandbox.directory)/\(name)" }

  @discardableResult
  private func denoisectl(_ words: String...) throws -> (status: Int32, output: String) {
    try sandbox.run(Piece.built("denoisectl"), words)
  }

  private func store(
    _ samples: [Float], as name: String, sampleRate: Int = 48000, channels: Int = 1
  ) throws {
    var writer = try SoundFileWriter(
      path: file(name),
      format: try SoundFormat(sampleRate: sampleRate, channels: channels).adapted(to: name))
    try writer.write(samples)
    try writer.finish()
  }

  private func load(_ name: String) throws -> (samples: [Float], format: SoundFormat) {
    var reader = try SoundFileReader(path: file(name))
    var samples: [Float] = []
    while true {
      let piece = try reader.read(4096)
      if piece.isEmpty { return (samples, reader.format) }
      samples += piece
    }
  }

  /// Steady hiss, the same in every run.
  private func hiss(_ count: Int) -> [Float] {
    var state: UInt32 = 1
    return (0..<count).map { _ in
      state = state &* 1_664_525 &+ 1_013_904_223
      return (Float(state >> 8) / Float(1 << 24) - 0.5) * 0.1
    }
  }

  private func level(_ samples: some Collection<Float>) -> Float {
    10 * log10(samples.reduce(1e-20) { $0 + $1 * $1 } / Float(max(samples.count, 1)))
  }

  @Test func `hiss is taken away, to the limit of the mode`() throws {
    let input = hiss(3 * 48000)
    try store(input, as: "in.wav")
    for (mode, limit) in [("light", Float(12)), ("standard", 24)] {
      #expect(
        try denoisectl(
          "process", "--mode", mode, "--model", "light", file("in.wav"), file("out.wav")
        ).status == 0)
      let output = try load("out.wav").samples
      #expect(output.count == input.count)
      let attenuation = level(input.suffix(48000)) - level(output.suffix(48000))
      #expect(attenuation > 8 && attenuation < limit + 0.1, "\(mode)")
    }
  }

  @Test(arguments: [(8000, 5), (44100, 2), (96000, 1)])
  func `length, rate and channels stay`(sampleRate: Int, channels: Int) throws {
    try store(hiss(12_345 * channels), as: "in.wav", sampleRate: sampleRate, channels: channels)
    #expect(
      try denoisectl("process", "--model", "light", file("in.wav"), file("out.wav")).status == 0)
    let (samples, format) = try load("out.wav")
    #expect(samples.count == 12_345 * channels)
    #expect((format.sampleRate, format.channels) == (sampleRate, channels))
  }

  @Test func `a model that no denoiser can be made of is one error, however many channels`() throws
  {
    try store(hiss(4800 * 3), as: "in.wav", channels: 3)
    var model = try bytes(of: Piece.fixture("denoiser_full"))
    // A state that the network does not have: found as late as when the denoiser is made.
    let text = String(decoding: model, as: Unicode.ASCII.self)
    let start = try #require(text.firstRange(of: "\"sample_rate\": 48000")).lowerBound
    let end = try #require(text.firstRange(of: "\"states\": []")).upperBound
    let rest = text[start..<end].replacing(": ", with: ":").replacing(", ", with: ",")
      .replacing("[]", with: "[[\"a\",\"b\"]]")
    let place = text.distance(from: text.startIndex, to: start)
    let length = text.distance(from: start, to: end)
    model.replaceSubrange(
      place..<place + length,
      with: Array(rest.utf8) + [UInt8](repeating: 0x20, count: length - rest.utf8.count))
    try Data(model).write(to: URL(filePath: file("model.tflite")))
    let (status, output) = try denoisectl(
      "process", "--model", file("model.tflite"), file("in.wav"), file("out.wav"))
    #expect(status == 1, "\(output)")
    #expect(output.hasPrefix("denoisectl: ") && output.contains("'a'"), "\(output)")
    #expect(access(file("out.wav"), F_OK) != 0)
  }

  @Test func `the delay is taken out, and kept when live`() throws {
    var input = [Float](repeating: 0, count: 9600)
    input[4800] = 0.5
    try store(input, as: "in.wav")
    for (words, position) in [([], 4800), (["--live"], 4800 + 480)] as [([String], Int)] {
      let all = ["process", "--mode", "bypass", "--model", "light"] + words
      let result = try sandbox.run(
        Piece.built("denoisectl"), all + [file("in.wav"), file("out.wav")])
      #expect(result.status == 0)
      let output = try load("out.wav").samples
      #expect(output.indices.max { output[$0] < output[$1] } == position)
    }
  }

  @Test(arguments: [("full", 0.01), ("low_latency", 0.005)])
  func `the probability of speech is written hop by hop`(model: String, hop: Double) throws {
    // A second of silence, then a second of hiss, which the fixture takes for speech.
    let mono = [Float](repeating: 0, count: 48000) + hiss(48000).map { 10 * $0 }
    try store(mono, as: "in.wav")
    let fixture = Piece.fixture("denoiser_\(model)")
    let result = try denoisectl(
      "process", "--model", fixture, "--speech", file("in.csv"), file("in.wav"), file("out.wav"))
    try #require(result.status == 0, "\(result.output)")
    let lines = try String(contentsOfFile: file("in.csv"), encoding: .utf8).split(separator: "\n")
    #expect(lines[0] == "time,speech")
    let rows = lines.dropFirst().map { $0.split(separator: ",").compactMap { Double($0) } }
    #expect(rows.count == Int(2 / hop))
    #expect(zip(rows.indices, rows).allSatisfy { abs($1[0] - Double($0) * hop) < 1e-6 })
    #expect(rows.allSatisfy { $0[0] < 0.99 ? $0[1] < 0.1 : $0[0] > 1.01 ? $0[1] > 0.9 : true })
  }

  @Test func `a probability that there is not is refused before anything is done`() throws {
    try store(hiss(4800), as: "in.wav")
    let result = try denoisectl(
      "process", "--model", Piece.fixture("fc_m1_f32"), "--speech", file("in.csv"), file("in.wav"),
      file("out.wav"))
    #expect(result.status == 1)
    #expect(!FileManager.default.fileExists(atPath: file("in.csv")))
    let folder = try denoisectl(
      "process", "--model", Piece.fixture("denoiser_full"), "--speech", file("in.csv"),
      sandbox.directory, file("out"))
    #expect(folder.status == 1)
    #expect(folder.output.contains("--speech is for one file"))
  }

  @Test func `samples that are no numbers and files without samples pass`() throws {
    var input = hiss(4800)
    input[100] = .nan
    input[2000] = .infinity
    for (name, samples) in [("nan.wav", input), ("empty.wav", [])] as [(String, [Float])] {
      try store(samples, as: name)
      #expect(
        try denoisectl("process", "--model", "light", file(name), file("out.wav")).status == 0)
      let output = try load("out.wav").samples
      #expect(output.count == samples.count)
      #expect(output.allSatisfy { $0.isFinite })
    }
  }

  @Test func `a stream flows from standard input to standard output`() throws {
    try store(hiss(48000), as: "in.wav")
    let program = Piece.built("denoisectl")
    let result = try sandbox.run(
      "/bin/sh",
      ["-c", "cat \(file("in.wav")) | \(program) process --model light - - > \(file("out.wav"))"])
    #expect(result.status == 0)
    #expect(try load("out.wav").samples.count == 48000)
  }

  @Test func `a folder is denoised file by file, and one that fails does not keep the others`()
    throws
  {
    for folder in ["in", "in/sub"] {
      try FileManager.default.createDirectory(
        atPath: file(folder), withIntermediateDirectories: true)
    }
    for name in ["in/a.wav", "in/sub/b.flac", "in/sub/c.wav"] { try store(hiss(4800), as: name) }
    try Data("no sound".utf8).write(to: URL(fileURLWithPath: file("in/bad.wav")))
    let result = try denoisectl("process", "--model", "light", file("in"), file("out"))
    #expect(result.status == 1)
    #expect(result.output.contains("bad.wav: is not a sound file"))
    #expect(result.output.contains("1 of 4 files failed"))
    let made = try FileManager.default.subpathsOfDirectory(atPath: file("out")).sorted()
    #expect(made == ["a.wav", "sub", "sub/b.flac", "sub/c.wav"])
  }

  @Test func `what cannot be done is one line, exit 1, and leaves nothing`() throws {
    try store(hiss(480_000), as: "in.wav")
    // A limit on the size of files stands for a disk without room.
    let program = Piece.built("denoisectl")
    let limited = try sandbox.run(
      "/bin/sh",
      [
        "-c",
        "ulimit -f 100; exec \(program) process --model light \(file("in.wav")) \(file("out.wav"))",
      ])
    let missing = try denoisectl("process", "--model", "light", file("no.wav"), file("out.wav"))
    let unknown = try denoisectl("process", "--model", "light", file("in.wav"), file("out.doc"))
    let folder = try denoisectl("process", "--model", "light", file("in.wav"), file("no/out.wav"))
    let model = try denoisectl(
      "process", "--model", file("in.wav"), file("in.wav"), file("out.wav"))
    for result in [limited, missing, unknown, folder, model] {
      #expect(result.status == 1, "\(result.output)")
      #expect(result.output.hasPrefix("denoisectl: "))
      #expect(result.output.count(where: \.isNewline) == 1, "\(result.output)")
    }
    #expect(limited.output.contains("File too large"))
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: sandbox.directory).filter {
        $0.contains("out") || $0.hasPrefix(".denoise")
      }.isEmpty)
  }

  @Test func `a picture is drawn of what is there`() throws {
    try store(hiss(4800), as: "in.wav")
    #expect(try denoisectl("plot", file("in.wav"), "-o", file("out.png")).status == 0)
    #expect(FileManager.default.fileExists(atPath: file("out.png")))
    let missing = try denoisectl("plot", file("no.wav"), "-o", file("none.png"))
    #expect(missing.status == 1)
    #expect(!FileManager.default.fileExists(atPath: file("none.png")))
  }
}
