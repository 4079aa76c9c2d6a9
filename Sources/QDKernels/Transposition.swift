import CQDKernels

/// Writes the columns of `input` as rows of `output`.
///
/// - Parameters:
///   - input: `rows` rows of `columns` values, row i at i * `inputStride`.
///   - output: `columns` rows of `rows` values, row j at j * `outputStride`; other memory.
public func transpose(
  rows: Int, columns: Int, input: UnsafeBufferPointer<Float>, inputStride: Int,
  output: UnsafeMutableBufferPointer<Float>, outputStride: Int
) {
  checkRows(rows, columns, stride: inputStride, count: input.count)
  checkRows(columns, rows, stride: outputStride, count: output.count)
  guard rows > 0, columns > 0 else { return }
  unsafe ck_f32_transpose(
    rows, columns, input.baseAddress, inputStride, output.baseAddress, outputStride)
}
