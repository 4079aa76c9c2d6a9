import CQDKernels
import QDMemory

/// Weights of a depthwise convolution with one output channel per input channel, in int8, applied to
/// one row of output pixels at a time.
///
/// The image is padded beforehand with the quantization's `zeroByte`. Tap t of pixel p reads the
/// channels that begin at p * `pixelStride` + `tapOffsets[t]`.
@safe public struct QD8DepthwiseWeights: ~Copyable, Sendable {
  public let taps: Int
  public let channels: Int
  public let instructionSet: InstructionSet
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>
  private let packed: AlignedBuffer<UInt8>

  /// Weights in int8, [taps][channels], with one scale for each channel or one for all. The number
  /// of taps is a multiple of 4: `DepthwiseTaps` brings them into the order that is read best.
  public init(
    _ weights: [Int8], taps: Int, channels: Int, scales: [Float], bias: [Float]? = nil,
    instructionSet: InstructionSet = .best
  ) {
    precondition(taps > 0 && taps.isMultiple(of: DepthwiseTaps.group) && channels > 0)
    precondition(weights.count == taps * channels, "not [taps][channels]")
    precondition(bias == nil || bias?.count == channels, "one bias per channel")
    let scales = scalesPerOutput(scales, channels)
    let bias = bias ?? Array(repeating: 0, count: channels)
    self.taps = taps
    self.channels = channels
    self.instructionSet = instructionSet
    unsafe kernels = exactKernels(weights, instructionSet)
    let block = unsafe kernels.pointee.dwconv_block
    packed = AlignedBuffer(count: ck_qc8w_dwconv_packed_bytes(block, channels, taps))
    unsafe ck_qd8_f32_qc8w_dwconv_pack(
      block, channels, taps, weights, scales, bias, packed.pointer)
  }

  /// One row of the dynamic-range convolution, with the formula of `QD8GEMMWeights`.
  public borrowing func convolve(
    pixels: Int, input: UnsafeBufferPointer<UInt8>, pixelStride: Int,
    tapOffsets: UnsafeBufferPointer<Int>, parameters: QuantizationParameters,
    output: UnsafeMutableBufferPointer<Float>, outputStride: Int, minimum: Float = -.infinity,
    maximum: Float = .infinity
  ) {
    unsafe checkTaps(
      pixels, channels, taps, tapOffsets, inputCount: input.count, pixelStride: pixelStride,
      outputCount: output.count, outputStride: outputStride)
    guard pixels > 0 else { return }
    unsafe kernels.pointee.qd8_dwconv(
      pixels, channels, taps, input.baseAddress, pixelStride, tapOffsets.baseAddress,
      ck_qd8_params(
        zero_point: parameters.zeroPoint, inverse_scale: parameters.inverseScale),
      packed.pointer, output.baseAddress, outputStride, minimum, maximum)
  }
}
