import QDSignal

/// The effect of a mode and a strength on a spectrum: `wet` times the denoised plus `dry` times the
/// noisy one.
struct Mix: Equatable, BitwiseCopyable, Sendable {
  var wet: Float
  var dry: Float

  /// For an attenuation limit of L dB, Y becomes (1 - a) Y + a X with a = 10^(-L/20). `strength` is
  /// L in the modes that denoise, and has no effect in the other two.
  init(_ mode: Mode, strength: Float?) {
    switch mode {
    case .mute:
      (wet, dry) = (0, 0)
    case .bypass:
      (wet, dry) = (0, 1)
    case .light, .standard, .strong:
      dry = (strength ?? mode.limit).map(linearGain(attenuation:)) ?? 0
      wet = 1 - dry
    }
  }
}
