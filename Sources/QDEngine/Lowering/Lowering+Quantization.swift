/// The purpose of a quantized form of a tensor.
enum QuantizationKey: Hashable {
  case rows(tensor: Int, columns: Int)
  case image(tensor: Int, padding: ImagePadding)
  case f16(tensor: Int, columns: Int)
}

/// Rows and columns around an image.
struct ImagePadding: Hashable {
  var top = 0
  var bottom = 0
  var before = 0
  var after = 0

  var isEmpty: Bool { self == ImagePadding() }
}

/// Where quantized bytes and their parameters are stored.
struct QuantizedValue {
  var bytes: Int
  var parameters: Int
}

extension Lowering {
  /// Bytes of `QDKernels.QuantizationParameters`.
  static let parametersSize = 8

  /// Rows of `columns` values, each with its own parameters.
  mutating func quantizedRows(
    _ tensor: Int, columns: Int, for index: Int
  ) throws(EngineError) -> QuantizedValue {
    let key = QuantizationKey.rows(tensor: tensor, columns: columns)
    if let value = quantized[key] { return value }
    let rows = try elementCount(tensor) / columns
    let result = QuantizedValue(
      bytes: try newStorage(.scratch, byteCount: rows * columns),
      parameters: try newStorage(.scratch, byteCount: rows * Self.parametersSize))
    let parts = partsIfElided(tensor)
    let none = Step.QuantizeRows.Segment(address: address(0), columns: 0)
    var segments = InlineArray<4, Step.QuantizeRows.Segment>(repeating: none)
    var touched = [result.bytes, result.parameters]
    for (place, part) in parts.enumerated() {
      let value = try value(of: part, for: index)
      touched.append(value.storage)
      segments[place] = Step.QuantizeRows.Segment(
        address: address(value), columns: try elementCount(part) / rows)
    }
    emit(
      .quantizeRows(
        Step.QuantizeRows(
          segments: segments, segmentCount: parts.count, rows: rows, columns: columns,
          destination: address(result.bytes), parameters: address(result.parameters))),
      touching: touched)
    quantized[key] = result
    return result
  }

  /// Rows of `columns` values in f16, each with its own scale, for a layer with as many inputs.
  mutating func f16Rows(
    _ tensor: Int, columns: Int, _ layer: LayerReference, for index: Int
  ) throws(EngineError) -> QuantizedValue {
    let key = QuantizationKey.f16(tensor: tensor, columns: columns)
    if let value = quantized[key] { return value }
    let rows = try elementCount(tensor) / columns
    let source = try value(of: tensor, for: index)
    let result = QuantizedValue(
      bytes: try newStorage(.scratch, byteCount: 2 * rows * columns),
      parameters: try newStorage(.scratch, byteCount: 4 * rows))
    emit(
      .f16Rows(
        Step.F16Rows(
          layer: layer, source: address(source), destination: address(result.bytes),
          scales: address(result.parameters), rows: rows)),
      touching: [source.storage, result.bytes, result.parameters])
    quantized[key] = result
    return result
  }

  /// The inputs of an elided concatenation, or the tensor itself.
  private func partsIfElided(_ tensor: Int) -> [Int] {
    guard plan.elided.tensors.contains(tensor), let index = dataflow.producer[tensor] else {
      return [tensor]
    }
    return graph.operators[index].inputs.compactMap { $0 }
  }

  /// Images [N, H, W, C], each with its own parameters, padded with the byte for zero.
  mutating func quantizedImages(
    _ tensor: Int, padding: ImagePadding, for index: Int
  ) throws(EngineError) -> QuantizedValue {
    let key = QuantizationKey.image(tensor: tensor, padding: padding)
    if let value = quantized[key] { return value }
    let result = try quantizedImages(
      try value(of: tensor, for: index), shape: shape(tensor), padding: padding)
    quantized[key] = result
    return result
  }

  mutating func quantizedImages(
    _ source: Value, shape: [Int], padding: ImagePadding
  ) throws(EngineError) -> QuantizedValue {
    let bytes = try imageCount(shape, padding)
    let result = QuantizedValue(
      bytes: try newStorage(.scratch, byteCount: bytes + KernelRow.slack),
      parameters: try newStorage(.scratch, byteCount: shape[0] * Self.parametersSize))
    emit(
      .quantizeImage(
        Step.QuantizeImage(
          images: images(source, shape: shape, padding: padding, to: result.bytes),
          parameters: address(result.parameters))),
      touching: [source.storage, result.bytes, result.parameters])
    return result
  }

  /// Images [N, H, W, C] and the destination of their padded form.
  func images(
    _ source: Value, shape: [Int], padding: ImagePadding, to destination: Int
  ) -> Step.PaddedImages {
    let channels = shape[3]
    return Step.PaddedImages(
      source: address(source), images: shape[0], height: shape[1], rowLength: shape[2] * channels,
      padTop: padding.top, padBefore: padding.before * channels,
      padAfter: padding.after * channels, padBottom: padding.bottom,
      destination: address(destination))
  }

  /// Images [N, H, W, C] with elements of `size` bytes, padded with `zeroByte`; the tensor itself
  /// if it needs no padding. `slack` bytes after them may be read.
  mutating func paddedImages(
    _ source: Value, shape: [Int], padding: ImagePadding, size: Int = 4, zeroByte: UInt8 = 0,
    slack: Int = 0
  ) throws(EngineError) -> Value {
    let count = try checkedProduct([size, try imageCount(shape, padding)])
    let room = storages[source.storage].byteCount - source.offset - count
    if padding.isEmpty, room >= slack { return source }
    let result = Value(storage: try newStorage(.scratch, byteCount: count + slack))
    var (shape, padding) = (shape, padding)
    if padding.before == 0, padding.after == 0 {
      // The rows of an image are one row.
      padding = ImagePadding(
        before: padding.top * shape[2], after: padding.bottom * shape[2])
      shape = [shape[0], 1, shape[1] * shape[2], shape[3]]
    }
    shape[3] *= size
    let images = images(source, shape: shape, padding: padding, to: result.storage)
    emit(.padImage(images, byte: zeroByte), touching: [source.storage, result.storage])
    return result
  }

  func imageCount(_ shape: [Int], _ padding: ImagePadding) throws(EngineError) -> Int {
    try checkedProduct([
      shape[0], shape[1] + padding.top + padding.bottom, shape[2] + padding.before + padding.after,
      shape[3],
    ])
  }
}
