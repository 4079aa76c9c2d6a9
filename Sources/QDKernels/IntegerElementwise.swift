import CQDKernels

/// Functions of quantized values over whole buffers, and conversions from and to floats.
///
/// int8 and uint8 values are stored alike (`InstructionSet.storesUnsigned` says how); zero points
/// and ranges here refer to int8 values. Every instruction set gives the same bits. Output buffers
/// may be input buffers of the same element type.
@safe public struct IntegerElementwise: Sendable {
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>

  public init(_ instructionSet: InstructionSet = .best) {
    unsafe kernels = instructionSet.kernels
  }

  /// XNNPACK's sum of two quantized tensors: multipliers of 21 bits and a shift.
  public struct Sum: BitwiseCopyable, Sendable {
    let c: ck_qs8_sum

    /// y = (a - zeroPoints.a) scales.a + (b - zeroPoints.b) scales.b, where scales are those of the
    /// operands over that of the result; a negative scale subtracts. `nil` if the scales differ by
    /// more than these multipliers can express.
    public init?(
      scales: (a: Float, b: Float), zeroPoints: (a: Int, b: Int), zeroPoint: Int,
      range: ClosedRange<Int>
    ) {
      let largest = max(abs(scales.a), abs(scales.b))
      guard largest.isFinite, largest >= 0x1p-10, largest < 0x1p8 else { return nil }
      let shift = 20 - Int(largest.exponent)
      let unit = Float(sign: .plus, exponent: shift, significand: 1)
      let a = Int((scales.a * unit).rounded(.toNearestOrEven))
      let b = Int((scales.b * unit).rounded(.toNearestOrEven))
      let bias = 1 << (shift - 1) - a * zeroPoints.a - b * zeroPoints.b
      c = ck_qs8_sum(
        a_multiplier: Int32(a), b_multiplier: Int32(b), bias: Int32(bias), shift: Int32(shift),
        zero_point: Int32(zeroPoint), least: Int32(range.lowerBound),
        greatest: Int32(range.upperBound))
    }
  }

  /// y = requantized((a - zeroPoints.a)(b - zeroPoints.b) * scale), where the scale is that of both
  /// operands over that of the result.
  public struct Product: BitwiseCopyable, Sendable {
    let zeroPoints: (a: Int32, b: Int32)
    let scale: Float
    let output: QS8Output

    public init(zeroPoints: (a: Int, b: Int), scale: Float, _ output: QS8Output) {
      self.zeroPoints = (Int32(zeroPoints.a), Int32(zeroPoints.b))
      self.scale = scale
      self.output = output
    }
  }

  /// TensorFlow Lite's square of the difference of two quantized tensors, in fixed-point
  /// arithmetic.
  public struct SquaredDifference: BitwiseCopyable, Sendable {
    let c: ck_qs8_squared_difference

    /// y = ((a - zeroPoints.a) scales.a - (b - zeroPoints.b) scales.b)^2 / scale + zeroPoint. `nil`
    /// if a scale is too small or too large for fixed-point arithmetic.
    public init?(
      scales: (a: Float, b: Float), zeroPoints: (a: Int, b: Int), scale: Float, zeroPoint: Int
    ) {
      let twice = 2 * Double(max(scales.a, scales.b))
      guard let a = FixedPoint(Double(scales.a) / twice),
        let b = FixedPoint(Double(scales.b) / twice),
        let output = FixedPoint(twice * twice / (0x1p14 * Double(scale)))
      else { return nil }
      c = ck_qs8_squared_difference(
        a_zero_point: Int32(zeroPoints.a), b_zero_point: Int32(zeroPoints.b),
        zero_point: Int32(zeroPoint), a_scale: a.c, b_scale: b.c, output: output.c)
    }
  }

  /// A function of two quantized values.
  public enum Binary: Sendable {
    case sum(Sum)
    case product(Product)
    case squaredDifference(SquaredDifference)
  }

  /// y = function of `a` and `b`, each as long as `output` or one value.
  public func apply(
    _ function: Binary, _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>,
    into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    let count = output.count
    unsafe apply(
      function, rows: 1, columns: count, Operand(a, count: count), Operand(b, count: count),
      into: output, outputStride: count)
  }

  /// The same for `rows` rows of `columns` bytes; those of `output` are `outputStride` apart.
  public func apply(
    _ function: Binary, rows: Int, columns: Int, _ a: Operand<UInt8>, _ b: Operand<UInt8>,
    into output: UnsafeMutableBufferPointer<UInt8>, outputStride: Int
  ) {
    guard rows > 0, columns > 0 else { return }
    checkRows(rows, columns, stride: outputStride, count: output.count)
    var kernel = function.c
    unsafe ck_apply_byte_binary(
      kernels, &kernel, rows, columns, a.kernelOperand(rows, columns),
      b.kernelOperand(rows, columns), output.baseAddress, outputStride)
  }

  /// y = requantized(x * inverseScale).
  public func quantize(
    _ input: UnsafeBufferPointer<Float>, inverseScale: Float, _ requantized: QS8Output,
    into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    unsafe kernels.pointee.f32_qs8_vcvt(
      input.count, input.baseAddress, inverseScale, requantized.c, kernels.pointee.flip,
      output.baseAddress)
  }

  /// y = sat8(scale * x + zeroPoint), for integers of less than 32 bits.
  public func quantize(
    _ input: UnsafeBufferPointer<Float>, scale: FixedPoint, zeroPoint: Int,
    into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    unsafe kernels.pointee.f32_qs8_vscale(
      input.count, input.baseAddress, scale.c, Int32(zeroPoint), kernels.pointee.flip,
      output.baseAddress)
  }

  /// y = (x - zeroPoint) * scale.
  public func dequantize(
    _ input: UnsafeBufferPointer<UInt8>, zeroPoint: Int, scale: Float,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    unsafe kernels.pointee.qs8_f32_vcvt(
      input.count, input.baseAddress, Int32(zeroPoint), scale, kernels.pointee.flip,
      output.baseAddress)
  }

  /// y = sat16(rint(x * inverseScale)).
  public func quantize(
    _ input: UnsafeBufferPointer<Float>, inverseScale: Float,
    into output: UnsafeMutableBufferPointer<Int16>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    unsafe kernels.pointee.f32_qs16_vcvt(
      input.count, input.baseAddress, inverseScale, output.baseAddress)
  }

  /// y = x * scale.
  public func dequantize(
    _ input: UnsafeBufferPointer<Int16>, scale: Float,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    unsafe kernels.pointee.qs16_f32_vcvt(
      input.count, input.baseAddress, scale, output.baseAddress)
  }

  /// int16 values as two planes of stored bytes: value = 256 high + low + 128, each as an int8.
  public func split(
    _ input: UnsafeBufferPointer<Int16>, high: UnsafeMutableBufferPointer<UInt8>,
    low: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(input.count == high.count && input.count == low.count, "lengths differ")
    unsafe kernels.pointee.x16_vsplit(
      input.count, input.baseAddress, kernels.pointee.flip, high.baseAddress, low.baseAddress)
  }

  /// The two stored bytes of the int16 value 0.
  public var splitZero: (high: UInt8, low: UInt8) {
    let flip = unsafe kernels.pointee.flip
    return (flip, flip ^ 0x80)
  }

  /// y = table[x], by stored bytes; the table has 256 entries.
  public func look(
    up input: UnsafeBufferPointer<UInt8>, in table: UnsafeBufferPointer<UInt8>,
    into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(input.count == output.count && table.count == 256)
    unsafe kernels.pointee.x8_vlut(
      input.count, input.baseAddress, table.baseAddress, output.baseAddress)
  }

  /// Converts int8 to uint8 and back: y = x ^ 0x80.
  public func flip(
    _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    unsafe kernels.pointee.x8_vflip(input.count, input.baseAddress, output.baseAddress)
  }
}

extension IntegerElementwise.Binary {
  fileprivate var c: ck_qs8_binary {
    var result = ck_qs8_binary()
    switch self {
    case .sum(let sum):
      result.function = CK_BYTE_SUM
      result.sum = sum.c
    case .squaredDifference(let difference):
      result.function = CK_BYTE_SQUARED_DIFFERENCE
      result.difference = difference.c
    case .product(let product):
      result.function = CK_BYTE_PRODUCT
      (result.a_zero_point, result.b_zero_point) = product.zeroPoints
      result.scale = product.scale
      result.output = product.output.c
    }
    return result
  }
}
