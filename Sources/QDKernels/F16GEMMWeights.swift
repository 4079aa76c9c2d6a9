import CQDKernels
package import QDMemory

/// f16 weights of a layer that multiplies in f16, packed for an instruction set that has
/// `hasF16GEMM`.
///
/// y = bias[n] + scale * Σ half(x / scale) w, where `scale` is a power of two for each row.
/// Products of 16 inputs are added in f16, their sums as floats: the error is at most 7 / 2048 of Σ
/// |x w|, and on average 1 / 2000 of the results of random layers.
@safe public struct F16GEMMWeights: ~Copyable, Sendable {
  /// Larger weights could make a sum of 16 products too large for f16.
  public static let largestWeight: Float = 2048

  public let outputs: Int
  public let inputs: Int
  private let packed: AlignedBuffer<UInt8>
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>

  /// - Parameters:
  ///   - weights: `outputs` rows of `inputs` weights, as the bits of f16.
  ///   - bias: one for each output; nil is zero.
  public init(
    _ weights: [UInt16], outputs: Int, inputs: Int, bias: [Float]? = nil,
    instructionSet: InstructionSet
  ) {
    self.init(
      { weights }, outputs: outputs, inputs: inputs, bias: bias, instructionSet: instructionSet,
      store: nil)
  }

  /// Weights that are decoded only if the store does not have their packed form.
  package init(
    _ weights: @escaping () -> [UInt16], outputs: Int, inputs: Int, bias: [Float]?,
    instructionSet: InstructionSet, store: BufferStore?
  ) {
    checkLayer(outputs: outputs, inputs: inputs, biases: bias?.count)
    let weights = checked(weights, outputs: outputs, inputs: inputs)
    precondition(instructionSet.hasF16GEMM, "no kernels for f16")
    self.outputs = outputs
    self.inputs = inputs
    unsafe kernels = instructionSet.kernels
    let tile = unsafe kernels.pointee.f16_tile
    let bias = bias ?? Array(repeating: 0, count: outputs)
    unsafe packed = store.buffer(count: ck_f16_packed_bytes(tile, outputs, inputs)) {
      unsafe ck_f16_pack(tile, outputs, inputs, weights(), bias, $0)
    }
  }

  /// Converts dense rows of `inputs` floats to f16, with a scale for each.
  public borrowing func convert(
    rows: Int, _ input: UnsafeBufferPointer<Float>, into f16: UnsafeMutableBufferPointer<UInt16>,
    scales: UnsafeMutableBufferPointer<Float>
  ) {
    checkRows(rows, inputs, stride: inputs, count: min(input.count, f16.count))
    precondition(scales.count >= rows, "too few scales")
    guard rows > 0 else { return }
    unsafe kernels.pointee.f16_rows?(
      rows, inputs, input.baseAddress, f16.baseAddress, scales.baseAddress)
  }

  /// Multiplies dense rows of f16; writes dense rows of `outputs` floats.
  public borrowing func multiply(
    rows: Int, _ input: UnsafeBufferPointer<UInt16>, scales: UnsafeBufferPointer<Float>,
    into output: UnsafeMutableBufferPointer<Float>, minimum: Float = -.infinity,
    maximum: Float = .infinity
  ) {
    checkRows(rows, inputs, stride: inputs, count: input.count)
    checkRows(rows, outputs, stride: outputs, count: output.count)
    precondition(scales.count >= rows, "too few scales")
    guard rows > 0 else { return }
    unsafe kernels.pointee.f16_gemm?(
      rows, outputs, inputs, input.baseAddress, inputs, scales.baseAddress, packed.pointer,
      output.baseAddress, outputs, minimum, maximum)
  }
}
