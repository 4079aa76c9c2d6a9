internal import CALSA

/// Why an ALSA PCM cannot be used.
public enum ALSAError: Error, Equatable, CustomStringConvertible {
  /// There is no such PCM, or somebody else has it.
  case unavailable(pcm: String, reason: String)
  /// It cannot be set up as needed.
  case unsuitable(pcm: String, what: String, reason: String)

  public var description: String {
    switch self {
    case .unavailable(let pcm, let reason):
      "ALSA PCM '\(pcm)': \(reason); `arecord -L` and `aplay -L` list what there is"
    case .unsuitable(let pcm, let what, let reason):
      "ALSA PCM '\(pcm)': \(what): \(reason); 'plug:\(pcm)' converts what it lacks"
    }
  }

  /// The text of a negative result of alsa-lib.
  static func text(of result: Int32) -> String {
    guard let text = unsafe snd_strerror(result) else { return "error \(-result)" }
    return unsafe String(cString: text)
  }
}
