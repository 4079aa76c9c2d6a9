/// One row's, or one image's, dynamic quantization: x ≈ (byte - zeroPoint) * inverseScale.
///
/// In terms of the stored bytes, which are int8 for some instruction sets and uint8 for others:
/// only kernels of the instruction set that quantized may read them.
public struct QuantizationParameters: BitwiseCopyable, Sendable {
  public var zeroPoint: Int32
  public var inverseScale: Float

  public init(zeroPoint: Int32 = 0, inverseScale: Float = 1) {
    self.zeroPoint = zeroPoint
    self.inverseScale = inverseScale
  }

  /// The stored byte that stands for 0; what a convolution's padding consists of.
  public var zeroByte: UInt8 { UInt8(truncatingIfNeeded: zeroPoint) }
}
