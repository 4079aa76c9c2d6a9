internal import Engine

/// How activations are stored: a type, and for integers what they stand for.
struct ActivationForm: Hashable, Sendable {
  var type: ElementType
  var scale: Float = 1
  var zeroPoint = 0

  init(_ type: ElementType, scale: Float = 1, zeroPoint: Int = 0) {
    (self.type, self.scale, self.zeroPoint) = (type, scale, zeroPoint)
  }

  /// Of a tensor of int8, uint8 or int16 with one scale, in terms of int8 and int16; `nil` for any
  /// other.
  init?(_ tensor: Tensor, type: ElementType) {
    guard let quantization = tensor.quantization, quantization.scales.count == 1,
      quantization.scales[0] > 0
    else { return nil }
    let zeroPoint = Int(clamping: quantization.zeroPoints[0]) - (type == .uint8 ? 128 : 0)
    switch type {
    case .int8, .uint8:
      guard (-128...127).contains(zeroPoint) else { return nil }
      self.init(.int8, scale: quantization.scales[0], zeroPoint: zeroPoint)
    case .int16:
      guard zeroPoint == 0 else { return nil }
      self.init(.int16, scale: quantization.scales[0])
    default: return nil
    }
  }

  /// The reals that can be stored.
  var range: ClosedRange<Float> {
    let limits = type == .int16 ? -32768...32767 : -128...127
    return Float(limits.lowerBound - zeroPoint) * scale...Float(limits.upperBound - zeroPoint)
      * scale
  }

  var quantization: Quantization {
    Quantization(scales: [scale], zeroPoints: [Int64(zeroPoint)], axis: 0)
  }

  /// A value's bytes.
  func bytes(_ value: Float) -> [UInt8] {
    let quotient = (value / scale).rounded(.toNearestOrEven)
    let integer = Int(min(max(quotient, -65536), 65536)) + zeroPoint
    if type == .int16 {
      let clamped = UInt16(bitPattern: Int16(min(max(integer, -32768), 32767)))
      return [UInt8(truncatingIfNeeded: clamped), UInt8(clamped >> 8)]
    }
    return [UInt8(bitPattern: Int8(min(max(integer, -128), 127)))]
  }
}
