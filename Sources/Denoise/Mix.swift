import Signal

/// What a mode and a strength mean for a spectrum: `wet` times the denoised plus `dry` times the
/// noisy one.
struct Mix: Equatable, BitwiseCopyable, Sendable {
  var wet: Float
  var dry: Float

  /// Attenuation limit L in dB: Y becomes (1 - a) Y + a X with a = 10^(-L/20). `strength` is L in
  /// the modes that denoise, and means nothing to the other two.
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
