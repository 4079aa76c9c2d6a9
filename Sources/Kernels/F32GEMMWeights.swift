import CKernels
import Memory

/// float weights of a fully connected layer or convolution, packed for one instruction set.
///
/// Each output is one chain of fused multiply-adds that begins with the bias and goes in the order
/// of the inputs, so every instruction set gives the same bits.
@safe public struct F32GEMMWeights: ~Copyable, Sendable {
  public let outputs: Int
  public let inputs: Int
  public let instructionSet: InstructionSet
  private let packed: AlignedBuffer<Float>
  private let gemm: ck_f32_gemm_fn

  /// - Parameters:
  ///   - weights: `outputs` rows of `inputs` weights.
  ///   - bias: one for each output; nil is zero.
  public init(
    _ weights: [Float], outputs: Int, inputs: Int, bias: [Float]? = nil,
    instructionSet: InstructionSet = .best
  ) {
    precondition(outputs > 0 && inputs > 0)
    precondition(weights.count == outputs * inputs, "weights are not [outputs][inputs]")
    precondition(bias == nil || bias?.count == outputs, "one bias per output")
    let bias = bias ?? Array(repeating: 0, count: outputs)
    let kernels = unsafe instructionSet.kernels
    let tile = unsafe kernels.pointee.f32_tile
    self.outputs = outputs
    self.inputs = inputs
    self.instructionSet = instructionSet
    packed = AlignedBuffer(
      count: ck_f32_packed_bytes(tile, outputs, inputs) / MemoryLayout<Float>.stride)
    unsafe gemm = kernels.pointee.f32_gemm
    unsafe ck_f32_pack(tile, outputs, inputs, weights, bias, packed.pointer)
  }

  /// Multiplies `rows` rows of activations; writes `outputs` floats for each.
  ///
  /// - Parameters:
  ///   - input: row i is the `inputs` values at i * `inputStride`, or as many `segments`; rows may
  ///     overlap.
  ///   - output: row i at i * `outputStride`; not the memory of `input`.
  ///   - addend: what is added to the results last, laid out as they are, if there is any; other
  ///     memory.
  public borrowing func multiply(
    rows: Int, input: UnsafeBufferPointer<Float>, inputStride: Int,
    segments: RowSegments = .one, output: UnsafeMutableBufferPointer<Float>, outputStride: Int,
    minimum: Float = -.infinity, maximum: Float = .infinity,
    addend: UnsafeBufferPointer<Float>? = nil
  ) {
    segments.check(rows, inputs, stride: inputStride, count: input.count, group: 1)
    checkRows(rows, outputs, stride: outputStride, count: output.count)
    if let addend = unsafe addend {
      checkRows(rows, outputs, stride: outputStride, count: addend.count)
    }
    guard rows > 0 else { return }
    unsafe gemm(
      rows, outputs, inputs, input.baseAddress, inputStride, segments.count, segments.step,
      packed.pointer, output.baseAddress, outputStride, minimum, maximum, addend?.baseAddress)
  }
}
