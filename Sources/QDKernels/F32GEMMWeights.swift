import CQDKernels
package import QDMemory

/// float weights of a fully connected layer or convolution, packed for one instruction set.
///
/// Each output is one chain of fused multiply-adds that starts with the bias and follows the order
/// of the inputs, so every instruction set gives the same bits.
@safe public struct F32GEMMWeights: ~Copyable, Sendable {
  public let outputs: Int
  public let inputs: Int
  public let instructionSet: InstructionSet
  private let packed: AlignedBuffer<Float>
  private let gemm: ck_f32_gemm_fn
  private let tile: ck_tile

  /// - Parameters:
  ///   - weights: `outputs` rows of `inputs` weights.
  ///   - bias: one for each output; nil is zero.
  public init(
    _ weights: [Float], outputs: Int, inputs: Int, bias: [Float]? = nil,
    instructionSet: InstructionSet = .best
  ) {
    self.init(
      { weights }, outputs: outputs, inputs: inputs, bias: bias, instructionSet: instructionSet,
      store: nil)
  }

  /// Weights that are decoded only if the store does not have their packed form.
  package init(
    _ weights: @escaping () -> [Float], outputs: Int, inputs: Int, bias: [Float]?,
    instructionSet: InstructionSet, store: BufferStore?
  ) {
    checkLayer(outputs: outputs, inputs: inputs, biases: bias?.count)
    let weights = checked(weights, outputs: outputs, inputs: inputs)
    let bias = bias ?? Array(repeating: 0, count: outputs)
    let kernels = unsafe instructionSet.kernels
    let tile = unsafe kernels.pointee.f32_tile
    self.outputs = outputs
    self.inputs = inputs
    self.tile = tile
    self.instructionSet = instructionSet
    unsafe gemm = kernels.pointee.f32_gemm
    unsafe packed = store.buffer(
      count: ck_f32_packed_bytes(tile, outputs, inputs) / MemoryLayout<Float>.stride
    ) { unsafe ck_f32_pack(tile, outputs, inputs, weights(), bias, $0) }
  }

  /// Outputs in a tile.
  public var columnTile: Int { tile.columns }

  /// Multiplies `rows` rows of activations; writes `outputs` floats for each.
  ///
  /// - Parameters:
  ///   - input: row i is the `inputs` values at i * `inputStride`, or `segments` of them; rows may
  ///     overlap.
  ///   - output: row i at i * `outputStride`; not the memory of `input`.
  ///   - columns: the outputs to compute, starting at a multiple of `columnTile`; nil is all. Row i
  ///     of `output` then begins with the first of them.
  ///   - addend: optional values that are added to the results last, in the same layout; other
  ///     memory.
  public borrowing func multiply(
    rows: Int, input: UnsafeBufferPointer<Float>, inputStride: Int,
    segments: RowSegments = .one, output: UnsafeMutableBufferPointer<Float>, outputStride: Int,
    columns: Range<Int>? = nil, minimum: Float = -.infinity, maximum: Float = .infinity,
    addend: UnsafeBufferPointer<Float>? = nil
  ) {
    let columns = tile.checked(columns, of: outputs)
    segments.check(rows, inputs, stride: inputStride, count: input.count, group: 1)
    checkRows(rows, columns.count, stride: outputStride, count: output.count)
    if let addend = unsafe addend {
      checkRows(rows, columns.count, stride: outputStride, count: addend.count)
    }
    guard rows > 0, !columns.isEmpty else { return }
    let skipped = ck_f32_packed_bytes(tile, columns.lowerBound, inputs) / MemoryLayout<Float>.size
    unsafe gemm(
      rows, columns.count, inputs, input.baseAddress, inputStride, segments.count, segments.step,
      packed.pointer + skipped, output.baseAddress, outputStride, minimum, maximum,
      addend?.baseAddress)
  }
}
