import CQDKernels

extension DynamicQuantization {
  /// Quantizes rows that are concatenated from up to four buffers.
  ///
  /// - Parameters:
  ///   - parts: row i of a part is the `count` values at i * `count`; a row is their concatenation
  ///     in the order of the parts. Only the first `partCount` parts are used.
  ///   - output: dense rows.
  ///   - parameters: at least `rows` of them.
  public func quantizeGatheredRows(
    _ rows: Int, parts: InlineArray<4, RowPart>, partCount: Int,
    output: UnsafeMutableBufferPointer<UInt8>,
    parameters: UnsafeMutableBufferPointer<QuantizationParameters>
  ) {
    var columns = 0
    for part in 0..<partCount {
      unsafe checkRows(
        rows, parts[part].count, stride: parts[part].count, count: parts[part].values.count)
      unsafe columns += parts[part].count
    }
    checkRows(rows, columns, stride: columns, count: output.count)
    precondition(parameters.count >= rows, "too few parameters")
    guard rows > 0 else { return }
    let none = unsafe ck_row_part()
    var cParts = unsafe InlineArray<4, ck_row_part>(repeating: none)
    for index in 0..<partCount {
      let part = unsafe parts[index]
      unsafe cParts[index] = ck_row_part(
        x: part.values.baseAddress, count: part.count, stride: part.count)
    }
    unsafe cParts.span.withUnsafeBufferPointer { cParts in
      unsafe kernels.pointee.rows(
        rows, partCount, cParts.baseAddress, kernels.pointee.flip, output.baseAddress, columns,
        cParameters(parameters.baseAddress))
    }
  }

  /// A part of every row: `count` values of each.
  @unsafe public struct RowPart: BitwiseCopyable {
    var values: UnsafeBufferPointer<Float>
    var count: Int

    public init(_ values: UnsafeBufferPointer<Float>, count: Int) {
      unsafe self.values = values
      unsafe self.count = count
    }
  }
}
