import CQDKernels
package import QDMemory

/// The conversion of a full-integer operator's real results to bytes: q = rint(clamp(r, least,
/// greatest)) + zeroPoint, ties to even.
///
/// Unlike `QuantizationParameters` it refers to int8 values, in whatever form they are stored.
public struct QS8Output: BitwiseCopyable, Sendable {
  let least: Float
  let greatest: Float
  let zeroPoint: Int32

  /// - Parameters:
  ///   - zeroPoint: in -128...127.
  ///   - range: limits of the results, as int8 values.
  public init(zeroPoint: Int, range: ClosedRange<Int> = -128...127) {
    precondition((-128...127).contains(zeroPoint), "the zero point is no int8")
    precondition((-128...127).contains(range.lowerBound) && range.upperBound <= 127)
    self.zeroPoint = Int32(zeroPoint)
    least = Float(range.lowerBound - zeroPoint)
    greatest = Float(range.upperBound - zeroPoint)
  }

  /// For int8 values.
  var c: ck_qs8_output {
    ck_qs8_output(least: least, greatest: greatest, zero_point: zeroPoint)
  }
}

/// int8 weights of a full-integer layer, packed for one instruction set, and their product with
/// int8 activations.
///
/// Equal to LiteRT with XNNPACK bit for bit:
/// y = requantized(float(bias[n] + Σ (a - zeroPoint) w) * multipliers[n]).
@safe public struct QS8GEMMWeights: ~Copyable, Sendable {
  /// More could overflow the 32-bit sums, with biases up to `largestBias`.
  public static let maximumInputs = 32_768
  public static let largestBias = 1 << 30

  public let outputs: Int
  public let inputs: Int
  private let packed: AlignedBuffer<UInt8>
  private let gemm: ck_qs8_qc8w_gemm_fn
  private let output: ck_qs8_output
  private let tile: ck_tile

  /// - Parameters:
  ///   - weights: `outputs` rows of `inputs` (at most `maximumInputs`) weights.
  ///   - bias: one for each output, in units of the sums.
  ///   - multipliers: one for each output: input scale times weight scale over output scale.
  ///   - zeroPoint: of the activations, as an int8 value.
  public init(
    _ weights: [Int8], outputs: Int, inputs: Int, bias: [Int32], multipliers: [Float],
    zeroPoint: Int, output: QS8Output, instructionSet: InstructionSet = .best
  ) {
    self.init(
      { weights }, outputs: outputs, inputs: inputs, bias: bias, multipliers: multipliers,
      zeroPoint: zeroPoint, output: output, instructionSet: instructionSet, store: nil)
  }

  /// Weights that are decoded only if the store does not have their packed form.
  package init(
    _ weights: @escaping () -> [Int8], outputs: Int, inputs: Int, bias: [Int32],
    multipliers: [Float], zeroPoint: Int, output: QS8Output, instructionSet: InstructionSet,
    store: BufferStore?
  ) {
    checkQS8Layer(
      outputs: outputs, inputs: inputs, biases: bias.count, multipliers: multipliers.count,
      zeroPoint: zeroPoint)
    let weights = checked(weights, outputs: outputs, inputs: inputs)
    let products = exactProducts(weights, inputs: inputs, instructionSet, store)
    let tile = products.tile
    self.outputs = outputs
    self.inputs = inputs
    self.tile = tile
    var output = output.c
    // The kernel truncates to a byte; adding 128 gives the unsigned form.
    output.zero_point += instructionSet.storesUnsigned ? 128 : 0
    self.output = output
    unsafe gemm = products.qs8_gemm
    unsafe packed = store.buffer(count: ck_qd8_f32_qc8w_packed_bytes(tile, outputs, inputs)) {
      unsafe ck_qs8_qc8w_pack(
        tile, outputs, inputs, weights(), bias, multipliers,
        Int32(zeroPoint) + Int32(products.flip), $0)
    }
  }

  /// Outputs in a tile.
  public var columnTile: Int { tile.columns }

  /// Multiplies `rows` rows of stored activations; stores `outputs` bytes for each.
  ///
  /// - Parameters:
  ///   - input: row i is the `inputs` bytes at i * `inputStride`; rows may overlap.
  ///   - segments: the segments of a row.
  ///   - output: row i at i * `outputStride`.
  ///   - columns: the outputs to compute, starting at a multiple of `columnTile`; nil is all. Row i
  ///     of `output` then begins with the first of them.
  public borrowing func multiply(
    rows: Int, input: UnsafeBufferPointer<UInt8>, inputStride: Int, segments: RowSegments = .one,
    output: UnsafeMutableBufferPointer<UInt8>, outputStride: Int, columns: Range<Int>? = nil
  ) {
    let columns = tile.checked(columns, of: outputs)
    segments.check(rows, inputs, stride: inputStride, count: input.count)
    checkRows(rows, columns.count, stride: outputStride, count: output.count)
    guard rows > 0, !columns.isEmpty else { return }
    let skipped = ck_qd8_f32_qc8w_packed_bytes(tile, columns.lowerBound, inputs)
    unsafe gemm(
      rows, columns.count, inputs, input.baseAddress, inputStride, segments.count, segments.step,
      packed.pointer + skipped, self.output, output.baseAddress, outputStride)
  }
}
