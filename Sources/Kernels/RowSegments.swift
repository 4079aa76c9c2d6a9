/// A row of int8 activations that lies in several stretches of the same length, `step` bytes apart:
/// what the kernel of a convolution sees of an image.
public struct RowSegments: BitwiseCopyable, Sendable {
  public static let one = RowSegments(count: 1, step: 0)

  public let count: Int
  public let step: Int

  public init(count: Int, step: Int) {
    precondition(count > 0 && step >= 0)
    self.count = count
    self.step = step
  }

  /// Whether rows of `inputs` bytes can be cut like this: kernels take 4 at a time.
  public static func canCut(inputs: Int, into count: Int) -> Bool {
    inputs.isMultiple(of: 4 * count)
  }

  /// Whether `rows` such rows, `stride` apart, fit into `bytes`.
  func check(_ rows: Int, _ inputs: Int, stride: Int, count bytes: Int) {
    precondition(count == 1 || RowSegments.canCut(inputs: inputs, into: count))
    checkRows(rows, (count - 1) * step + inputs / count, stride: stride, count: bytes)
  }
}
