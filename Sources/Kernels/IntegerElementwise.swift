import CKernels

/// Functions of quantized values over whole buffers, and the ways between them and floats.
///
/// int8 and uint8 values are stored alike (`InstructionSet.storesUnsigned` says how); zero points
/// and ranges here speak of the int8 values. Every instruction set gives the same bits. Output
/// buffers may be input buffers of the same element type.
@safe public struct IntegerElementwise: Sendable {
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>

  public init(_ instructionSet: InstructionSet = .best) {
    unsafe kernels = instructionSet.kernels
  }

  /// XNNPACK's sum of two quantized tensors: multipliers of 21 bits and a shift.
  public struct Sum: BitwiseCopyable, Sendable {
    let c: ck_qs8_sum

    /// y = (a - zeroPoints.a) scales.a + (b - zeroPoints.b) scales.b, where scales are those of
    /// the operands over that of the result; a negative one subtracts. `nil` where they differ by
    /// more than such numbers can say.
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

  /// y = sum of `a` and `b`, each as long as `output` or one value.
  public func add(
    _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>, _ sum: Sum,
    into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    let count = output.count
    precondition(a.count == count || a.count == 1, "left operand of the wrong length")
    precondition(b.count == count || b.count == 1, "right operand of the wrong length")
    guard count > 0 else { return }
    unsafe kernels.pointee.qs8_vadd(
      count, a.baseAddress, a.count == count ? 1 : 0, b.baseAddress, b.count == count ? 1 : 0,
      sum.c, kernels.pointee.flip, output.baseAddress)
  }

  /// y = requantized((a - zeroPoints.a)(b - zeroPoints.b) * scale); lengths as for `add`.
  public func multiply(
    _ a: UnsafeBufferPointer<UInt8>, _ b: UnsafeBufferPointer<UInt8>, zeroPoints: (a: Int, b: Int),
    scale: Float, _ requantized: IntegerOutput, into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    let count = output.count
    precondition(a.count == count || a.count == 1, "left operand of the wrong length")
    precondition(b.count == count || b.count == 1, "right operand of the wrong length")
    guard count > 0 else { return }
    unsafe kernels.pointee.qs8_vmul(
      count, a.baseAddress, a.count == count ? 1 : 0, Int32(zeroPoints.a), b.baseAddress,
      b.count == count ? 1 : 0, Int32(zeroPoints.b), scale, requantized.c, kernels.pointee.flip,
      output.baseAddress)
  }

  /// Takes the greater of both in every place.
  public func raise(
    _ output: UnsafeMutableBufferPointer<UInt8>, to input: UnsafeBufferPointer<UInt8>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    unsafe kernels.pointee.qs8_vmax(
      input.count, input.baseAddress, kernels.pointee.flip, output.baseAddress)
  }

  /// Adds the int8 values to the sums.
  public func accumulate(
    _ input: UnsafeBufferPointer<UInt8>, into sums: UnsafeMutableBufferPointer<Int32>
  ) {
    precondition(input.count == sums.count, "input and sums differ in length")
    unsafe kernels.pointee.qs8_vaccumulate(
      input.count, input.baseAddress, kernels.pointee.flip, sums.baseAddress)
  }

  /// y = sums / count, rounded half away from zero, within a range of int8.
  ///
  /// - Parameter isUnsigned: whether it is the uint8 values, 128 more, that are rounded.
  public func average(
    _ sums: UnsafeBufferPointer<Int32>, count: Int, isUnsigned: Bool, range: ClosedRange<Int>,
    into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(sums.count == output.count && (1...1 << 20).contains(count))
    unsafe kernels.pointee.qs8_vaverage(
      sums.count, sums.baseAddress, Int32(count), isUnsigned ? 128 : 0, Int32(range.lowerBound),
      Int32(range.upperBound), kernels.pointee.flip, output.baseAddress)
  }

  /// y = requantized(x * inverseScale).
  public func quantize(
    _ input: UnsafeBufferPointer<Float>, inverseScale: Float, _ requantized: IntegerOutput,
    into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    unsafe kernels.pointee.f32_qs8_vcvt(
      input.count, input.baseAddress, inverseScale, requantized.c, kernels.pointee.flip,
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
    unsafe ck_x8_vlut(input.count, input.baseAddress, table.baseAddress, output.baseAddress)
  }

  /// int8 to uint8 and back: y = x ^ 0x80.
  public func flip(
    _ input: UnsafeBufferPointer<UInt8>, into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(input.count == output.count, "input and output differ in length")
    unsafe kernels.pointee.x8_vflip(input.count, input.baseAddress, output.baseAddress)
  }
}
