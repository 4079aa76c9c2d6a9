public import QDFiles
public import QDMessages

/// Why a sound file cannot be read or written.
public enum SoundFileError: MessageError, Equatable {
  case file(FileError)
  case notSound(path: String, reason: String)
  /// Only the program ffmpeg may support the format, and it is not installed.
  case needsDecoder(path: String, reason: String)
  case terminal(String)
  case formatRefused(path: String, reason: String)
  case unknownExtension(path: String, known: [String])
  case notWritable(path: String, sampleRate: Int, channels: Int)
  /// The container counts bytes in 32 bits.
  case tooLong(path: String)

  public var description: String { message.description }

  public var message: UserMessage {
    // What libsndfile says, or the reader of headers.
    func words(_ reason: String) -> UserMessage { UserMessage(pattern: reason) }
    return switch self {
    case .file(let error): error.message
    case .notSound(let path, let reason):
      UserMessage(
        "\(path): is not a sound file that can be read: \(words(reason)); convert it to WAV or FLAC"
          + " first")
    case .needsDecoder(let path, let reason):
      UserMessage(
        "\(path): is not a sound file that can be read without ffmpeg: \(words(reason)); install"
          + " ffmpeg, or convert it to WAV or FLAC first")
    case .terminal(let name):
      UserMessage("\(name) is a terminal, which is no place for sound; name a file or use a pipe")
    case .formatRefused(let path, let reason):
      UserMessage(
        "\(path): cannot be written in this format: \(words(reason)); use another one, such as .wav"
      )
    case .unknownExtension(let path, let known):
      UserMessage(
        "\(path): which format? Let the name end in one of: \(known.joined(separator: " "))")
    case .notWritable(let path, let sampleRate, let channels):
      UserMessage(
        "\(path): the format cannot hold \(channels) channels at \(sampleRate) Hz; use .wav")
    case .tooLong(let path):
      UserMessage("\(path): the format holds no more than 4 GB; use .wav, .w64 or .flac")
    }
  }
}
