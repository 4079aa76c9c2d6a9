import CQDKernels

/// The taps of a kernel on an image: `rows` by `columns`, `rowStep` and `columnStep` values apart.
/// At the edge of an image they are a part of the kernel.
public struct ImageWindow: BitwiseCopyable, Sendable {
  public let rows: Int
  public let columns: Int
  public let rowStep: Int
  public let columnStep: Int

  public init(rows: Int, columns: Int, rowStep: Int, columnStep: Int) {
    precondition(rows >= 0 && columns >= 0 && rowStep >= 0 && columnStep >= 0)
    self.rows = rows
    self.columns = columns
    self.rowStep = rowStep
    self.columnStep = columnStep
  }

  /// Requires the taps of `pixels` pixels, `pixelStride` apart, to lie within `count` values.
  func check(_ pixels: Int, _ channels: Int, pixelStride: Int, count: Int) {
    guard rows > 0, columns > 0 else { return }
    checkRows(
      pixels, (rows - 1) * rowStep + (columns - 1) * columnStep + channels, stride: pixelStride,
      count: count)
  }

  /// The window as a part of a kernel whose rows have `kernelColumns` taps.
  func inKernel(columns kernelColumns: Int) -> ck_window {
    ck_window(
      rows: rows, columns: columns, row_step: rowStep, column_step: columnStep,
      weight_row: kernelColumns)
  }
}
