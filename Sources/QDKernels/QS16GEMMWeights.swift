import CQDKernels
package import QDMemory

/// The conversion of a layer's sums to int16, by output: y = clamp((bias + sum) * multiplier,
/// range), rounded to the nearest integer, halves up.
public struct QS16Output: Sendable {
  /// More could overflow the two 32-bit partial sums.
  public static let largestBias: Int64 = 1 << 38
  /// Multipliers outside this range are not rounded exactly.
  public static let multipliers = 0x1p-20..<0x1p7

  /// In units of the sums.
  public var bias: [Int64]
  /// Input scale times weight scale over output scale, converted by `multiplier(_:bits:)`.
  public var multipliers: [Double]
  public var range: ClosedRange<Int>

  public init(bias: [Int64], multipliers: [Double], range: ClosedRange<Int> = -32768...32767) {
    precondition(bias.count == multipliers.count, "one of each for each output")
    precondition(bias.allSatisfy { abs($0) <= QS16Output.largestBias }, "too large a bias")
    precondition(multipliers.allSatisfy { $0 == 0 || QS16Output.multipliers.contains($0) })
    precondition(range.lowerBound >= -32768 && range.upperBound <= 32767, "no int16")
    self.bias = bias
    self.multipliers = multipliers
    self.range = range
  }

  /// A ratio of scales in TensorFlow Lite's fixed-point arithmetic, with 31 or 15 bits.
  public static func multiplier(_ ratio: Double, bits: Int) -> Double {
    precondition(ratio.isFinite && ratio >= 0 && (bits == 31 || bits == 15))
    if ratio == 0 { return 0 }
    let unit = Double(sign: .plus, exponent: Int(ratio.exponent) + 1, significand: 1)
    let whole = (ratio / unit * 0x1p31).rounded(.toNearestOrAwayFromZero)
    if bits == 31 { return whole * 0x1p-31 * unit }
    return min(((whole + 0x1p15) * 0x1p-16).rounded(.down), 0x7FFF) * 0x1p-15 * unit
  }
}

/// int8 weights of a layer with int16 activations, packed for one instruction set, and their
/// product with activations in two planes of bytes (`IntegerElementwise.split`).
///
/// Sums are exact. Equal to LiteRT bit for bit, with multipliers of 31 bits in a fully connected
/// layer and 15 in a convolution.
@safe public struct QS16GEMMWeights: ~Copyable, Sendable {
  /// That of `QS8GEMMWeights`: the kernels are the same.
  public static let maximumInputs = QS8GEMMWeights.maximumInputs

  public let outputs: Int
  public let inputs: Int
  private let packed: AlignedBuffer<UInt8>
  private let gemm: ck_qs16_qc8w_gemm_fn
  private let tile: ck_tile
  private let range: ClosedRange<Int>

  /// `outputs` rows of `inputs` (at most `maximumInputs`) weights.
  public init(
    _ weights: [Int8], outputs: Int, inputs: Int, output: QS16Output,
    instructionSet: InstructionSet = .best
  ) {
    self.init(
      { weights }, outputs: outputs, inputs: inputs, output: output,
      instructionSet: instructionSet, store: nil)
  }

  /// Weights that are decoded only if the store does not have their packed form.
  package init(
    _ weights: @escaping () -> [Int8], outputs: Int, inputs: Int, output: QS16Output,
    instructionSet: InstructionSet, store: BufferStore?
  ) {
    checkLayer(
      outputs: outputs, inputs: inputs, maximumInputs: QS16GEMMWeights.maximumInputs,
      biases: output.bias.count)
    let weights = checked(weights, outputs: outputs, inputs: inputs)
    let products = exactProducts(weights, inputs: inputs, instructionSet, store)
    let tile = products.tile
    self.outputs = outputs
    self.inputs = inputs
    self.tile = tile
    range = output.range
    unsafe gemm = products.qs16_gemm
    unsafe packed = store.buffer(count: ck_qs16_qc8w_packed_bytes(tile, outputs, inputs)) {
      unsafe ck_qs16_qc8w_pack(
        tile, outputs, inputs, weights(), output.bias, output.multipliers, products.flip, $0)
    }
  }

  /// Outputs in a tile.
  public var columnTile: Int { tile.columns }

  /// Multiplies `rows` rows of stored activations; writes `outputs` integers for each.
  ///
  /// - Parameters:
  ///   - input: both planes; row i of a plane is the `inputs` bytes at i * `inputStride`, rows may
  ///     overlap.
  ///   - planeStep: the offset of the plane of low bytes.
  ///   - segments: the segments of a row.
  ///   - output: row i at i * `outputStride`.
  ///   - columns: the outputs to compute, starting at a multiple of `columnTile`; nil is all. Row i
  ///     of `output` then begins with the first of them.
  public borrowing func multiply(
    rows: Int, input: UnsafeBufferPointer<UInt8>, planeStep: Int, inputStride: Int,
    segments: RowSegments = .one, output: UnsafeMutableBufferPointer<Int16>, outputStride: Int,
    columns: Range<Int>? = nil
  ) {
    let columns = tile.checked(columns, of: outputs)
    precondition(planeStep >= 0, "negative shape")
    segments.check(rows, inputs, stride: inputStride, count: input.count - planeStep)
    checkRows(rows, columns.count, stride: outputStride, count: output.count)
    guard rows > 0, !columns.isEmpty else { return }
    let skipped = ck_qs16_qc8w_packed_bytes(tile, columns.lowerBound, inputs)
    unsafe gemm(
      rows, columns.count, inputs, input.baseAddress, planeStep, inputStride, segments.count,
      segments.step, packed.pointer + skipped, Int32(range.lowerBound), Int32(range.upperBound),
      output.baseAddress, outputStride)
  }
}

/// int8 weights of a depthwise convolution of int16 activations, applied to one row of output
/// pixels at a time; the image is padded with 0 beforehand. Formula as in `QS16GEMMWeights`.
@safe public struct QS16DepthwiseWeights: ~Copyable, Sendable {
  /// More could overflow the 32-bit sums.
  public static let maximumTaps = 256

  public let taps: Int
  public let channels: Int
  nonisolated(unsafe) private let kernels: UnsafePointer<ck_kernels>
  private let weights: AlignedBuffer<Int16>
  private let bias: AlignedBuffer<Double>
  private let multipliers: AlignedBuffer<Double>
  private let range: ClosedRange<Int>

  /// Weights [taps][channels].
  public init(
    _ weights: [Int8], taps: Int, channels: Int, output: QS16Output,
    instructionSet: InstructionSet = .best
  ) {
    precondition(taps > 0 && taps <= QS16DepthwiseWeights.maximumTaps && channels > 0)
    precondition(weights.count == taps * channels, "not [taps][channels]")
    precondition(output.bias.count == channels, "one bias per channel")
    self.taps = taps
    self.channels = channels
    unsafe kernels = instructionSet.kernels
    self.weights = AlignedBuffer(weights.map(Int16.init))
    bias = AlignedBuffer(output.bias.map(Double.init))
    multipliers = AlignedBuffer(output.multipliers)
    range = output.range
  }

  /// Computes one row of `pixels` pixels.
  public borrowing func convolve(
    pixels: Int, input: UnsafeBufferPointer<Int16>, pixelStride: Int,
    tapOffsets: UnsafeBufferPointer<Int>, output: UnsafeMutableBufferPointer<Int16>,
    outputStride: Int
  ) {
    unsafe checkTaps(
      pixels, channels, taps, tapOffsets, inputCount: input.count, pixelStride: pixelStride,
      outputCount: output.count, outputStride: outputStride)
    guard pixels > 0 else { return }
    unsafe kernels.pointee.qs16_dwconv(
      pixels, channels, taps, input.baseAddress, pixelStride, tapOffsets.baseAddress,
      weights.pointer, bias.pointer, multipliers.pointer, Int32(range.lowerBound),
      Int32(range.upperBound), output.baseAddress, outputStride)
  }
}
