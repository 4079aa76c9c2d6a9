import CKernels
import Memory

/// int8 weights of a full-integer depthwise convolution with one output channel per input channel,
/// applied to one row of output pixels at a time.
///
/// The image is padded beforehand with the byte that stands for 0. Taps as in `DepthwiseWeights`,
/// formula as in `FullIntegerWeights`.
@safe public struct FullIntegerDepthwiseWeights: ~Copyable, Sendable {
  /// More could overflow the 32-bit sums.
  public static let maximumTaps = FullIntegerWeights.maximumInputs

  public let taps: Int
  public let channels: Int
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>
  private let weights: AlignedBuffer<Int8>
  private let bias: AlignedBuffer<Int32>
  private let multipliers: AlignedBuffer<Float>
  private let zeroPoint: Int32
  private let output: ck_qs8_output

  /// Weights [taps][channels]; the other parameters as those of `FullIntegerWeights`, by channel.
  public init(
    _ weights: [Int8], taps: Int, channels: Int, bias: [Int32], multipliers: [Float],
    zeroPoint: Int, output: IntegerOutput, instructionSet: InstructionSet = .best
  ) {
    precondition(taps > 0 && taps <= FullIntegerDepthwiseWeights.maximumTaps && channels > 0)
    precondition(weights.count == taps * channels, "not [taps][channels]")
    precondition(bias.count == channels && multipliers.count == channels, "one per channel")
    self.taps = taps
    self.channels = channels
    unsafe kernels = instructionSet.kernels
    self.weights = AlignedBuffer(weights)
    self.bias = AlignedBuffer(bias)
    self.multipliers = AlignedBuffer(multipliers)
    self.zeroPoint = Int32(zeroPoint)
    self.output = output.c
  }

  /// One row of `pixels` pixels.
  public borrowing func convolve(
    pixels: Int, input: UnsafeBufferPointer<UInt8>, pixelStride: Int,
    tapOffsets: UnsafeBufferPointer<Int>, output: UnsafeMutableBufferPointer<UInt8>,
    outputStride: Int
  ) {
    unsafe checkTaps(
      pixels, channels, taps, tapOffsets, inputCount: input.count, pixelStride: pixelStride,
      outputCount: output.count, outputStride: outputStride)
    guard pixels > 0 else { return }
    unsafe kernels.pointee.qs8_dwconv(
      pixels, channels, taps, input.baseAddress, pixelStride, tapOffsets.baseAddress, zeroPoint,
      kernels.pointee.flip, weights.pointer, bias.pointer, multipliers.pointer, self.output,
      output.baseAddress, outputStride)
  }
}

/// Whether what the taps of `pixels` pixels read and write lies within the buffers.
func checkTaps(
  _ pixels: Int, _ channels: Int, _ taps: Int, _ tapOffsets: UnsafeBufferPointer<Int>,
  inputCount: Int, pixelStride: Int, outputCount: Int, outputStride: Int
) {
  precondition(tapOffsets.count == taps, "one offset per tap")
  checkRows(pixels, channels, stride: outputStride, count: outputCount)
  for tap in 0..<taps {
    let offset = unsafe tapOffsets[tap]
    precondition(offset >= 0, "a tap before the image")
    checkRows(pixels, offset + channels, stride: pixelStride, count: inputCount)
  }
}
