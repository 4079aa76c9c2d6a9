internal import QDKernels

/// Quantized tensors for operators that compute in floats: dequantized, or as the integers (q -
/// zeroPoint), whose sums and products are exact up to 2^24.
extension Lowering {
  /// Where the values of a quantized tensor are stored as floats.
  mutating func floatForm(_ tensor: Int, _ view: TensorView) throws(EngineError) -> Value {
    let key = FloatForm(tensor: tensor, view: view)
    if let value = floatForms[key] { return value }
    if graph.tensors[tensor].isConstant {
      let bytes = try floats(tensor, as: view).littleEndianBytes
      let value = Value(storage: try constantStorage(bytes))
      floatForms[key] = value
      return value
    }
    let value = try floatDestination(tensor, view)
    try emitDequantize(tensor, to: value, view)
    return value
  }

  /// Where an operator that computes in floats writes the values that `quantizeOutputs` then
  /// quantizes.
  mutating func floatDestination(
    _ tensor: Int, _ view: TensorView
  ) throws(EngineError) -> Value {
    let key = FloatForm(tensor: tensor, view: view)
    if let value = floatForms[key] { return value }
    let bytes = try checkedProduct([4, try elementCount(tensor)])
    let value = Value(storage: try newStorage(.scratch, byteCount: bytes))
    floatForms[key] = value
    return value
  }

  mutating func emitDequantize(
    _ tensor: Int, to value: Value, _ view: TensorView = .dequantized
  ) throws(EngineError) {
    let form = try integerForm(tensor)
    let source = try self.value(of: tensor, as: .stored)
    emit(
      .dequantize(
        Step.Conversion(
          source: address(source), destination: address(value), count: try elementCount(tensor),
          scale: view == .unscaled ? 1 : form.scale, zeroPoint: form.zeroPoint,
          isInt16: form.isInt16)),
      touching: [source.storage, value.storage])
  }

  /// Quantizes the outputs of an operator that computed in floats. Readers get the rounded values.
  mutating func quantizeOutputs(of index: Int) throws(EngineError) {
    let view = plan.views[index]
    for output in graph.operators[index].outputs where isQuantized(output) {
      guard let source = floatForms.removeValue(forKey: FloatForm(tensor: output, view: view))
      else { continue }
      let form = try integerForm(output)
      let sums = view == .unscaled ? sumScale(index) : nil
      let destination = try destination(output, as: .stored)
      var conversion = Step.Conversion(
        source: address(source), destination: address(destination),
        count: try elementCount(output), scale: 1 / form.scale, zeroPoint: form.zeroPoint,
        isInt16: form.isInt16)
      let touched = [source.storage, destination.storage]
      switch sums {
      case .fixed(let scale): emit(.quantizeSums(conversion, scale), touching: touched)
      case .float(let scale):
        conversion.scale = scale
        emit(.quantize(conversion), touching: touched)
      case nil: emit(.quantize(conversion), touching: touched)
      }
    }
  }
}
