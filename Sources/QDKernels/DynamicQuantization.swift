import CQDKernels

/// Quantizes float activations to bytes with a range taken from the values themselves, like
/// XNNPACK's qd8 and with its bits (docs/kernels.md has the formula).
///
/// NaN does not count for the range and becomes the least byte. A range with an infinity gives an
/// infinite `inverseScale`, so results computed from it are not finite either. A range too narrow
/// for a finite scale (below 7.5e-37) counts as one of zeros.
@safe public struct DynamicQuantization: Sendable {
  public let instructionSet: InstructionSet
  nonisolated(unsafe) let kernels: UnsafePointer<ck_kernels>

  public init(_ instructionSet: InstructionSet = .best) {
    self.instructionSet = instructionSet
    unsafe kernels = instructionSet.kernels
  }

  /// Quantizes each row with its own parameters (fully connected layers).
  ///
  /// - Parameters:
  ///   - input: `rows` rows of `columns` values, row i at i * `inputStride`.
  ///   - output: as many bytes, row i at i * `outputStride`.
  ///   - parameters: at least `rows` of them.
  public func quantizeRows(
    _ rows: Int, columns: Int, input: UnsafeBufferPointer<Float>, inputStride: Int,
    output: UnsafeMutableBufferPointer<UInt8>, outputStride: Int,
    parameters: UnsafeMutableBufferPointer<QuantizationParameters>
  ) {
    checkRows(rows, columns, stride: inputStride, count: input.count)
    checkRows(rows, columns, stride: outputStride, count: output.count)
    precondition(parameters.count >= rows, "too few parameters")
    guard rows > 0 else { return }
    var part = unsafe ck_row_part(
      x: input.baseAddress, count: columns, stride: inputStride)
    unsafe kernels.pointee.rows(
      rows, 1, &part, kernels.pointee.flip, output.baseAddress, outputStride,
      cParameters(parameters.baseAddress))
  }

  /// Quantizes all rows with the same parameters, which it returns (convolutions).
  public func quantizeImage(
    rows: Int, columns: Int, input: UnsafeBufferPointer<Float>, inputStride: Int,
    output: UnsafeMutableBufferPointer<UInt8>, outputStride: Int
  ) -> QuantizationParameters {
    checkRows(rows, columns, stride: inputStride, count: input.count)
    checkRows(rows, columns, stride: outputStride, count: output.count)
    var least: Float = 0
    var greatest: Float = 0
    // Contiguous rows are one row.
    let whole = inputStride == columns && outputStride == columns
    let (m, k) = whole ? (1, rows * columns) : (rows, columns)
    for row in 0..<m {
      var low: Float = 0
      var high: Float = 0
      unsafe kernels.pointee.range(
        k, input.baseAddress?.advanced(by: row * inputStride), &low, &high)
      least = min(least, low)
      greatest = max(greatest, high)
    }
    let flip = unsafe kernels.pointee.flip
    let scale = ck_qd8_scale_of(least, greatest)
    for row in 0..<m {
      unsafe kernels.pointee.convert(
        k, input.baseAddress?.advanced(by: row * inputStride), scale, flip,
        output.baseAddress?.advanced(by: row * outputStride))
    }
    let parameters = ck_qd8_params_of(scale, flip)
    return QuantizationParameters(
      zeroPoint: parameters.zero_point, inverseScale: parameters.inverse_scale)
  }
}

/// Requires `rows` rows of `columns` elements, `stride` apart, to fit into `count` elements.
func checkRows(_ rows: Int, _ columns: Int, stride: Int, count: Int) {
  precondition(rows >= 0 && columns >= 0 && stride >= 0, "negative shape")
  precondition(rows == 0 || (rows - 1) * stride + columns <= count, "buffer too small")
}

/// The Swift and the C struct have the same two fields.
func cParameters(
  _ pointer: UnsafeMutablePointer<QuantizationParameters>?
) -> UnsafeMutablePointer<ck_qd8_params>? {
  unsafe UnsafeMutableRawPointer(pointer)?.assumingMemoryBound(to: ck_qd8_params.self)
}
