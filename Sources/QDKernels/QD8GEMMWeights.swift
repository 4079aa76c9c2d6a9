import CQDKernels
package import QDMemory

/// int8 weights of a fully connected layer or convolution, packed for one instruction set, and
/// their product with dynamically quantized activations.
///
/// Equal to LiteRT with XNNPACK bit for bit:
/// y = clamp(fma(float(Σ (a - zeroPoint) w) * inverseScale, scale[n], bias[n]), minimum, maximum).
@safe public struct QD8GEMMWeights: ~Copyable, Sendable {
  /// More could overflow the 32-bit sums.
  public static let maximumInputs = 65_536

  public let outputs: Int
  public let inputs: Int
  public let instructionSet: InstructionSet
  private let packed: AlignedBuffer<UInt8>
  private let gemm: ck_qd8_f32_qc8w_gemm_fn
  /// For weights that are packed two to a byte.
  private let qc4wGemm: ck_qd8_f32_qc4w_gemm_fn?
  private let tile: ck_tile

  /// - Parameters:
  ///   - weights: `outputs` rows of `inputs` (at most `maximumInputs`) weights.
  ///   - scales: one for each output, or one for all.
  ///   - bias: one for each output; nil is zero.
  ///   - isQC4W: packs weights, all in -8...7, two to a byte, with the same results; requires an
  ///     instruction set that `hasQC4WGEMM`, and rows without segments.
  public init(
    _ weights: [Int8], outputs: Int, inputs: Int, scales: [Float], bias: [Float]? = nil,
    isQC4W: Bool = false, instructionSet: InstructionSet = .best
  ) {
    self.init(
      { weights }, outputs: outputs, inputs: inputs, scales: scales, bias: bias, isQC4W: isQC4W,
      instructionSet: instructionSet, store: nil)
  }

  /// Weights that are decoded only if the store does not have their packed form.
  package init(
    _ weights: @escaping () -> [Int8], outputs: Int, inputs: Int, scales: [Float], bias: [Float]?,
    isQC4W: Bool, instructionSet: InstructionSet, store: BufferStore?
  ) {
    checkLayer(
      outputs: outputs, inputs: inputs, maximumInputs: QD8GEMMWeights.maximumInputs,
      biases: bias?.count)
    let weights = checked(weights, outputs: outputs, inputs: inputs)
    let scales = scalesPerOutput(scales, outputs)
    let bias = bias ?? Array(repeating: 0, count: outputs)
    let products = exactProducts(weights, inputs: inputs, instructionSet, store)
    self.outputs = outputs
    self.inputs = inputs
    self.instructionSet = instructionSet
    unsafe gemm = products.qd8_gemm
    guard isQC4W else {
      let tile = products.tile
      self.tile = tile
      unsafe qc4wGemm = nil
      unsafe packed = store.buffer(count: ck_qd8_f32_qc8w_packed_bytes(tile, outputs, inputs)) {
        unsafe ck_qd8_f32_qc8w_pack(tile, outputs, inputs, weights(), scales, bias, $0)
      }
      return
    }
    precondition(instructionSet.hasQC4WGEMM, "no kernels for two weights in a byte")
    let tile = unsafe instructionSet.kernels.pointee.qc4w_tile
    self.tile = tile
    unsafe qc4wGemm = instructionSet.kernels.pointee.qc4w_gemm
    unsafe packed = store.buffer(count: ck_qd8_f32_qc4w_packed_bytes(tile, outputs, inputs)) {
      let weights = weights()
      precondition(weights.allSatisfy { (-8...7).contains($0) }, "more than 4 bits")
      unsafe ck_qd8_f32_qc4w_pack(tile, outputs, inputs, weights, scales, bias, $0)
    }
  }

  /// Outputs in a tile.
  public var columnTile: Int { tile.columns }

  /// Multiplies `rows` rows of activations; writes `outputs` floats for each.
  ///
  /// - Parameters:
  ///   - input: bytes that `DynamicQuantization` of the same instruction set wrote. Row i is the
  ///     `inputs` bytes at i * `inputStride`; rows may overlap, so that a convolution along
  ///     positions is a product over a padded row.
  ///   - segments: the segments of a row.
  ///   - parameters: one for each row, or one for all.
  ///   - output: row i at i * `outputStride`.
  ///   - columns: the outputs to compute, starting at a multiple of `columnTile`; nil is all. Row i
  ///     of `output` then begins with the first of them.
  ///   - addend: optional values that are added to the results last, in the same layout; other
  ///     memory. Not for weights that are packed two to a byte.
  public borrowing func multiply(
    rows: Int, input: UnsafeBufferPointer<UInt8>, inputStride: Int, segments: RowSegments = .one,
    parameters: UnsafeBufferPointer<QuantizationParameters>,
    output: UnsafeMutableBufferPointer<Float>, outputStride: Int,
    columns: Range<Int>? = nil, minimum: Float = -.infinity, maximum: Float = .infinity,
    addend: UnsafeBufferPointer<Float>? = nil
  ) {
    let columns = tile.checked(columns, of: outputs)
    segments.check(rows, inputs, stride: inputStride, count: input.count)
    checkRows(rows, columns.count, stride: outputStride, count: output.count)
    precondition(parameters.count == 1 || parameters.count >= rows, "too few parameters")
    if let addend = unsafe addend {
      checkRows(rows, columns.count, stride: outputStride, count: addend.count)
    }
    guard rows > 0, !columns.isEmpty else { return }
    if let qc4wGemm = unsafe qc4wGemm {
      unsafe precondition(
        segments.count == 1 && addend == nil, "rows in several stretches, or an addend")
      let skipped = ck_qd8_f32_qc4w_packed_bytes(tile, columns.lowerBound, inputs)
      return unsafe qc4wGemm(
        rows, columns.count, inputs, input.baseAddress, inputStride,
        UnsafePointer(cParameters(UnsafeMutablePointer(mutating: parameters.baseAddress))),
        parameters.count == 1 ? 0 : 1, packed.pointer + skipped, output.baseAddress, outputStride,
        minimum,
        maximum)
    }
    let skipped = ck_qd8_f32_qc8w_packed_bytes(tile, columns.lowerBound, inputs)
    unsafe gemm(
      rows, columns.count, inputs, input.baseAddress, inputStride, segments.count, segments.step,
      UnsafePointer(cParameters(UnsafeMutablePointer(mutating: parameters.baseAddress))),
      parameters.count == 1 ? 0 : 1, packed.pointer + skipped, output.baseAddress, outputStride,
      minimum, maximum, addend?.baseAddress)
  }
}
