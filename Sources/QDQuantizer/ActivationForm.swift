internal import QDEngine

/// The storage of an activation: a type, and for integers their quantization.
struct ActivationForm: Hashable, Sendable {
  var type: ElementType
  var scale: Float = 1
  var zeroPoint = 0

  init(_ type: ElementType, scale: Float = 1, zeroPoint: Int = 0) {
    (self.type, self.scale, self.zeroPoint) = (type, scale, zeroPoint)
  }

  /// The form of a tensor of int8, uint8 or int16 with one scale, in terms of int8 and int16; `nil`
  /// for any other tensor.
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

  /// The range of reals that it can store.
  var range: ClosedRange<Float> {
    let limits = type == .int16 ? -32768...32767 : -128...127
    return Float(limits.lowerBound - zeroPoint) * scale...Float(limits.upperBound - zeroPoint)
      * scale
  }

  var quantization: Quantization {
    Quantization(scales: [scale], zeroPoints: [Int64(zeroPoint)], axis: 0)
  }

  /// A value in stored bytes.
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

extension ActivationForm {
  /// 1/256 and 1/128 for int8, 1/32768 for int16.
  static func fixed(_ range: ClosedRange<Float>, _ precision: NodePrecision) -> ActivationForm {
    if precision == .int16 { return ActivationForm(.int16, scale: 0x1p-15) }
    return range.lowerBound < 0
      ? ActivationForm(.int8, scale: 0x1p-7) : ActivationForm(.int8, scale: 0x1p-8, zeroPoint: -128)
  }

  /// Zero is always exact, and no range is smaller than 1e-6.
  static func covering(
    _ range: ClosedRange<Float>, _ precision: NodePrecision, isSymmetric: Bool
  ) -> ActivationForm {
    let lower = min(range.lowerBound, 0)
    let upper = max(range.upperBound, 0)
    let largest = max(-lower, upper, 5e-7)
    if precision == .int16 { return ActivationForm(.int16, scale: largest / 32767) }
    if isSymmetric { return ActivationForm(.int8, scale: largest / 127) }
    let scale = (Double(max(upper - lower, 1e-6)) / 255)
    let zeroPoint = (-128 - Double(lower) / scale).rounded()
    return ActivationForm(
      .int8, scale: Float(scale), zeroPoint: Int(min(max(zeroPoint, -128), 127)))
  }
}
