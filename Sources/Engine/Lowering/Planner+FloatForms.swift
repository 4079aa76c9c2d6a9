internal import Kernels

/// Quantized tensors for operators that compute in floats: as what they stand for, or as the whole
/// numbers (q - zeroPoint), whose sums and products are exact up to 2^24.
extension Planner {
  /// Where the values of a quantized tensor lie as floats.
  mutating func floatForm(_ tensor: Int) throws(EngineError) -> Value {
    let key = FloatForm(tensor: tensor, view: view)
    if let value = floatForms[key] { return value }
    if graph.tensors[tensor].isConstant {
      let bytes = try floats(tensor).flatMap(\.littleEndianBytes)
      let value = Value(storage: try constantStorage(bytes))
      floatForms[key] = value
      return value
    }
    let value = try floatDestination(tensor)
    try emitDequantize(tensor, to: value)
    return value
  }

  /// Where an operator that computes in floats leaves what `quantizeOutputs` then quantizes.
  mutating func floatDestination(_ tensor: Int) throws(EngineError) -> Value {
    let key = FloatForm(tensor: tensor, view: view)
    if let value = floatForms[key] { return value }
    let bytes = try checkedProduct([4, try elementCount(tensor)])
    let value = Value(storage: try newStorage(.scratch, byteCount: bytes))
    floatForms[key] = value
    return value
  }

  mutating func emitDequantize(_ tensor: Int, to value: Value) throws(EngineError) {
    let form = try integerForm(tensor)
    let floats = view
    view = .native
    let source = try self.value(of: tensor)
    view = floats
    emit(
      .dequantize(
        Step.Conversion(
          source: address(source), destination: address(value), count: try elementCount(tensor),
          scale: view == .wholes ? 1 : form.scale, zeroPoint: form.zeroPoint, isWide: form.isWide)),
      touching: [source.storage, value.storage])
  }

  /// Quantizes what an operator has computed in floats. Who reads it then reads it rounded.
  mutating func quantizeOutputs(of index: Int) throws(EngineError) {
    for output in graph.operators[index].outputs where isQuantized(output) {
      guard let source = floatForms.removeValue(forKey: FloatForm(tensor: output, view: view))
      else { continue }
      let form = try integerForm(output)
      let sums = view == .wholes ? sumScale(index) : nil
      view = .native
      let destination = try destination(output)
      var conversion = Step.Conversion(
        source: address(source), destination: address(destination),
        count: try elementCount(output), scale: 1 / form.scale, zeroPoint: form.zeroPoint,
        isWide: form.isWide)
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

  // MARK: Sums

  /// How sums become bytes.
  enum SumScale {
    /// As LiteRT's own kernels do it.
    case fixed(FixedPoint)
    /// As XNNPACK does it.
    case float(Float)
  }

  /// What the sums of an operator on computed bytes are multiplied with; `nil` for one that cannot
  /// have whole numbers of less than 32 bits.
  func sumScale(_ index: Int) -> SumScale? {
    let node = graph.operators[index]
    guard let output = node.outputs.first, isByte(output), let left = optionalInput(index, 0),
      let count = graph.tensors[left].count, let results = graph.tensors[output].count, results > 0,
      let result = try? integerForm(output), let a = computedForm(left)
    else { return nil }
    switch node.kind {
    case .fullyConnected, .convolution, .depthwiseConvolution:
      guard let weights = weightScale(index), (a.scale * weights).isNormal,
        case let scale = a.scale * weights / result.scale, scale.isNormal,
        (scale * result.scale).isNormal
      else { return nil }
      return .float(scale)
    case .builtin(code: 74, _):
      return FixedPoint(Double(a.scale) / Double(result.scale)).map { .fixed($0) }
    case .mean:
      return .float(a.scale / result.scale / Float(count / results))
    case .batchMatMul(let adjointX, _):
      guard let inputs = shape(left).dropLast(adjointX ? 1 : 0).last,
        inputs <= FullIntegerWeights.maximumInputs,
        let b = optionalInput(index, 1).flatMap(computedForm)
      else { return nil }
      // What XNNPACK takes is symmetric on the right.
      if b.zeroPoint == 0 { return .float(a.scale * b.scale / result.scale) }
      return FixedPoint(Double(a.scale) * Double(b.scale) / Double(result.scale)).map { .fixed($0) }
    default: return nil
    }
  }

  /// The scale of weights that have a zero point, as networks of TensorFlow 1 do: what they and
  /// their bias stand for are whole numbers times scales.
  private func weightScale(_ index: Int) -> Float? {
    guard let weights = optionalInput(index, 1), graph.tensors[weights].isConstant,
      isByte(weights), let form = try? integerForm(weights),
      graph.operators[index].kind.activation != .tanh
    else { return nil }
    guard let bias = optionalInput(index, 2) else { return form.scale }
    return graph.tensors[bias].type == .int32 && graph.tensors[bias].isConstant ? form.scale : nil
  }

  private func computedForm(_ tensor: Int) -> IntegerForm? {
    isByte(tensor) && !graph.tensors[tensor].isConstant ? try? integerForm(tensor) : nil
  }
}
