import CQDKernels

/// An operand of a binary function: a matrix whose rows are `stride` apart, with a `step` of 0 or 1
/// between the values of a row.
@unsafe public struct Operand<Element: BitwiseCopyable> {
  @usableFromInline let values: UnsafeBufferPointer<Element>
  @usableFromInline let stride: Int
  @usableFromInline let step: Int

  @inlinable
  public init(_ values: UnsafeBufferPointer<Element>, stride: Int, step: Int) {
    precondition(stride >= 0 && (step == 0 || step == 1), "no such operand")
    unsafe self.values = values
    unsafe self.stride = stride
    unsafe self.step = step
  }

  /// One row of `count` values, or one value that counts for all of them.
  init(_ values: UnsafeBufferPointer<Element>, count: Int) {
    precondition(values.count == count || values.count == 1, "operand of the wrong length")
    unsafe self.init(values, stride: 0, step: values.count == count ? 1 : 0)
  }

  func kernelOperand(_ rows: Int, _ columns: Int) -> ck_operand {
    let last = unsafe (rows - 1) * stride + (columns - 1) * step
    unsafe precondition(last < values.count, "operand of the wrong length")
    return unsafe ck_operand(x: values.baseAddress, stride: stride, step: step)
  }
}
