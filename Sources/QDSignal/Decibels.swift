import Glibc

/// The factor that attenuates by `decibels`.
public func linearGain(attenuation decibels: Float) -> Float {
  powf(10, -decibels / 20)
}

/// The level of a mean square, in dB; -200 for silence.
public func decibels(meanSquare: Float) -> Float {
  10 * log10f(max(meanSquare, 1e-20))
}
