extension Planner {
  /// The values of a constant as floats, whatever it is stored as.
  func floats(_ tensor: Int) throws(EngineError) -> [Float] {
    if let values = folded[tensor] { return values }
    let constant = graph.tensors[tensor]
    guard let data = constant.data else { throw constantError(tensor, "is not a constant") }
    switch constant.type {
    case .float32: return data.elements(UInt32.self).map(Float.init(bitPattern:))
    case .float16: return data.elements(UInt16.self).map { Float(Float16(bitPattern: $0)) }
    case .int8:
      let scales = try scalePerElement(tensor)
      return zip(data, scales).map { Float(Int8(bitPattern: $0)) * $1 }
    default: throw constantError(tensor, "is \(constant.type) where floats are expected")
    }
  }

  /// The values of an int32 or int64 constant: axes, shapes, permutations.
  func integers(_ tensor: Int) throws(EngineError) -> [Int] {
    let constant = graph.tensors[tensor]
    guard let data = constant.data else { throw constantError(tensor, "is not a constant") }
    switch constant.type {
    case .int32: return data.elements(UInt32.self).map { Int(Int32(bitPattern: $0)) }
    case .int64: return data.elements(UInt64.self).map { Int(Int64(bitPattern: $0)) }
    default: throw constantError(tensor, "is \(constant.type) where integers are expected")
    }
  }

  /// Scales of int8 weights with symmetric quantization, one per index of `axis`, or one for all.
  func scales(_ tensor: Int, axis: Int) throws(EngineError) -> [Float] {
    guard let quantization = graph.tensors[tensor].quantization else {
      throw constantError(tensor, "is int8 without a scale")
    }
    guard quantization.zeroPoints.allSatisfy({ $0 == 0 }) else {
      throw constantError(tensor, "has a zero point other than 0")
    }
    guard quantization.scales.count == 1 || quantization.axis == axis else {
      throw constantError(tensor, "has its scales along dimension \(quantization.axis)")
    }
    return quantization.scales
  }

  private func scalePerElement(_ tensor: Int) throws(EngineError) -> [Float] {
    let shape = graph.tensors[tensor].shape
    let axis = graph.tensors[tensor].quantization?.axis ?? 0
    let scales = try scales(tensor, axis: axis)
    let count = graph.tensors[tensor].data?.count ?? 0
    if scales.count == 1 { return Array(repeating: scales[0], count: count) }
    let inner = shape[(axis + 1)...].reduce(1, *)
    return (0..<count).map { scales[$0 / inner % scales.count] }
  }

  private func constantError(_ tensor: Int, _ reason: String) -> EngineError {
    .unsupportedTensor(graph: graph.name, tensor: graph.tensors[tensor].name, reason: reason)
  }
}

extension [UInt8] {
  /// The little-endian elements.
  func elements<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) -> [T] {
    let size = MemoryLayout<T>.size
    return (0..<count / size).map { index in
      (0..<size).reduce(T(0)) { $0 | T(self[index * size + $1]) << T(8 * $1) }
    }
  }
}
