/// How much of the noise is taken away.
public enum Mode: String, CaseIterable, Sendable, Codable {
  /// The microphone as it is, with the same delay as every other mode.
  case bypass
  /// At most 12 dB of attenuation: noise is still there, farther away.
  case light
  /// At most 24 dB of attenuation.
  case standard
  /// As much as the network asks for.
  case strong
  /// Silence.
  case mute

  /// The most that this mode attenuates, in dB; nil where nothing limits it.
  public var limit: Float? {
    switch self {
    case .bypass: 0
    case .light: 12
    case .standard: 24
    case .strong, .mute: nil
    }
  }
}
