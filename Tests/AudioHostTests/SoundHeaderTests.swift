import QDAudioHost
import QDFiles
import Foundation
import TestSupport
import Testing

/// Sound files whose headers are wrong, and streams, which have no length.
struct SoundHeaderTests {
  let sandbox: Sandbox

  init() throws { sandbox = try Sandbox("header") }

  private static let count = 1000

  /// 16-bit samples, a ramp.
  private static let samples = (0..<count).map { Int16($0 * 30 - 15_000) }

  private enum Order { case little, big }

  private static func field(_ value: Int, _ bytes: Int, _ order: Order = .little) -> [UInt8] {
    let field = (0..<bytes).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
    return order == .little ? field : field.reversed()
  }

  private static func sound(_ order: Order = .little) -> [UInt8] {
    samples.flatMap { field(Int($0), 2, order) }
  }

  /// A WAV file with such sizes in its header.
  private static func wave(
    riff: Int, data: Int, magic: String = "RIFF", before: [UInt8] = [], after: [UInt8] = [],
    sound: [UInt8] = sound()
  ) -> [UInt8] {
    Array(magic.utf8) + field(riff, 4) + Array("WAVE".utf8) + before + Array("fmt ".utf8)
      + field(16, 4) + field(1, 2) + field(1, 2) + field(48_000, 4) + field(96_000, 4)
      + field(2, 2) + field(16, 2) + Array("data".utf8) + field(data, 4) + sound + after
  }

  private static func ds64(data: Int) -> [UInt8] {
    Array("ds64".utf8) + field(28, 4) + field(0, 8) + field(data, 8) + field(0, 8) + field(0, 4)
  }

  private static let tag = Array("LIST".utf8) + field(12, 4) + Array("INFOISFT".utf8) + field(0, 4)

  private static func aiff(_ size: Int, counted: Int) -> [UInt8] {
    Array("FORM".utf8) + field(size, 4, .big) + Array("AIFFCOMM".utf8) + field(18, 4, .big)
      + field(1, 2, .big) + field(counted, 4, .big) + field(16, 2, .big)
      + [0x40, 0x0e, 0xbb, 0x80, 0, 0, 0, 0, 0, 0] + Array("SSND".utf8) + field(size, 4, .big)
      + field(0, 8) + sound(.big)
  }

  private static func au(_ size: Int) -> [UInt8] {
    Array(".snd".utf8) + field(24, 4, .big) + field(size, 4, .big) + field(3, 4, .big)
      + field(48_000, 4, .big) + field(1, 4, .big) + sound(.big)
  }

  private static func caf(_ size: Int) -> [UInt8] {
    Array("caff".utf8) + field(1, 2, .big) + field(0, 2) + Array("desc".utf8) + field(32, 8, .big)
      + field(Int(48_000.0.bitPattern), 8, .big) + Array("lpcm".utf8) + field(0, 4)
      + field(2, 4, .big) + field(1, 4, .big) + field(1, 4, .big) + field(16, 4, .big)
      + Array("data".utf8) + field(size, 8, .big) + field(0, 4) + sound(.big)
  }

  /// What a recorder that was killed leaves, and what programs write into pipes.
  private static let damaged: [(name: String, bytes: [UInt8])] = [
    ("sizes 0", wave(riff: 0, data: 0)),
    ("data 0, as libsndfile begins", wave(riff: 36, data: 0)),
    ("data 0, as others begin", wave(riff: 8, data: 0)),
    ("all ones", wave(riff: 0xffff_ffff, data: 0xffff_ffff)),
    ("2 GB, as arecord and sox begin", wave(riff: 0x7fff_ffff, data: 0x7fff_ffdb)),
    ("beyond the end", wave(riff: 4036, data: 4000)),
    ("RF64 without sizes", wave(riff: -1, data: -1, magic: "RF64", before: ds64(data: 0))),
    ("RF64 with ones", wave(riff: -1, data: -1, magic: "RF64", before: ds64(data: -1))),
    ("RF64", wave(riff: -1, data: -1, magic: "RF64", before: ds64(data: 2 * count))),
    ("BW64", wave(riff: -1, data: -1, magic: "BW64", before: ds64(data: 2 * count))),
    ("a tag behind", wave(riff: 2060, data: 2000, after: tag)),
    ("AIFF of size 0", aiff(0, counted: 0)), ("AIFF of size 8", aiff(8, counted: 0)),
    ("AU of size 0", au(0)), ("AU of size -1", au(-1)), ("AU", au(2 * count)),
    ("CAF of size -1", caf(-1)), ("CAF of size 0", caf(0)), ("CAF", caf(2 * count + 4)),
  ]

  private func read(_ path: String) throws -> (samples: [Float], length: Int?) {
    var reader = try SoundFileReader(path: path)
    var samples: [Float] = []
    while case let piece = try reader.read(300), !piece.isEmpty { samples += piece }
    return (samples, reader.length)
  }

  /// As a stream, from a FIFO that holds all of it.
  private func readStream(_ bytes: [UInt8]) throws -> [Float] {
    let path = "\(sandbox.directory)/pipe-\(UUID())"
    try #require(mkfifo(path, 0o600) == 0)
    let writer = Thread { try? TestSupport.write(bytes, to: path) }
    writer.start()
    return try read(path).samples
  }

  @Test(arguments: damaged.indices)
  func `the sound is all that there is, from a file and from a stream`(index: Int) throws {
    let (name, bytes) = Self.damaged[index]
    let path = "\(sandbox.directory)/file"
    try TestSupport.write(bytes, to: path)
    let expected = Self.samples.map { Float($0) / 32_768 }
    let file = try read(path)
    #expect(file.samples == expected, "\(name): \(file.samples.count)")
    #expect(file.length == Self.count, "\(name)")
    let stream = try readStream(bytes)
    #expect(stream == expected, "\(name): \(stream.count)")
  }

  @Test func `a sound of no samples is empty, whatever follows`() throws {
    let bytes = Self.wave(riff: 56, data: 0, after: Self.tag, sound: [])
    let path = "\(sandbox.directory)/file"
    try TestSupport.write(bytes, to: path)
    #expect(try read(path).samples.isEmpty)
    #expect(try readStream(bytes).isEmpty)
  }

  @Test func `blocks end where the header says`() throws {
    // IMA ADPCM, two blocks of 505 samples.
    let bytes =
      Array("RIFF".utf8) + Self.field(572, 4) + Array("WAVEfmt ".utf8) + Self.field(20, 4)
      + Self.field(0x11, 2) + Self.field(1, 2) + Self.field(8000, 4) + Self.field(4055, 4)
      + Self.field(256, 2) + Self.field(4, 2) + Self.field(2, 2) + Self.field(505, 2)
      + Array("fact".utf8) + Self.field(4, 4) + Self.field(Self.count, 4) + Array("data".utf8)
      + Self.field(512, 4) + [UInt8](repeating: 0, count: 512)
    let path = "\(sandbox.directory)/ima.wav"
    try TestSupport.write(bytes, to: path)
    #expect(try read(path).samples.count == Self.count)
    #expect(try readStream(bytes).count == Self.count)
    // It would be longer again, were it written in blocks.
    let reader = try SoundFileReader(path: path)
    let format = try reader.format.adapted(to: path)
    var writer = try SoundFileWriter(path: path, format: format, length: reader.length)
    try writer.write([Float](repeating: 0.5, count: Self.count))
    try writer.finish()
    #expect(try read(path) == ([Float](repeating: 0.5, count: Self.count), Self.count))
  }

  @Test func `FLAC is read from a stream, and up to where it was cut off`() throws {
    let path = "\(sandbox.directory)/a.flac"
    let noise = Sound.noise(seconds: 1, level: 0.1)
    let format = try SoundFormat(sampleRate: 48_000, channels: 1).adapted(to: path)
    var writer = try SoundFileWriter(path: path, format: format)
    try writer.write(noise)
    try writer.finish()
    let whole = try read(path).samples
    let bytes = try TestSupport.bytes(of: path)
    #expect(try readStream(bytes) == whole)
    let half = Array(bytes.prefix(bytes.count / 2))
    let cut = "\(sandbox.directory)/cut.flac"
    try TestSupport.write(half, to: cut)
    for samples in [try read(cut).samples, try readStream(half)] {
      #expect(samples.count > 16_000 && samples.count < 32_000)
      #expect(samples == Array(whole.prefix(samples.count)))
    }
  }

  @Test func `a file whose 32 bits have run over has its length`() throws {
    // Of 6 GB, with a hole in place of the sound.
    let size = 6_000_000_000
    let float = SoundFormat(sampleRate: 48_000, channels: 1)
    for (header, sampleBytes) in [
      (Self.wave(riff: size + 36, data: size, sound: []), 2),
      (streamHeader(float, length: size / 4, isFile: true), 4),
    ] {
      let path = "\(sandbox.directory)/large.wav"
      try TestSupport.write(header, to: path)
      #expect(truncate(path, off_t(header.count + size)) == 0)
      var reader = try SoundFileReader(path: path)
      #expect(reader.length == size / sampleBytes)
      #expect(try reader.read(100).count == 100)
    }
  }

  @Test func `a file of unknown length is WAV, and a format without room refuses`() throws {
    let path = "\(sandbox.directory)/late.wav"
    for bits in ["PCM", "float"] {
      var format = SoundFormat(sampleRate: 48_000, channels: 1)
      if bits == "PCM" { format.code = 0x10003 }
      var writer = try SoundFileWriter(path: path, format: format)
      // Of an odd number of bytes, in 24 bits.
      try writer.write([0.5, -0.5, 0.25])
      try writer.finish()
      #expect(try read(path) == ([0.5, -0.5, 0.25], 3))
      let bytes = try TestSupport.bytes(of: path)
      #expect(bytes.count % 2 == 0)
      #expect(bytes.starts(with: "RIFF".utf8))
      #expect(bytes[4..<8] == Self.field(bytes.count - 8, 4)[...])
    }
    let aiff = try SoundFormat(sampleRate: 48_000, channels: 1).adapted(to: "a.aiff")
    let large = "\(sandbox.directory)/large.aiff"
    #expect(throws: SoundFileError.tooLong(path: large)) {
      _ = try SoundFileWriter(path: large, format: aiff, length: 2_000_000_000)
    }
  }

  @Test func `a stream without a header is refused at once`() throws {
    // The writing end stays open: nobody waits for the end.
    let path = "\(sandbox.directory)/pipe"
    try #require(mkfifo(path, 0o600) == 0)
    let both = open(path, O_RDWR)
    defer { close(both) }
    #expect(write(both, [UInt8](repeating: 7, count: 100), 100) == 100)
    #expect(throws: SoundFileError.notSound(path: path, reason: "it has no header of a sound file"))
    {
      _ = try SoundFileReader(path: path)
    }
  }

  @Test func `what replaces a file is for the same eyes`() throws {
    let path = "\(sandbox.directory)/secret"
    try OutputFile.write([1], to: path)
    #expect(chmod(path, 0o600) == 0)
    try OutputFile.write([2], to: path)
    var status = stat()
    #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
  }
}
