import QDKernels

/// The formulas of docs/kernels.md in plain Swift, which the scalar kernels are compared with.
enum Reference {
  struct Row: Equatable {
    var bytes: [Int]
    var zeroPoint: Int
    var inverseScale: Float
  }

  static func quantize(_ x: [Float]) -> Row {
    let least = min(0, x.min() ?? 0)
    let greatest = max(0, x.max() ?? 0)
    let scale = least == greatest ? 1 : 255 / (greatest - least)
    let (low, high) = (least * scale, greatest * scale)
    let exact = (-128 + low) + (127 + high) > 0 ? -128 - low : 127 - high
    let zeroPoint = Int(min(max(exact, -128), 127).rounded(.toNearestOrEven))
    let bytes = x.map {
      min(max(Int(($0 * scale).rounded(.toNearestOrEven)) + zeroPoint, -128), 127)
    }
    return Row(bytes: bytes, zeroPoint: zeroPoint, inverseScale: 1 / scale)
  }

  /// a * b + c, with one rounding where the instruction set has that.
  private static func multiplyAdd(
    _ a: Float, _ b: Float, _ c: Float, _ instructionSet: InstructionSet
  ) -> Float {
    instructionSet.fusesMultiplyAdd ? c.addingProduct(a, b) : a * b + c
  }

  /// One output of the dynamic-range product.
  static func product(
    _ row: Row, _ weights: ArraySlice<Int8>, scale: Float, bias: Float,
    minimum: Float = -.infinity, maximum: Float = .infinity, with instructionSet: InstructionSet
  ) -> Float {
    var sum = 0
    for (byte, weight) in zip(row.bytes, weights) { sum += (byte - row.zeroPoint) * Int(weight) }
    let value = multiplyAdd(Float(sum) * row.inverseScale, scale, bias, instructionSet)
    return min(max(value, minimum), maximum)
  }

  /// One output of the float product.
  static func product(
    _ row: ArraySlice<Float>, _ weights: ArraySlice<Float>, bias: Float, minimum: Float,
    maximum: Float, with instructionSet: InstructionSet
  ) -> Float {
    var sum = bias
    for (x, weight) in zip(row, weights) { sum = multiplyAdd(x, weight, sum, instructionSet) }
    return min(max(sum, minimum), maximum)
  }
}
