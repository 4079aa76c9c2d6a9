extension OperatorProperties {
  /// Conversions between types.
  static let conversions: [OperatorProperties] = [
    OperatorProperties(
      114, "QUANTIZE", .table, options: OptionLayout(89), kind: .quantize,
      lower: { lowering, index throws(EngineError) in try lowering.lowerQuantize(index) }),
    OperatorProperties(
      6, "DEQUANTIZE", .none, .view, options: OptionLayout(38), kind: .dequantize,
      lower: { lowering, index throws(EngineError) in try lowering.lowerDequantize(index) }),
    // The kernels take the types from the tensors.
    OperatorProperties(
      53, "CAST", .none, .view, types: .any, options: OptionLayout(37), kind: .cast,
      lower: { lowering, index throws(EngineError) in try lowering.lowerCast(index) }),
  ]
}

extension Lowering {
  mutating func lowerCast(_ index: Int) throws(EngineError) {
    let (input, output) = (try input(index, 0), try output(index))
    try requireShape(output, shape(input), index)
    guard !isQuantized(input), !isQuantized(output) else {
      throw unsupported(index, "it is of quantized values")
    }
    if graph.tensors[input].type == graph.tensors[output].type
      || (!isPlain(input) && !isPlain(output))
    {
      return try lowerReshape(index)
    }
    let (x, y) = (try callInput(index, 0), try callOutput(index))
    for operand in [x, y] where operand.type == .float64 {
      throw unsupported(index, "it does not take float64")
    }
    emitCall(index, [x, y]) { network in
      for place in 0..<x.count {
        switch (x.type, y.type) {
        case (.float32, .bool):
          network.set(y, place, to: unsafe network.floats(x)[place] != 0 ? 1 : 0)
        case (.float32, _):
          network.set(y, place, to: unsafe truncated(network.floats(x)[place], y.type.size))
        case (_, .float32):
          unsafe network.floats(y)[place] = Float(network.integer(x, place))
        case (_, .bool): network.set(y, place, to: network.integer(x, place) != 0 ? 1 : 0)
        default: network.set(y, place, to: network.integer(x, place))
        }
      }
    }
  }
}

/// A float without its fraction, saturated to an integer of `size` bytes.
private func truncated(_ value: Float, _ size: Int) -> Int {
  if value.isNaN { return 0 }
  let limit: Float = size >= 8 ? 0x1p63 : 0x1p31
  if value >= limit { return size >= 8 ? .max : Int(Int32.max) }
  return value <= -limit ? (size >= 8 ? .min : Int(Int32.min)) : Int(value)
}
