internal import QDFiles
import Glibc

/// The source of a sound: a regular file, or a stream that can be read once.
struct SoundSource {
  /// Its name in messages.
  let name: String
  /// To be closed by the caller.
  let descriptor: Int32
  let identity: FileIdentity
  /// The file's name, if it has one.
  let path: String?

  /// - Parameter path: "-" for standard input.
  init(path: String) throws(SoundFileError) {
    name = path == "-" ? "standard input" : path
    self.path = path == "-" ? nil : path
    guard path != "-" || isatty(0) == 0 else { throw .terminal("standard input") }
    descriptor = path == "-" ? dup(0) : unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      throw .file(.cannotOpen(path: name, reason: FileError.words(errno)))
    }
    guard let identity = FileIdentity(descriptor: descriptor), !identity.isFolder else {
      close(descriptor)
      throw .file(.cannotOpen(path: name, reason: FileError.words(EISDIR)))
    }
    self.identity = identity
  }
}

/// Formats by their first bytes, for streams.
enum StreamKind {
  /// Read from the beginning to the end.
  case sequential
  /// The index is at the end, or anywhere.
  case seeking
  case empty
  case unknown

  init(_ bytes: SoundBytes) {
    let magic = bytes.peek(at: 0, 12)
    func begins(_ text: String, at offset: Int = 0) -> Bool {
      magic.dropFirst(offset).starts(with: text.utf8)
    }
    let sequential = [
      "RIFF", "RIFX", "RF64", "BW64", "FORM", ".snd", "dns.", "caff", "fLaC", "riff",
    ]
    let seeking = ["OggS", "ID3", "#!AMR", "wvpk", "TTA1", "MAC ", "FLV\u{1}"]
    if sequential.contains(where: { begins($0) }) {
      self = .sequential
    } else if seeking.contains(where: { begins($0) }) || begins("ftyp", at: 4)
      || magic.starts(with: [0x1a, 0x45, 0xdf, 0xa3])
      || magic.starts(with: [0x30, 0x26, 0xb2, 0x75])
      // MP3 and AAC without a container.
      || magic.count > 1 && magic[0] == 0xff && magic[1] & 0xe0 == 0xe0
    {
      self = .seeking
    } else {
      self = magic.isEmpty ? .empty : .unknown
    }
  }
}

extension SoundBytes {
  /// Copies a stream into a file without a name, so that it can be read in any order.
  static func spooled(_ stream: SoundBytes, name: String) throws(SoundFileError) -> SoundBytes {
    let file: OutputFile
    do {
      file = try OutputFile(namelessIn: TemporaryFile.folder)
      stream.seal()
      try fill(file, from: stream, name: name)
    } catch { throw .file(error) }
    lseek(file.descriptor, 0, SEEK_SET)
    return SoundBytes(file.descriptor)
  }

  private static func fill(
    _ file: OutputFile, from stream: SoundBytes, name: String
  ) throws(FileError) {
    var position = 0
    do throws(FileError) {
      while case let piece = stream.peek(at: position, 1 << 20), !piece.isEmpty {
        try file.write(piece)
        position += piece.count
      }
      if stream.failure != 0 {
        throw .readFailed(path: name, reason: FileError.words(stream.failure))
      }
    } catch {
      file.abandon()
      throw error
    }
  }
}
