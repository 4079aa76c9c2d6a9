import CQDKernels

/// Copies `rows` rows of `size` bytes, `inputStride` and `outputStride` bytes apart.
///
/// - Parameter output: other memory than `input`.
public func copyRows(
  _ rows: Int, size: Int, input: UnsafeBufferPointer<UInt8>, inputStride: Int,
  output: UnsafeMutableBufferPointer<UInt8>, outputStride: Int
) {
  guard rows > 0, size > 0 else { return }
  let (last, first) = ((rows - 1) * inputStride, (rows - 1) * outputStride)
  precondition(last >= 0 && last + size <= input.count, "input of the wrong length")
  precondition(first >= 0 && first + size <= output.count, "output of the wrong length")
  unsafe ck_copy_rows(
    rows, size, input.baseAddress, inputStride, output.baseAddress, outputStride)
}
