internal import CQDALSA
public import QDMessages

/// Why an ALSA PCM cannot be used.
public enum ALSAError: MessageError, Equatable {
  /// There is no such PCM, or another program uses it.
  case unavailable(pcm: String, reason: String)
  /// It does not support the required parameters.
  case unsuitable(pcm: String, what: String, reason: String)

  public var message: UserMessage {
    switch self {
    case .unavailable(let pcm, let reason):
      UserMessage(
        "ALSA PCM '\(pcm)': \(UserMessage(pattern: reason)); `arecord -L` and `aplay -L` list what"
          + " there is")
    case .unsuitable(let pcm, let what, let reason):
      UserMessage(
        "ALSA PCM '\(pcm)': \(UserMessage(pattern: what)): \(UserMessage(pattern: reason));"
          + " 'plug:\(pcm)' converts what it lacks")
    }
  }

  /// The text of a negative result of alsa-lib.
  static func text(of result: Int32) -> String {
    guard let text = unsafe snd_strerror(result) else { return "error \(-result)" }
    return unsafe String(cString: text)
  }
}
