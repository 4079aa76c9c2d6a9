/// A row of activations that lies in several stretches of the same length, `step` elements apart:
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

  /// Whether `rows` such rows, `stride` apart, fit into `elements`; a stretch is a multiple of `group`.
  func check(_ rows: Int, _ inputs: Int, stride: Int, count elements: Int, group: Int = 4) {
    precondition(count == 1 || inputs.isMultiple(of: group * count))
    checkRows(rows, (count - 1) * step + inputs / count, stride: stride, count: elements)
  }
}
