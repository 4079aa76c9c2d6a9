/// Dynamic quantization parameters of a row or an image: x ≈ (byte - zeroPoint) * inverseScale.
///
/// They refer to the stored bytes, which are int8 for some instruction sets and uint8 for others:
/// only kernels of the same instruction set may read them.
public struct QuantizationParameters: BitwiseCopyable, Sendable {
  public var zeroPoint: Int32
  public var inverseScale: Float

  public init(zeroPoint: Int32 = 0, inverseScale: Float = 1) {
    self.zeroPoint = zeroPoint
    self.inverseScale = inverseScale
  }

  /// The stored byte for 0, with which convolutions are padded.
  public var zeroByte: UInt8 { UInt8(truncatingIfNeeded: zeroPoint) }
}
