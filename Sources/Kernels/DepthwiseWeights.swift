import CKernels
import Memory

/// Weights of a depthwise convolution with one output channel per input channel, in float or in
/// int8, applied to one row of output pixels at a time.
///
/// The image is padded beforehand: with 0, or with the quantization's `zeroByte`. Tap t of pixel
/// p reads the channels that begin at p * `pixelStride` + `tapOffsets[t]`.
@safe public struct DepthwiseWeights: ~Copyable, Sendable {
  public let taps: Int
  public let channels: Int
  public let instructionSet: InstructionSet
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>
  private let floats: AlignedBuffer<Float>
  private let bytes: AlignedBuffer<Int8>
  private let scales: AlignedBuffer<Float>
  private let bias: AlignedBuffer<Float>

  /// Weights in float, [taps][channels]; a nil bias is zero.
  public init(
    _ weights: [Float], taps: Int, channels: Int, bias: [Float]? = nil,
    instructionSet: InstructionSet = .best
  ) {
    self.init(
      floats: weights, bytes: [], taps: taps, channels: channels, scales: [], bias: bias,
      instructionSet: instructionSet)
  }

  /// Weights in int8, [taps][channels], with one scale for each channel or one for all.
  public init(
    _ weights: [Int8], taps: Int, channels: Int, scales: [Float], bias: [Float]? = nil,
    instructionSet: InstructionSet = .best
  ) {
    precondition(scales.count == channels || scales.count == 1, "one scale, or one per channel")
    let all = scales.count == channels ? scales : Array(repeating: scales[0], count: channels)
    self.init(
      floats: [], bytes: weights, taps: taps, channels: channels, scales: all, bias: bias,
      instructionSet: instructionSet)
  }

  private init(
    floats: [Float], bytes: [Int8], taps: Int, channels: Int, scales: [Float], bias: [Float]?,
    instructionSet: InstructionSet
  ) {
    precondition(taps > 0 && channels > 0)
    precondition(max(floats.count, bytes.count) == taps * channels, "not [taps][channels]")
    precondition(bias == nil || bias?.count == channels, "one bias per channel")
    self.taps = taps
    self.channels = channels
    self.instructionSet = instructionSet
    unsafe kernels = instructionSet.kernels
    self.floats = AlignedBuffer(floats)
    self.bytes = AlignedBuffer(bytes)
    self.scales = AlignedBuffer(scales)
    self.bias = AlignedBuffer(bias ?? Array(repeating: 0, count: channels))
  }

  /// One row of the float convolution: `pixels` pixels of `channels` values.
  public borrowing func convolve(
    pixels: Int, input: UnsafeBufferPointer<Float>, pixelStride: Int,
    tapOffsets: UnsafeBufferPointer<Int>, output: UnsafeMutableBufferPointer<Float>,
    outputStride: Int, minimum: Float = -.infinity, maximum: Float = .infinity
  ) {
    precondition(floats.count > 0, "these weights are int8")
    unsafe checkTaps(
      pixels, channels, taps, tapOffsets, inputCount: input.count, pixelStride: pixelStride,
      outputCount: output.count, outputStride: outputStride)
    guard pixels > 0 else { return }
    unsafe kernels.pointee.f32_dwconv(
      pixels, channels, taps, input.baseAddress, pixelStride, tapOffsets.baseAddress,
      floats.pointer, bias.pointer, output.baseAddress, outputStride, minimum, maximum)
  }

  /// One row of the dynamic-range convolution, with the formula of `PackedInt8Weights`.
  public borrowing func convolve(
    pixels: Int, input: UnsafeBufferPointer<UInt8>, pixelStride: Int,
    tapOffsets: UnsafeBufferPointer<Int>, parameters: QuantizationParameters,
    output: UnsafeMutableBufferPointer<Float>, outputStride: Int, minimum: Float = -.infinity,
    maximum: Float = .infinity
  ) {
    precondition(bytes.count > 0, "these weights are float")
    unsafe checkTaps(
      pixels, channels, taps, tapOffsets, inputCount: input.count, pixelStride: pixelStride,
      outputCount: output.count, outputStride: outputStride)
    guard pixels > 0 else { return }
    unsafe kernels.pointee.qd8_dwconv(
      pixels, channels, taps, input.baseAddress, pixelStride, tapOffsets.baseAddress,
      ck_qd8_params(
        zero_point: parameters.zeroPoint, inverse_scale: parameters.inverseScale),
      kernels.pointee.flip, bytes.pointer, scales.pointer, bias.pointer, output.baseAddress,
      outputStride, minimum, maximum)
  }
}
