/// Constants as numbers.
extension HasDataflow {
  /// The values of a constant of any type as floats.
  func floats(
    _ tensor: Int, as view: TensorView = .dequantized
  ) throws(EngineError) -> [Float] {
    if let values = dataflow.restored[tensor] { return values }
    let constant = graph.tensors[tensor]
    guard let data = constant.data else { throw tensorError(tensor, "is not a constant") }
    switch constant.type {
    case .float32: return data.elements(UInt32.self).map(Float.init(bitPattern:))
    case .float16: return data.elements(UInt16.self).map { Float(Float16(bitPattern: $0)) }
    case .int8: return try reals(tensor, data.map { Int(Int8(bitPattern: $0)) }, view)
    case .uint8: return try reals(tensor, data.map(Int.init), view)
    case .int16:
      return try reals(tensor, data.elements(UInt16.self).map { Int(Int16(bitPattern: $0)) }, view)
    case .int32 where constant.quantization != nil,
      .int64 where constant.quantization != nil:
      return try reals(tensor, try integers(tensor), view)
    default: throw tensorError(tensor, "is \(constant.type) where floats are expected")
    }
  }

  /// The values of an int32 or int64 constant: axes, shapes, permutations.
  func integers(_ tensor: Int) throws(EngineError) -> [Int] {
    let constant = graph.tensors[tensor]
    guard let data = constant.data else { throw tensorError(tensor, "is not a constant") }
    switch constant.type {
    case .int32: return data.elements(UInt32.self).map { Int(Int32(bitPattern: $0)) }
    case .int64: return data.elements(UInt64.self).map { Int(Int64(bitPattern: $0)) }
    default: throw tensorError(tensor, "is \(constant.type) where integers are expected")
    }
  }

  /// Scales of int8 weights with symmetric quantization, one per index of `axis`, or one for all.
  func scales(_ tensor: Int, axis: Int) throws(EngineError) -> [Float] {
    guard let quantization = graph.tensors[tensor].quantization else {
      throw tensorError(tensor, "is int8 without a scale")
    }
    guard quantization.zeroPoints.allSatisfy({ $0 == 0 }) else {
      throw tensorError(tensor, "has a zero point other than 0")
    }
    guard quantization.scales.count == 1 || quantization.axis == axis else {
      throw tensorError(tensor, "has its scales along dimension \(quantization.axis)")
    }
    return quantization.scales
  }

  /// The real values of a tensor of integers, with a scale for each index of an axis or one for
  /// all.
  private func reals(
    _ tensor: Int, _ values: [Int], _ view: TensorView
  ) throws(EngineError) -> [Float] {
    guard let quantization = graph.tensors[tensor].quantization else {
      throw tensorError(tensor, "is \(graph.tensors[tensor].type) without a scale")
    }
    let scales = quantization.scales
    let inner =
      scales.count == 1
      ? 1 : graph.tensors[tensor].shape[(quantization.axis + 1)...].reduce(1, *)
    return values.enumerated().map { index, value in
      let channel = scales.count == 1 ? 0 : index / inner % scales.count
      let whole = Float(value &- Int(quantization.zeroPoints[channel]))
      return view == .unscaled ? whole : whole * scales[channel]
    }
  }
}

extension [UInt8] {
  /// The little-endian elements.
  func elements<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) -> [T] {
    unsafe withUnsafeBytes { bytes in
      (0..<bytes.count / MemoryLayout<T>.size).map { index in
        T(
          littleEndian: unsafe bytes.loadUnaligned(
            fromByteOffset: index * MemoryLayout<T>.size, as: T.self))
      }
    }
  }
}
