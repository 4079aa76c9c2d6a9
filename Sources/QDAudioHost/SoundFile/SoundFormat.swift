internal import CQDSndFile
import Glibc

/// The parameters of a sound file and its storage.
public struct SoundFormat: Equatable, Sendable {
  /// Samples a second.
  public var sampleRate: Int
  public var channels: Int
  /// Container, encoding and byte order, as libsndfile's `SF_FORMAT_...`.
  public var code: Int32
  /// The loudspeaker of each channel as libsndfile's `SF_CHANNEL_MAP_...`; empty if not known.
  public var channelMap: [Int32] = []

  /// A WAV file of 32-bit float samples.
  public init(sampleRate: Int, channels: Int) {
    self.init(
      sampleRate: sampleRate, channels: channels,
      code: Int32(SF_FORMAT_WAV | SF_FORMAT_FLOAT))
  }

  init(sampleRate: Int, channels: Int, code: Int32) {
    self.sampleRate = sampleRate
    self.channels = channels
    self.code = code
  }

  /// File name extensions for writing, and their containers.
  static let containers: [(extensions: [String], code: Int)] = [
    (["wav", "wave"], SF_FORMAT_WAV),
    (["flac"], SF_FORMAT_FLAC),
    (["ogg", "oga"], SF_FORMAT_OGG),
    (["opus"], SF_FORMAT_OGG),
    (["mp3"], 0x230000),
    (["aiff", "aif", "aifc"], SF_FORMAT_AIFF),
    (["au", "snd"], SF_FORMAT_AU),
    (["caf"], SF_FORMAT_CAF),
    (["w64"], SF_FORMAT_W64),
    (["rf64"], SF_FORMAT_RF64),
  ]

  /// Whether a path has the extension of a sound file.
  public static func isSoundFile(_ path: String) -> Bool {
    containers.contains { $0.extensions.contains(fileExtension(path)) }
  }

  /// Whether a path has an extension that the program `ffmpeg` decodes.
  public static func isDecodable(_ path: String) -> Bool {
    [
      "m4a", "mp4", "mov", "m4v", "m4b", "3gp", "webm", "mkv", "mka", "aac", "ac3", "wma", "amr",
      "wv", "ape", "tta", "mp2", "spx",
    ].contains(fileExtension(path))
  }

  /// The format in the container of the path's extension; the encoding stays if the container
  /// supports it, else it becomes one of similar precision.
  public func adapted(to path: String) throws(SoundFileError) -> SoundFormat {
    let name = SoundFormat.fileExtension(path)
    guard let container = SoundFormat.containers.first(where: { $0.extensions.contains(name) })
    else {
      throw .unknownExtension(
        path: path, known: SoundFormat.containers.flatMap(\.extensions).map { ".\($0)" })
    }
    var result = self
    if isIn(container.code), name != "opus", !isBlocked, isWritable { return self }
    for encoding in encodings(preferred: name) {
      result.code = Int32(container.code | encoding)
      if result.isWritable { return result }
    }
    throw .notWritable(path: path, sampleRate: sampleRate, channels: channels)
  }

  /// Encodings to try, the most similar first.
  private func encodings(preferred name: String) -> [Int] {
    let pcm16 = SF_FORMAT_PCM_16
    let own = isBlocked ? pcm16 : encoding
    let pcm24 = SF_FORMAT_PCM_24
    let isFine = [SF_FORMAT_PCM_24, SF_FORMAT_PCM_32, SF_FORMAT_FLOAT, SF_FORMAT_DOUBLE]
      .contains(own)
    let compressed = name == "opus" ? SF_FORMAT_OPUS : SF_FORMAT_VORBIS
    let mp3 = 0x0082
    return name == "opus"
      ? [compressed] : [own, isFine ? pcm24 : pcm16, pcm16, compressed, mp3]
  }

  private var encoding: Int { Int(code) & SF_FORMAT_SUBMASK }

  /// Whether it stores only whole blocks of samples, so that a file would be longer than its sound.
  private var isBlocked: Bool { (SF_FORMAT_IMA_ADPCM...SF_FORMAT_G723_40).contains(encoding) }

  /// The format of a sound that another program decoded: 16 bits, as for the lossy formats that we
  /// decode.
  var decoded: SoundFormat {
    var result = self
    result.code = Int32(SF_FORMAT_WAV | SF_FORMAT_PCM_16)
    return result
  }

  /// Bytes of a sample of one channel; nil if it is compressed.
  var sampleBytes: Int? {
    switch encoding {
    case SF_FORMAT_PCM_S8, SF_FORMAT_PCM_U8, SF_FORMAT_ULAW, SF_FORMAT_ALAW: 1
    case SF_FORMAT_PCM_16: 2
    case SF_FORMAT_PCM_24: 3
    case SF_FORMAT_PCM_32, SF_FORMAT_FLOAT: 4
    case SF_FORMAT_DOUBLE: 8
    default: nil
    }
  }

  func isContained(in containers: [Int]) -> Bool {
    containers.contains(Int(code) & SF_FORMAT_TYPEMASK)
  }

  private func isIn(_ container: Int) -> Bool {
    let own = Int(code) & SF_FORMAT_TYPEMASK
    // WAVEX is WAV with an extended header.
    return own == container
      || (own == SF_FORMAT_WAVEX && container == SF_FORMAT_WAV)
  }

  var isWritable: Bool {
    var information = self.information
    return unsafe sf_format_check(&information) != 0
  }

  var information: SF_INFO {
    SF_INFO(
      frames: 0, samplerate: Int32(sampleRate), channels: Int32(channels), format: code,
      sections: 0, seekable: 0)
  }

  private static func fileExtension(_ path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    guard let dot = name.lastIndex(of: "."), dot != name.startIndex else { return "" }
    return name[name.index(after: dot)...].lowercased()
  }
}
