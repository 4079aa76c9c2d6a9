import CKernels

/// Maxima and means of what a window sees of an image of floats, channel by channel.
@safe public struct FloatPool: Sendable {
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>

  public init(_ instructionSet: InstructionSet = .best) {
    unsafe kernels = instructionSet.kernels
  }

  /// `pixels` output pixels of `channels` values, densely. Their first tap is at the beginning of
  /// `input` and `pixelStride` values further for each. A result is the greatest value, or the sum in
  /// the order of the taps times `factor`, between the limits.
  public func pool(
    isMaximum: Bool, pixels: Int, channels: Int, window: ImageWindow,
    input: UnsafeBufferPointer<Float>, pixelStride: Int, factor: Float = 1,
    into output: UnsafeMutableBufferPointer<Float>, minimum: Float = -.infinity,
    maximum: Float = .infinity
  ) {
    precondition(pixels >= 0 && channels > 0)
    window.check(pixels, channels, pixelStride: pixelStride, count: input.count)
    checkRows(pixels, channels, stride: channels, count: output.count)
    guard pixels > 0 else { return }
    let kernel = unsafe isMaximum ? kernels.pointee.f32_maxpool : kernels.pointee.f32_avgpool
    unsafe kernel(
      pixels, channels, window.inKernel(columns: window.columns), input.baseAddress, pixelStride,
      factor, output.baseAddress, channels, minimum, maximum)
  }
}
