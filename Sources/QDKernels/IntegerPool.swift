import CQDKernels

/// Maxima and means over windows of an image of stored bytes, channel by channel. Every instruction
/// set gives the same bits.
@safe public struct IntegerPool: Sendable {
  /// The limits of a pool's results, as int8 values, and the rounding of means: half away from
  /// zero, of int8 values or of uint8 values, which are 128 more.
  public struct Results: Sendable {
    let range: ClosedRange<Int32>
    let isUnsigned: Bool

    public init(range: ClosedRange<Int>, isUnsigned: Bool) {
      precondition(range.lowerBound >= -128 && range.upperBound <= 127, "no range of int8")
      self.range = Int32(range.lowerBound)...Int32(range.upperBound)
      self.isUnsigned = isUnsigned
    }
  }

  /// Sums of more taps are not rounded exactly.
  public static let maximumTaps = 1 << 14

  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>

  public init(_ instructionSet: InstructionSet = .best) {
    unsafe kernels = instructionSet.kernels
  }

  /// Computes `pixels` output pixels of `channels` values, densely. Their first tap is at the
  /// beginning of `input` and advances by `pixelStride` values per pixel.
  public func pool(
    isMaximum: Bool, pixels: Int, channels: Int, window: ImageWindow,
    input: UnsafeBufferPointer<UInt8>, pixelStride: Int, _ results: Results,
    into output: UnsafeMutableBufferPointer<UInt8>
  ) {
    precondition(pixels >= 0 && channels > 0)
    precondition(window.rows > 0 && window.columns > 0, "a pool of nothing")
    precondition(isMaximum || window.rows <= Self.maximumTaps / window.columns, "too many taps")
    window.check(pixels, channels, pixelStride: pixelStride, count: input.count)
    checkRows(pixels, channels, stride: channels, count: output.count)
    guard pixels > 0 else { return }
    let kernel = unsafe isMaximum ? kernels.pointee.qs8_maxpool : kernels.pointee.qs8_avgpool
    unsafe kernel(
      pixels, channels, window.inKernel(columns: window.columns), input.baseAddress, pixelStride,
      ck_qs8_pooling(
        least: results.range.lowerBound, greatest: results.range.upperBound,
        offset: results.isUnsigned ? 128 : 0, flip: kernels.pointee.flip), output.baseAddress,
      channels)
  }
}
