import CQDKernels

/// Maxima and means over windows of an image of floats, channel by channel, and sums of rows.
@safe public struct FloatPool: Sendable {
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>

  public init(_ instructionSet: InstructionSet = .best) {
    unsafe kernels = instructionSet.kernels
  }

  /// The maximum over the window, limited to the range, for `pixels` output pixels of `channels`
  /// values, densely. Their first tap is at the beginning of `input` and advances by `pixelStride`
  /// values per pixel.
  public func maximum(
    pixels: Int, channels: Int, window: ImageWindow, input: UnsafeBufferPointer<Float>,
    pixelStride: Int, into output: UnsafeMutableBufferPointer<Float>, minimum: Float = -.infinity,
    maximum: Float = .infinity
  ) {
    check(pixels, channels, window, pixelStride, input.count, output.count)
    guard pixels > 0 else { return }
    unsafe kernels.pointee.f32_maxpool(
      pixels, channels, window.inKernel(columns: window.columns), input.baseAddress, pixelStride,
      output.baseAddress, channels, minimum, maximum)
  }

  /// The same for the sum times `factor`, added in XNNPACK's order: nine taps of the kernel at a
  /// time, column by column.
  /// - Parameters:
  ///   - kernelRows: the rows of the whole kernel, of which the window is a part.
  ///   - first: the row and column of the kernel at which the window begins.
  public func mean(
    pixels: Int, channels: Int, window: ImageWindow, kernelRows: Int,
    first: (row: Int, column: Int), input: UnsafeBufferPointer<Float>, pixelStride: Int,
    factor: Float, into output: UnsafeMutableBufferPointer<Float>, minimum: Float = -.infinity,
    maximum: Float = .infinity
  ) {
    check(pixels, channels, window, pixelStride, input.count, output.count)
    precondition(window.rows > 0 && window.columns > 0, "a pool of nothing")
    precondition(first.row >= 0 && first.column >= 0 && first.row + window.rows <= kernelRows)
    guard pixels > 0 else { return }
    unsafe kernels.pointee.f32_avgpool(
      pixels, channels, window.inKernel(columns: window.columns),
      ck_kernel_part(rows: kernelRows, first_row: first.row, first_column: first.column),
      input.baseAddress, pixelStride, factor, output.baseAddress, channels, minimum, maximum)
  }

  /// y = factor * the sum of all rows of `input`, each as long as `output`, in their order.
  public func sumRows(
    _ input: UnsafeBufferPointer<Float>, factor: Float,
    into output: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(!output.isEmpty && input.count % output.count == 0, "input is not of whole rows")
    unsafe kernels.pointee.f32_sum_rows(
      input.count / output.count, output.count, input.baseAddress, factor, output.baseAddress)
  }

  private func check(
    _ pixels: Int, _ channels: Int, _ window: ImageWindow, _ pixelStride: Int, _ inputs: Int,
    _ outputs: Int
  ) {
    precondition(pixels >= 0 && channels > 0)
    window.check(pixels, channels, pixelStride: pixelStride, count: inputs)
    checkRows(pixels, channels, stride: channels, count: outputs)
  }
}
