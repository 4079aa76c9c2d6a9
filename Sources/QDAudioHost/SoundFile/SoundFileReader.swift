internal import CQDSndFile
internal import QDFiles
import Glibc

/// Reads a sound file of any format of libsndfile, or of the program `ffmpeg` if it is installed;
/// from a file or a stream.
@safe public struct SoundFileReader: ~Copyable, @unchecked Sendable {
  /// Its name in messages.
  public let name: String
  public let format: SoundFormat
  /// Samples of each channel; nil if only the end will tell.
  public let length: Int?
  /// An estimate of it; nil if there is none.
  public let estimatedLength: Int?

  private let identity: FileIdentity
  private let file: OpaquePointer
  private let bytes: SoundBytes
  private let decoder: FFmpeg?
  /// Samples of each channel that remain, if the last block has more.
  private var remaining: Int
  /// Samples of each channel that a finished header promises and that were not read yet: a file
  /// without them is cut off.
  public private(set) var missing: Int

  /// - Parameter path: "-" for standard input.
  public init(path: String) throws(SoundFileError) {
    let source = try SoundSource(path: path)
    let opened = try Opened(source)
    name = source.name
    identity = source.identity
    unsafe file = opened.sound.file
    bytes = opened.bytes
    decoder = opened.decoder
    format = decoder == nil ? opened.sound.format : opened.sound.format.decoded
    let rate = Double(format.sampleRate)
    length = bytes.size == nil ? nil : opened.sound.length
    estimatedLength = length ?? decoder?.seconds.map { Int($0 * rate) }
    remaining = opened.sound.samples ?? .max
    missing = opened.sound.promised
  }

  deinit { unsafe _ = sf_close(file) }

  /// Whether standard output is this file.
  public var isStandardOutput: Bool {
    identity.isRegular && FileIdentity(descriptor: 1) == identity
  }

  /// Reads up to `length` samples of each channel, interleaved; an empty array at the end.
  public mutating func read(_ length: Int) throws(SoundFileError) -> [Float] {
    let wanted = min(length, remaining)
    var samples = [Float](repeating: 0, count: wanted * format.channels)
    let count = unsafe Int(sf_readf_float(file, &samples, sf_count_t(wanted)))
    if count < wanted {
      if bytes.failure != 0 {
        throw .file(.readFailed(path: name, reason: FileError.words(bytes.failure)))
      }
      // A truncated file ends in the middle of a block.
      if unsafe sf_error(file) != 0, !bytes.isAtEnd {
        throw .file(.readFailed(path: name, reason: unsafe lastProblem(file)))
      }
      if let problem = decoder?.problem() {
        throw .file(.readFailed(path: name, reason: problem))
      }
    }
    remaining -= count
    missing = max(missing - count, 0)
    samples.removeLast((wanted - count) * format.channels)
    return samples
  }
}

/// A source that was opened.
private struct Opened {
  let bytes: SoundBytes
  let sound: Sound
  let decoder: FFmpeg?

  init(_ source: SoundSource) throws(SoundFileError) {
    let name = source.name
    var bytes = SoundBytes(source.descriptor)
    var path = source.path
    if bytes.size == nil {
      switch StreamKind(bytes) {
      case .sequential: break
      case .seeking:
        bytes = try .spooled(bytes, name: name)
        path = nil
      case .empty: throw .notSound(path: name, reason: "it is empty")
      case .unknown: throw .notSound(path: name, reason: "it has no header of a sound file")
      }
    }
    guard bytes.size != 0 else { throw .notSound(path: name, reason: "it is empty") }
    if let sound = Sound(bytes) {
      self.init(bytes, sound, decoder: nil)
      return
    }
    let reason = lastProblem(nil)
    guard let file = bytes.file else { throw .notSound(path: name, reason: reason) }
    guard let decoder = FFmpeg(file: file, path: path) else {
      throw .needsDecoder(path: name, reason: reason)
    }
    bytes = SoundBytes(decoder.output)
    guard let sound = Sound(bytes) else {
      // Closing its pipe makes it exit.
      bytes = SoundBytes(-1)
      throw .notSound(path: name, reason: decoder.problem() ?? reason)
    }
    self.init(bytes, sound, decoder: decoder)
  }

  private init(_ bytes: SoundBytes, _ sound: Sound, decoder: FFmpeg?) {
    bytes.seal()
    self.bytes = bytes
    self.sound = sound
    self.decoder = decoder
  }
}

/// A sound as libsndfile opened it.
@safe private struct Sound {
  let file: OpaquePointer
  let format: SoundFormat
  /// Samples of each channel; nil if the header does not say.
  let length: Int?
  /// The same, if fewer than can be read.
  let samples: Int?
  /// The same if the header was finished after the last sample, else 0.
  let promised: Int

  init?(_ bytes: SoundBytes) {
    let header = SoundHeader(bytes)
    if let correction = header.correction {
      bytes.correct(correction.patches, end: correction.end)
    }
    // Of FLAC, the checksum of all samples is written last; its header may have an estimate before.
    let isFinished =
      bytes.peek(at: 0, 4) == Array("fLaC".utf8) && bytes.peek(at: 26, 16).contains { $0 != 0 }
    var information = SF_INFO()
    guard let file = unsafe bytes.openSound(&information) else { return nil }
    unsafe self.file = file
    var format = SoundFormat(
      sampleRate: Int(information.samplerate), channels: Int(information.channels),
      code: information.format)
    var map = [Int32](repeating: 0, count: format.channels)
    let size = Int32(map.count * MemoryLayout<Int32>.size)
    if unsafe sf_command(file, Int32(SFC_GET_CHANNEL_MAP_INFO), &map, size) != 0 {
      format.channelMap = map
    }
    self.format = format
    samples = header.samples
    promised = isFinished && information.frames < SoundBytes.never ? Int(information.frames) : 0
    length = samples ?? (information.frames < SoundBytes.never ? Int(information.frames) : nil)
  }
}

/// libsndfile's text for the last error, of a file or of opening one.
func lastProblem(_ file: OpaquePointer?) -> String {
  var text = unsafe String(cString: sf_strerror(file))
  if text.hasPrefix("Error : ") { text.removeFirst(8) }
  while text.last == "." || text.last == " " { text.removeLast() }
  return text
}
