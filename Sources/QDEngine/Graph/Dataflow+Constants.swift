/// The values of a constant, decoded when they are needed.
struct ConstantValues<Element> {
  let count: Int
  let decode: () -> [Element]
}

/// Constants as numbers.
extension HasDataflow {
  /// The values of a constant of any type as floats.
  func floats(
    _ tensor: Int, as view: TensorView = .dequantized
  ) throws(EngineError) -> [Float] {
    try constantFloats(tensor, as: view).decode()
  }

  /// The same, decoded later.
  func constantFloats(
    _ tensor: Int, as view: TensorView = .dequantized
  ) throws(EngineError) -> ConstantValues<Float> {
    if let source = dataflow.restored[tensor] { return try constantFloats(source) }
    let constant = graph.tensors[tensor]
    guard let data = constant.constant else { throw notConstant(tensor) }
    let decode: () -> [Float]
    switch constant.type {
    case .float32: decode = { data.floats }
    case .float16:
      decode = { data.elements(UInt16.self).map { Float(Float16(bitPattern: $0)) } }
    case .int8: decode = try reals(tensor, { data.elements(Int8.self).map(Int.init) }, view)
    case .uint8: decode = try reals(tensor, { data.elements(UInt8.self).map(Int.init) }, view)
    case .int16: decode = try reals(tensor, { data.elements(Int16.self).map(Int.init) }, view)
    case .int32 where constant.quantization != nil:
      decode = try reals(tensor, { data.elements(Int32.self).map(Int.init) }, view)
    case .int64 where constant.quantization != nil:
      decode = try reals(tensor, { data.elements(Int64.self).map(Int.init) }, view)
    default: throw tensorError(tensor, "is \(constant.type) where floats are expected")
    }
    return ConstantValues(count: data.count / constant.type.size, decode: decode)
  }

  /// The bytes of an int8 constant, decoded later; none of a computed tensor.
  func constantBytes(_ tensor: Int) -> ConstantValues<Int8> {
    let data = graph.tensors[tensor].constant ?? Constant([])
    return ConstantValues(count: data.count) { data.elements(Int8.self) }
  }

  /// The values of an int32 or int64 constant: axes, shapes, permutations.
  func integers(_ tensor: Int) throws(EngineError) -> [Int] {
    let constant = graph.tensors[tensor]
    guard let data = constant.constant else { throw notConstant(tensor) }
    switch constant.type {
    case .int32: return data.elements(Int32.self).map(Int.init)
    case .int64: return data.elements(Int64.self).map(Int.init)
    default:
      throw tensorError(tensor, "is \(constant.type) where integers are expected", wanted: .int32)
    }
  }

  /// Scales of int8 weights with symmetric quantization, one per index of `axis`, or one for all.
  func scales(_ tensor: Int, axis: Int) throws(EngineError) -> [Float] {
    guard let quantization = graph.tensors[tensor].quantization else {
      throw quantizationError(tensor, "is int8 without a scale")
    }
    guard quantization.zeroPoints.allSatisfy({ $0 == 0 }) else {
      throw quantizationError(tensor, "has a zero point other than 0")
    }
    guard quantization.scales.count == 1 || quantization.axis == axis else {
      throw quantizationError(tensor, "has its scales along dimension \(quantization.axis)")
    }
    return quantization.scales
  }

  /// The real values of a tensor of integers, with a scale for each index of an axis or one for
  /// all.
  private func reals(
    _ tensor: Int, _ values: @escaping () -> [Int], _ view: TensorView
  ) throws(EngineError) -> () -> [Float] {
    guard let quantization = graph.tensors[tensor].quantization else {
      throw quantizationError(tensor, "is \(graph.tensors[tensor].type) without a scale")
    }
    let scales = quantization.scales
    let inner =
      scales.count == 1
      ? 1 : graph.tensors[tensor].shape[(quantization.axis + 1)...].reduce(1, *)
    return {
      values().enumerated().map { index, value in
        let channel = scales.count == 1 ? 0 : index / inner % scales.count
        let whole = Float(value &- Int(quantization.zeroPoints[channel]))
        return view == .unscaled ? whole : whole * scales[channel]
      }
    }
  }
}
