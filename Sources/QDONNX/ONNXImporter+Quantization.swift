internal import QDEngine

extension ONNXImporter {
  /// An activation and the quantization of QuantizeLinear. Nothing is emitted before
  /// DequantizeLinear, because a Clip in between limits the range.
  struct QuantizedValue {
    var source: Activation
    var scale: Float
    var zeroPoint: Int
    /// Of the integers.
    var limits: ClosedRange<Int>
    var elementType: Int
  }

  /// The range of an integer element type.
  private func limits(_ elementType: Int) throws(ONNXError) -> ClosedRange<Int> {
    switch elementType {
    case 2: 0...255
    case 3: -128...127
    case 5: -32768...32767
    default: throw unsupported("it quantizes to the element type \(elementType)")
    }
  }

  /// The scales and zero points at inputs 1 and 2: one, or one per index of an axis.
  private func parameters(
    _ shape: [Int]
  ) throws(ONNXError) -> (scales: [Float], zeroPoints: [Int], axis: Int?) {
    let scales = try constant(1).floats
    guard integer("block_size", 0) == 0, scales.allSatisfy({ $0.isNormal && $0 > 0 }),
      let first = scales.first
    else { throw unsupported("its scales are in blocks, or not positive") }
    let zeroPoints = has(2) ? try integers(2) : scales.map { _ in 0 }
    guard zeroPoints.count == scales.count else {
      throw unsupported("it has \(scales.count) scales and \(zeroPoints.count) zero points")
    }
    if scales.count == 1 { return ([first], zeroPoints, nil) }
    let axis = try axis(integer("axis", 1), rank: shape.count)
    guard shape[axis] == scales.count else {
      throw unsupported("it has \(scales.count) scales for \(shape) along axis \(axis)")
    }
    return (scales, zeroPoints, axis)
  }

  /// For each element of an array, the index of its scale.
  private func channels(_ shape: [Int], _ axis: Int?) -> (Int) -> Int {
    guard let axis else { return { _ in 0 } }
    let inner = shape[(axis + 1)...].reduce(1, *)
    return { $0 / inner % shape[axis] }
  }

  mutating func convertQuantize() throws(ONNXError) {
    let type = has(2) ? try constant(2).elementType : integer("output_dtype", 2)
    let limits = try limits(type)
    if case .constant(let constant) = try value(0) {
      let (scales, zeroPoints, axis) = try parameters(constant.shape)
      let channel = channels(constant.shape, axis)
      let integers = constant.floats.enumerated().map { index, value in
        let place = channel(index)
        let quotient = (value / scales[place]).rounded(.toNearestOrEven)
        let integer = Int(min(max(quotient, -65536), 65536)) + zeroPoints[place]
        return min(max(integer, limits.lowerBound), limits.upperBound)
      }
      set(.init(shape: constant.shape, values: .integers(integers), elementType: type))
      return
    }
    let source = try activation(0)
    let (scales, zeroPoints, axis) = try parameters(source.shape)
    guard axis == nil, limits.contains(zeroPoints[0]), type != 5 || zeroPoints[0] == 0 else {
      throw unsupported("an activation wants one scale, and 0 for int16")
    }
    guard let output = node.outputs.first else { return }
    quantized[output] = QuantizedValue(
      source: source, scale: scales[0], zeroPoint: zeroPoints[0], limits: limits, elementType: type)
  }

  /// Applies a Clip of integers.
  mutating func clipQuantized() throws(ONNXError) -> Bool {
    guard has(0), var value = quantized[node.inputs[0]], let output = node.outputs.first else {
      return false
    }
    let lower = has(1) ? try integers(1).first : nil
    let upper = has(2) ? try integers(2).first : nil
    let least = max(value.limits.lowerBound, lower ?? .min)
    value.limits = least...max(least, min(value.limits.upperBound, upper ?? .max))
    quantized[output] = value
    return true
  }

  mutating func convertDequantize() throws(ONNXError) {
    if has(0), let value = quantized[node.inputs[0]] {
      let (scales, zeroPoints, axis) = try parameters(value.source.shape)
      guard axis == nil, scales[0] == value.scale, zeroPoints[0] == value.zeroPoint else {
        throw unsupported("its scale or zero point is not that of the QuantizeLinear before it")
      }
      set(try rounded(value))
      return
    }
    let constant = try constant(0)
    guard let integers = constant.integers else { throw unsupported("its input is not quantized") }
    let (scales, zeroPoints, axis) = try parameters(constant.shape)
    let channel = channels(constant.shape, axis)
    let steps = integers.enumerated().map { $1 &- zeroPoints[channel($0)] }
    var result = ONNXModel.Constant(
      shape: constant.shape,
      values: .floats(steps.enumerated().map { Float($1) * scales[channel($0)] }))
    // Weights have their outputs first; in the second matrix of a product they are last.
    let isPerOutput = axis == nil || axis == 0 || axis == 1 && constant.shape.count == 2
    if isPerOutput, steps.allSatisfy({ (-127...127).contains($0) }) { result.steps = scales }
    set(result)
  }

  /// A rounded value: QUANTIZE and DEQUANTIZE, with int8 for uint8, which has the same steps.
  private mutating func rounded(_ value: QuantizedValue) throws(ONNXError) -> Activation {
    var source = value.source
    let whole = try limits(value.elementType)
    func real(_ integer: Int) -> Value {
      Self.scalar(Float(integer - value.zeroPoint) * value.scale)
    }
    if value.limits.lowerBound > whole.lowerBound {
      source = try binary(.maximum, .activation(source), real(value.limits.lowerBound))
    }
    if value.limits.upperBound < whole.upperBound {
      source = try binary(.minimum, .activation(source), real(value.limits.upperBound))
    }
    let isInt16 = value.elementType == 5
    let stored = emit(
      .quantize, [source.tensor], shape: source.shape, isChannelsLast: source.isChannelsLast,
      version: isInt16 ? 2 : 1)
    graph.tensors[stored.tensor].type = isInt16 ? .int16 : .int8
    graph.tensors[stored.tensor].quantization = Quantization(
      scales: [value.scale],
      zeroPoints: [Int64(value.zeroPoint - (value.elementType == 2 ? 128 : 0))], axis: 0)
    return emit(
      .dequantize, [stored.tensor], shape: source.shape, isChannelsLast: source.isChannelsLast,
      version: isInt16 ? 3 : 2)
  }

  /// Weights in TFLite's order; weights that were stored in 8 bits are followed by a DEQUANTIZE.
  /// - Parameter steps: none for floats, else one or one per index of `axis`.
  mutating func weights(_ values: [Float], _ shape: [Int], axis: Int, steps: [Float]) -> Int {
    guard steps.count == 1 || steps.count == shape[axis] else { return floats(values, shape) }
    let channel = channels(shape, steps.count == 1 ? nil : axis)
    let integers = values.enumerated().map { ($1 / steps[channel($0)]).rounded() }
    // The steps of a square matrix may belong to its inputs.
    let areExact = values.indices.allSatisfy { index in
      abs(integers[index]) <= 127 && integers[index] * steps[channel(index)] == values[index]
    }
    if !areExact { return floats(values, shape) }
    graph.tensors.append(
      Tensor(
        name: "constant_\(graph.tensors.count)", shape: shape, type: .int8,
        quantization: Quantization(
          scales: steps, zeroPoints: Array(repeating: 0, count: steps.count),
          axis: steps.count == 1 ? 0 : axis),
        data: integers.map { UInt8(bitPattern: Int8($0)) }))
    let stored = graph.tensors.count - 1
    return emit(
      .dequantize, [stored], shape: shape, version: steps.count == 1 ? 2 : 5
    ).tensor
  }
}
