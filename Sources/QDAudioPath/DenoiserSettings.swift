package import QDDenoise

/// Mode, strength and low cut, as one atomic word holds them.
package struct DenoiserSettings: Equatable, Sendable {
  package var mode: Mode
  /// dB; nil leaves the limit to the mode.
  package var strength: Float?
  package var lowCut: Bool

  package init(mode: Mode = .standard, strength: Float? = nil, lowCut: Bool = true) {
    self.mode = mode
    self.strength = strength
    self.lowCut = lowCut
  }

  package var packed: UInt64 {
    let index = Mode.allCases.firstIndex(of: mode)!
    let decibels = UInt64((strength ?? .nan).bitPattern)
    return UInt64(lowCut ? 1 : 0) << 40 | UInt64(index) << 32 | decibels
  }

  package init(packed: UInt64) {
    lowCut = packed >> 40 == 1
    mode = Mode.allCases[Int(packed >> 32 & 0xff)]
    let strength = Float(bitPattern: UInt32(truncatingIfNeeded: packed))
    self.strength = strength.isNaN ? nil : strength
  }
}
