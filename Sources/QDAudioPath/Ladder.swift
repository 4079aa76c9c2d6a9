package import QDDenoise

/// The rungs that the governor may use, as one atomic word holds them.
package struct Ladder: Equatable, Sendable {
  /// The most work: the person's choice of model.
  package var top: Governor.Level
  /// There is a light model.
  package var hasLight: Bool

  package init(top: Governor.Level, hasLight: Bool) {
    self.top = top
    self.hasLight = hasLight
  }

  package init(of governor: Governor) { self.init(top: governor.top, hasLight: governor.hasLight) }

  package init(packed: Int) {
    self.init(top: Governor.Level(rawValue: packed >> 1) ?? .full, hasLight: packed & 1 == 1)
  }

  package var packed: Int { top.rawValue << 1 | (hasLight ? 1 : 0) }

  package func governor(hopSeconds: Double) -> Governor {
    Governor(top: top, hasLight: hasLight, hopSeconds: hopSeconds)
  }
}
