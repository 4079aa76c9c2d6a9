import CQDKernels
import QDMemory

/// Weights of a depthwise convolution in float, with one output channel per input channel, applied
/// to a row of output pixels at a time.
///
/// The image is not padded: at an edge, only the rows and columns of the kernel that lie on the
/// image are applied.
@safe public struct F32DepthwiseWeights: ~Copyable, Sendable {
  public let kernelRows: Int
  public let kernelColumns: Int
  public let channels: Int
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>
  private let weights: AlignedBuffer<Float>
  private let bias: AlignedBuffer<Float>

  /// Weights [kernelRows][kernelColumns][channels]; a nil bias is zero.
  public init(
    _ weights: [Float], kernelRows: Int, kernelColumns: Int, channels: Int, bias: [Float]? = nil,
    instructionSet: InstructionSet = .best
  ) {
    precondition(kernelRows > 0 && kernelColumns > 0 && channels > 0)
    precondition(weights.count == kernelRows * kernelColumns * channels, "not [taps][channels]")
    precondition(bias == nil || bias?.count == channels, "one bias per channel")
    self.kernelRows = kernelRows
    self.kernelColumns = kernelColumns
    self.channels = channels
    unsafe kernels = instructionSet.kernels
    self.weights = AlignedBuffer(weights)
    self.bias = AlignedBuffer(bias ?? Array(repeating: 0, count: channels))
  }

  /// Computes `pixels` pixels of a row. Their first tap, `first` of the kernel, is at the beginning
  /// of `input` and advances by `pixelStride` values per pixel; `window` gives the number of taps.
  /// Each output is a chain of fused multiply-adds that starts with the bias, in the order of the
  /// taps.
  public borrowing func convolve(
    pixels: Int, window: ImageWindow, first: (row: Int, column: Int),
    input: UnsafeBufferPointer<Float>, pixelStride: Int,
    output: UnsafeMutableBufferPointer<Float>, outputStride: Int, minimum: Float = -.infinity,
    maximum: Float = .infinity
  ) {
    precondition(first.row >= 0 && first.row + window.rows <= kernelRows, "rows of the kernel")
    precondition(
      first.column >= 0 && first.column + window.columns <= kernelColumns, "columns of the kernel")
    window.check(pixels, channels, pixelStride: pixelStride, count: input.count)
    checkRows(pixels, channels, stride: outputStride, count: output.count)
    guard pixels > 0 else { return }
    unsafe kernels.pointee.f32_dwconv(
      pixels, channels, window.inKernel(columns: kernelColumns), input.baseAddress, pixelStride,
      weights.pointer + (first.row * kernelColumns + first.column) * channels, bias.pointer,
      output.baseAddress, outputStride, minimum, maximum)
  }
}
