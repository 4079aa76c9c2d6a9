import CKernels

extension DynamicQuantization {
  /// Quantizes rows whose values lie side by side in up to four buffers, as if they stood in one.
  ///
  /// - Parameters:
  ///   - parts: row i of a part is the `count` values at i * `count`; the row is all of them in
  ///     the order of the parts. Those after the first `partCount` are not looked at.
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
    guard rows > 0, let first = output.baseAddress else { return }
    let flip = unsafe kernels.pointee.flip
    for row in 0..<rows {
      var least: Float = 0
      var greatest: Float = 0
      for index in 0..<partCount {
        let part = unsafe parts[index]
        var low: Float = 0
        var high: Float = 0
        unsafe kernels.pointee.range(
          part.count, part.values.baseAddress?.advanced(by: row * part.count), &low, &high)
        least = min(least, low)
        greatest = max(greatest, high)
      }
      let scale = ck_qd8_scale_of(least, greatest)
      let quantized = ck_qd8_params_of(scale, flip)
      unsafe parameters[row] = QuantizationParameters(
        zeroPoint: quantized.zero_point, inverseScale: quantized.inverse_scale)
      var target = unsafe first + row * columns
      for index in 0..<partCount {
        let part = unsafe parts[index]
        unsafe kernels.pointee.convert(
          part.count, part.values.baseAddress?.advanced(by: row * part.count), scale, flip,
          target)
        unsafe target += part.count
      }
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
