/// A row of activations that consists of segments of the same length, `step` elements apart, as the
/// rows of a convolution's kernel in an image do.
public struct RowSegments: BitwiseCopyable, Sendable {
  public static let one = RowSegments(count: 1, step: 0)

  public let count: Int
  public let step: Int

  public init(count: Int, step: Int) {
    precondition(count > 0 && step >= 0)
    self.count = count
    self.step = step
  }

  /// Whether rows of `inputs` bytes can be cut into `count` segments: kernels take 4 at a time.
  public static func canCut(inputs: Int, into count: Int) -> Bool {
    inputs.isMultiple(of: 4 * count)
  }

  /// Requires `rows` such rows, `stride` apart, to fit into `elements`; a segment is a multiple of
  /// `group`.
  func check(_ rows: Int, _ inputs: Int, stride: Int, count elements: Int, group: Int = 4) {
    precondition(count == 1 || inputs.isMultiple(of: group * count))
    checkRows(rows, (count - 1) * step + inputs / count, stride: stride, count: elements)
  }
}
