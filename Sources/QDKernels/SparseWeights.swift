import CQDKernels
import QDMemory

/// The nonzero weights of a layer, in the form for products with blocks of rows.
private struct SparseRows {
  var ends: [UInt32] = []
  /// Indices of inputs, times the rows of a block.
  var columns: [UInt32] = []
  /// The index of each weight in [outputs][inputs].
  var places: [Int] = []

  /// - Parameter isPaired: whether each output has an even number of weights; a single last weight
  ///   is then followed by its column again, with the place -1.
  init(
    outputs: Int, inputs: Int, block: Int, isPaired: Bool, isZero: (_ place: Int) -> Bool
  ) {
    for output in 0..<outputs {
      for input in 0..<inputs where !isZero(output * inputs + input) {
        columns.append(UInt32(input * block))
        places.append(output * inputs + input)
      }
      if isPaired, !columns.count.isMultiple(of: 2) {
        columns.append(columns[columns.count - 1])
        places.append(-1)
      }
      ends.append(UInt32(isPaired ? columns.count / 2 : columns.count))
    }
  }
}

extension InstructionSet {
  /// Whether products with sparse float weights are faster than dense ones.
  package var hasF32Sparse: Bool { unsafe kernels.pointee.f32_spmm != nil }

  /// Whether products with sparse int8 weights are faster than dense ones.
  package var hasInt8Sparse: Bool { unsafe kernels.pointee.qs8_spmm != nil }

  /// The rows of a block of such products; with fewer rows they are no faster.
  package var sparseRows: Int { unsafe Int(kernels.pointee.sparse_rows) }
}

/// Mostly zero float weights, and their product with rows of activations.
///
/// The results have the bits of `F32GEMMWeights` with the same weights if all activations are
/// finite, because products with a weight of zero are omitted.
@safe public struct F32SparseWeights: ~Copyable, Sendable {
  public let outputs: Int
  public let inputs: Int
  /// Floats of scratch that `multiply` needs.
  public let scratchCount: Int
  private let ends: AlignedBuffer<UInt32>
  private let columns: AlignedBuffer<UInt32>
  private let values: AlignedBuffer<Float>
  private let bias: AlignedBuffer<Float>
  private let spmm: ck_f32_spmm_fn

  /// - Parameters:
  ///   - weights: `outputs` rows of `inputs` weights.
  ///   - bias: one for each output; nil is zero.
  ///   - instructionSet: one that `hasF32Sparse`.
  public init(
    _ weights: [Float], outputs: Int, inputs: Int, bias: [Float]? = nil,
    instructionSet: InstructionSet = .best
  ) {
    checkWeights(weights.count, outputs: outputs, inputs: inputs, biases: bias?.count)
    guard let spmm = unsafe instructionSet.kernels.pointee.f32_spmm else {
      preconditionFailure("no kernels for sparse weights")
    }
    let block = instructionSet.sparseRows
    let rows = SparseRows(outputs: outputs, inputs: inputs, block: block, isPaired: false) {
      weights[$0] == 0
    }
    self.outputs = outputs
    self.inputs = inputs
    unsafe self.spmm = spmm
    scratchCount = inputs * block
    ends = AlignedBuffer(rows.ends)
    columns = AlignedBuffer(rows.columns)
    values = AlignedBuffer(rows.places.map { weights[$0] })
    self.bias = AlignedBuffer(bias ?? Array(repeating: 0, count: outputs))
  }

  /// Multiplies `rows` rows of activations, row i of which begins at i * `inputStride`; writes
  /// `outputs` floats for each, at i * `outputStride`. The scratch has `scratchCount` elements.
  public borrowing func multiply(
    rows: Int, input: UnsafeBufferPointer<Float>, inputStride: Int,
    scratch: UnsafeMutableBufferPointer<Float>, output: UnsafeMutableBufferPointer<Float>,
    outputStride: Int, minimum: Float = -.infinity, maximum: Float = .infinity
  ) {
    checkRows(rows, inputs, stride: inputStride, count: input.count)
    checkRows(rows, outputs, stride: outputStride, count: output.count)
    precondition(scratch.count >= scratchCount, "too small a scratch")
    guard rows > 0 else { return }
    unsafe spmm(
      rows, outputs, inputs, input.baseAddress, inputStride,
      ck_sparse(ends: ends.pointer, columns: columns.pointer), values.pointer, bias.pointer,
      scratch.baseAddress, output.baseAddress, outputStride, minimum, maximum)
  }
}

/// Mostly zero int8 weights, in pairs.
private struct Int8SparseWeights: ~Copyable, Sendable {
  let ends: AlignedBuffer<UInt32>
  let columns: AlignedBuffer<UInt32>
  let values: AlignedBuffer<UInt32>

  init(_ weights: [Int8], outputs: Int, inputs: Int, _ instructionSet: InstructionSet) {
    let rows = SparseRows(
      outputs: outputs, inputs: inputs, block: instructionSet.sparseRows, isPaired: true
    ) { weights[$0] == 0 }
    func bits(_ place: Int) -> UInt32 {
      UInt32(UInt16(bitPattern: Int16(place < 0 ? 0 : weights[place])))
    }
    ends = AlignedBuffer(rows.ends)
    columns = AlignedBuffer(rows.columns)
    values = AlignedBuffer(
      stride(from: 0, to: rows.places.count, by: 2).map {
        bits(rows.places[$0]) | bits(rows.places[$0 + 1]) << 16
      })
  }

  var c: ck_sparse_pairs {
    unsafe ck_sparse_pairs(
      weights: ck_sparse(ends: ends.pointer, columns: columns.pointer), values: values.pointer)
  }
}

/// The same as `QD8GEMMWeights`, with its bits, for mostly zero weights.
@safe public struct QD8SparseWeights: ~Copyable, Sendable {
  public let outputs: Int
  public let inputs: Int
  /// int16 of scratch that `multiply` needs.
  public let scratchCount: Int
  private let weights: Int8SparseWeights
  private let scales: AlignedBuffer<Float>
  private let bias: AlignedBuffer<Float>
  private let spmm: ck_qd8_spmm_fn

  /// - Parameters:
  ///   - weights: `outputs` rows of `inputs` weights, at most `QS8GEMMWeights.maximumInputs`.
  ///   - scales: one for each output, or one for all.
  ///   - bias: one for each output; nil is zero.
  ///   - instructionSet: one that `hasInt8Sparse`.
  public init(
    _ weights: [Int8], outputs: Int, inputs: Int, scales: [Float], bias: [Float]? = nil,
    instructionSet: InstructionSet = .best
  ) {
    checkWeights(
      weights.count, outputs: outputs, inputs: inputs, maximumInputs: QS8GEMMWeights.maximumInputs,
      biases: bias?.count)
    guard let spmm = unsafe instructionSet.kernels.pointee.qd8_spmm else {
      preconditionFailure("no kernels for sparse weights")
    }
    self.outputs = outputs
    self.inputs = inputs
    unsafe self.spmm = spmm
    scratchCount = inputs * instructionSet.sparseRows
    self.weights = Int8SparseWeights(weights, outputs: outputs, inputs: inputs, instructionSet)
    self.scales = AlignedBuffer(scalesPerOutput(scales, outputs))
    self.bias = AlignedBuffer(bias ?? Array(repeating: 0, count: outputs))
  }

  /// Multiplies `rows` rows of bytes, row i of which begins at i * `inputStride` and has its own
  /// parameters or those of all; writes `outputs` floats for each, at i * `outputStride`.
  public borrowing func multiply(
    rows: Int, input: UnsafeBufferPointer<UInt8>, inputStride: Int,
    parameters: UnsafeBufferPointer<QuantizationParameters>,
    scratch: UnsafeMutableBufferPointer<Int16>, output: UnsafeMutableBufferPointer<Float>,
    outputStride: Int, minimum: Float = -.infinity, maximum: Float = .infinity
  ) {
    checkRows(rows, inputs, stride: inputStride, count: input.count)
    checkRows(rows, outputs, stride: outputStride, count: output.count)
    precondition(parameters.count == 1 || parameters.count >= rows, "too few parameters")
    precondition(scratch.count >= scratchCount, "too small a scratch")
    guard rows > 0 else { return }
    unsafe spmm(
      rows, outputs, inputs, input.baseAddress, inputStride, weights.c,
      UnsafePointer(cParameters(UnsafeMutablePointer(mutating: parameters.baseAddress))),
      parameters.count == 1 ? 0 : 1, scales.pointer, bias.pointer, scratch.baseAddress,
      output.baseAddress, outputStride, minimum, maximum)
  }
}

/// The same as `QS8GEMMWeights`, with its bits, for mostly zero weights.
@safe public struct QS8SparseWeights: ~Copyable, Sendable {
  public let outputs: Int
  public let inputs: Int
  /// int16 of scratch that `multiply` needs.
  public let scratchCount: Int
  private let weights: Int8SparseWeights
  private let bias: AlignedBuffer<Int32>
  private let multipliers: AlignedBuffer<Float>
  private let zeroPoint: Int32
  private let output: ck_qs8_output
  private let spmm: ck_qs8_spmm_fn

  /// Parameters as in `QS8GEMMWeights`; requires an instruction set that `hasInt8Sparse`.
  public init(
    _ weights: [Int8], outputs: Int, inputs: Int, bias: [Int32], multipliers: [Float],
    zeroPoint: Int, output: QS8Output, instructionSet: InstructionSet = .best
  ) {
    checkQS8Layer(
      outputs: outputs, inputs: inputs, biases: bias.count, multipliers: multipliers.count,
      zeroPoint: zeroPoint)
    precondition(weights.count == outputs * inputs, "weights are not [outputs][inputs]")
    precondition(!instructionSet.storesUnsigned, "activations are stored as uint8")
    guard let spmm = unsafe instructionSet.kernels.pointee.qs8_spmm else {
      preconditionFailure("no kernels for sparse weights")
    }
    self.outputs = outputs
    self.inputs = inputs
    unsafe self.spmm = spmm
    self.output = output.c
    self.zeroPoint = Int32(zeroPoint)
    scratchCount = inputs * instructionSet.sparseRows
    self.weights = Int8SparseWeights(weights, outputs: outputs, inputs: inputs, instructionSet)
    self.bias = AlignedBuffer(bias)
    self.multipliers = AlignedBuffer(multipliers)
  }

  /// Multiplies `rows` rows of stored activations, row i of which begins at i * `inputStride`;
  /// stores `outputs` bytes for each, at i * `outputStride`.
  public borrowing func multiply(
    rows: Int, input: UnsafeBufferPointer<UInt8>, inputStride: Int,
    scratch: UnsafeMutableBufferPointer<Int16>, output: UnsafeMutableBufferPointer<UInt8>,
    outputStride: Int
  ) {
    checkRows(rows, inputs, stride: inputStride, count: input.count)
    checkRows(rows, outputs, stride: outputStride, count: output.count)
    precondition(scratch.count >= scratchCount, "too small a scratch")
    guard rows > 0 else { return }
    unsafe spmm(
      rows, outputs, inputs, input.baseAddress, inputStride, weights.c, zeroPoint, bias.pointer,
      multipliers.pointer, scratch.baseAddress, self.output, output.baseAddress, outputStride)
  }
}
