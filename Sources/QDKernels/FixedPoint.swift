import CQDKernels

/// A number between 0 and 1 as a multiplier of integers in TensorFlow Lite: 31 bits and a shift,
/// with rounding after each of the two (`MultiplyByQuantizedMultiplier`).
public struct FixedPoint: BitwiseCopyable, Sendable {
  let c: ck_fixed

  /// `nil` outside of 2^-32..<1.
  public init?(_ value: Double) {
    guard value >= 0x1p-32, value < 1 else { return nil }
    var shift = -value.exponent - 1
    var multiplier = (value.significand * 0x1p30).rounded(.toNearestOrAwayFromZero)
    if multiplier == 0x1p31 {
      multiplier = 0x1p30
      shift -= 1
    }
    guard shift >= 0 else { return nil }
    c = ck_fixed(multiplier: Int32(multiplier), shift: Int32(shift))
  }
}
