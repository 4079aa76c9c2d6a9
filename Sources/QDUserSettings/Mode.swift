/// How much noise is removed.
public enum Mode: String, CaseIterable, Sendable, Codable {
  /// The unchanged microphone, with the same delay as in every other mode.
  case bypass
  /// At most 12 dB of attenuation: noise is still audible, but farther away.
  case light
  /// At most 24 dB of attenuation.
  case standard
  /// As much as the network determines.
  case strong
  /// Silence.
  case mute

  /// The maximum attenuation of this mode, in dB; nil if there is none.
  public var limit: Float? {
    switch self {
    case .bypass: 0
    case .light: 12
    case .standard: 24
    case .strong, .mute: nil
    }
  }
}
