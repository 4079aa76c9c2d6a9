import QDAudioHost
import QDFiles
import Foundation
import Testing

/// A folder of its own for a test, gone afterwards.
private final class Scratch {
  let path = NSTemporaryDirectory() + "qdenoise-\(UUID().uuidString)"

  init() throws {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func file(_ name: String) -> String { "\(path)/\(name)" }
  var names: [String] {
    get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() }
  }
}

private func ramp(_ length: Int, channels: Int) -> [Float] {
  (0..<length * channels).map { Float($0 % 200) / 256 - 0.25 }
}

private func write(_ samples: [Float], to path: String, _ format: SoundFormat) throws {
  var writer = try SoundFileWriter(path: path, format: format)
  try writer.write(samples)
  try writer.finish()
}

private func read(_ path: String) throws -> (samples: [Float], format: SoundFormat, length: Int?) {
  var reader = try SoundFileReader(path: path)
  var samples: [Float] = []
  while true {
    let piece = try reader.read(1000)
    if piece.isEmpty { break }
    samples += piece
  }
  return (samples, reader.format, reader.length)
}

@Suite struct SoundFileTests {
  @Test(arguments: ["a.wav", "a.flac", "a.aiff", "a.au", "a.caf", "a.w64", "a.rf64"])
  func `what is written is read again`(name: String) throws {
    let scratch = try Scratch()
    let samples = ramp(5000, channels: 5)
    let format = try SoundFormat(sampleRate: 44100, channels: 5).adapted(to: name)
    try write(samples, to: scratch.file(name), format)
    let result = try read(scratch.file(name))
    #expect(result.samples == samples)
    #expect(result.length == 5000)
    #expect((result.format.sampleRate, result.format.channels) == (44100, 5))
    #expect(try scratch.names == [name])
  }

  @Test func `lossy formats keep length, rate and channels`() throws {
    let scratch = try Scratch()
    for name in ["a.ogg", "a.opus", "a.mp3"] {
      let format = try SoundFormat(sampleRate: 48000, channels: 2).adapted(to: name)
      try write(ramp(48000, channels: 2), to: scratch.file(name), format)
      let result = try read(scratch.file(name))
      #expect((result.format.sampleRate, result.format.channels) == (48000, 2), "\(name)")
      #expect(result.samples.count == 2 * 48000, "\(name)")
    }
  }

  @Test func `the encoding stays where the container has it`() throws {
    let scratch = try Scratch()
    let float = SoundFormat(sampleRate: 48000, channels: 1)
    let flac = try float.adapted(to: "x.flac")
    try write(ramp(100, channels: 1), to: scratch.file("x.flac"), flac)
    let stored = try read(scratch.file("x.flac")).format
    #expect(try stored.adapted(to: "y.FLAC") == stored)
    #expect(try float.adapted(to: "y.wav") == float)
    #expect(try stored.adapted(to: "y.wav") != float)
  }

  @Test func `an unfinished file never appears and leaves what was there`() throws {
    let scratch = try Scratch()
    let format = SoundFormat(sampleRate: 48000, channels: 1)
    try write([0.5], to: scratch.file("a.wav"), format)
    do {
      var writer = try SoundFileWriter(path: scratch.file("a.wav"), format: format)
      try writer.write(ramp(1000, channels: 1))
    }
    #expect(try read(scratch.file("a.wav")).samples == [0.5])
    #expect(try scratch.names == ["a.wav"])
  }

  @Test func `a link to a file stays a link`() throws {
    let scratch = try Scratch()
    let format = SoundFormat(sampleRate: 48000, channels: 1)
    try write([0.5], to: scratch.file("a.wav"), format)
    try FileManager.default.createSymbolicLink(
      atPath: scratch.file("b.wav"), withDestinationPath: "a.wav")
    try write([0.25], to: scratch.file("b.wav"), format)
    #expect(try read(scratch.file("a.wav")).samples == [0.25])
    #expect(
      try FileManager.default.destinationOfSymbolicLink(atPath: scratch.file("b.wav")) == "a.wav")
  }

  @Test func `what is beyond full scale is clipped and does not wrap`() throws {
    let scratch = try Scratch()
    let format = try SoundFormat(sampleRate: 48000, channels: 1).adapted(to: "a.flac")
    try write([2, -2], to: scratch.file("a.flac"), format)
    let samples = try read(scratch.file("a.flac")).samples
    #expect(samples[0] > 0.999 && samples[1] < -0.999)
  }

  @Test func `an empty file is a file`() throws {
    let scratch = try Scratch()
    try write([], to: scratch.file("a.wav"), SoundFormat(sampleRate: 8000, channels: 1))
    let result = try read(scratch.file("a.wav"))
    #expect(result.samples.isEmpty)
    #expect(result.length == 0)
  }

  @Test func `a pipe gets a stream that can be read from a pipe`() throws {
    let scratch = try Scratch()
    let pipe = scratch.file("pipe")
    #expect(mkfifo(pipe, 0o600) == 0)
    // Both ends at once, so that neither has to wait; the stream fits into the pipe.
    let both = open(pipe, O_RDWR)
    defer { close(both) }
    let samples = ramp(1000, channels: 2)
    try write(samples, to: pipe, SoundFormat(sampleRate: 16000, channels: 2))
    var reader = try SoundFileReader(path: pipe)
    #expect(reader.length == nil)
    #expect((reader.format.sampleRate, reader.format.channels) == (16000, 2))
    #expect(try reader.read(1000) == samples)
  }

  @Test func `what cannot be read says what and why`() throws {
    let scratch = try Scratch()
    try Data("no sound".utf8).write(to: URL(fileURLWithPath: scratch.file("text.wav")))
    let missing = #expect(throws: SoundFileError.self) { _ = try read(scratch.file("none.wav")) }
    #expect(
      "\(try #require(missing))".hasSuffix(
        "cannot be opened: No such file or directory; check the name"))
    let text = #expect(throws: SoundFileError.self) { _ = try read(scratch.file("text.wav")) }
    #expect("\(try #require(text))".contains("is not a sound file"))
    let folder = #expect(throws: SoundFileError.self) { _ = try read(scratch.path) }
    #expect("\(try #require(folder))".hasSuffix("Is a directory"))
  }

  @Test func `what cannot be written says what and why`() throws {
    let scratch = try Scratch()
    let format = SoundFormat(sampleRate: 48000, channels: 1)
    #expect(throws: SoundFileError.self) { try write([], to: scratch.file("no/a.wav"), format) }
    #expect(throws: SoundFileError.file(.diskFull(path: "/dev/full"))) {
      try write(ramp(100_000, channels: 1), to: "/dev/full", format)
    }
    let unknown = #expect(throws: SoundFileError.self) { _ = try format.adapted(to: "a.doc") }
    #expect("\(try #require(unknown))".contains(".flac"))
    #expect(throws: SoundFileError.notWritable(path: "a.flac", sampleRate: 44100, channels: 9)) {
      _ = try SoundFormat(sampleRate: 44100, channels: 9).adapted(to: "a.flac")
    }
  }
}
