import CQDKernels
import QDMemory

/// int8 weights of a full-integer depthwise convolution with one output channel per input channel,
/// applied to one row of output pixels at a time.
///
/// The image is padded beforehand with the byte for 0. Taps as in `QD8DepthwiseWeights`, formula as
/// in `QS8GEMMWeights`.
@safe public struct QS8DepthwiseWeights: ~Copyable, Sendable {
  /// More could overflow the 32-bit sums, even if only half of the taps have weights.
  public static let maximumTaps = 2 * QS8GEMMWeights.maximumInputs

  public let taps: Int
  public let channels: Int
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>
  private let packed: AlignedBuffer<UInt8>
  private let output: ck_qs8_output

  /// The number of channels that a kernel computes at once.
  public static func block(_ instructionSet: InstructionSet) -> Int {
    unsafe Int(instructionSet.kernels.pointee.dwconv_block)
  }

  /// Weights [taps][channels], with taps as in `QD8DepthwiseWeights`; the other parameters as in
  /// `QS8GEMMWeights`, by channel.
  public init(
    _ weights: [Int8], taps: Int, channels: Int, bias: [Int32], multipliers: [Float],
    zeroPoint: Int, output: QS8Output, instructionSet: InstructionSet = .best
  ) {
    precondition(taps > 0 && taps <= QS8DepthwiseWeights.maximumTaps && channels > 0)
    precondition(taps.isMultiple(of: DepthwiseTaps.group), "taps come four at a time")
    precondition(weights.count == taps * channels, "not [taps][channels]")
    precondition(bias.count == channels && multipliers.count == channels, "one per channel")
    self.taps = taps
    self.channels = channels
    unsafe kernels = exactKernels(weights, instructionSet)
    let flip = unsafe Int32(kernels.pointee.flip)
    var output = output.c
    // As in QS8GEMMWeights.
    output.zero_point += flip
    self.output = output
    let block = unsafe kernels.pointee.dwconv_block
    packed = AlignedBuffer(count: ck_qc8w_dwconv_packed_bytes(block, channels, taps))
    unsafe ck_qs8_qc8w_dwconv_pack(
      block, channels, taps, weights, bias, multipliers, Int32(zeroPoint) + flip, packed.pointer)
  }

  /// Computes one row of `pixels` pixels.
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
      pixels, channels, taps, input.baseAddress, pixelStride, tapOffsets.baseAddress,
      packed.pointer, self.output, output.baseAddress, outputStride)
  }
}

/// Requires everything that the taps of `pixels` pixels read and write to lie within the buffers.
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
