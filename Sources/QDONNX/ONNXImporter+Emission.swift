internal import QDEngine

/// New tensors and operators of the graph.
extension ONNXImporter {
  mutating func floats(_ values: [Float], _ shape: [Int]) -> Int {
    let key = ConstantKey(shape: shape, bits: values.map(\.bitPattern), isInteger: false)
    if let index = constants[key] { return index }
    graph.tensors.append(
      Tensor(name: "constant_\(graph.tensors.count)", shape: shape, values: values))
    constants[key] = graph.tensors.count - 1
    return graph.tensors.count - 1
  }

  mutating func counts(_ values: [Int], shape: [Int]? = nil) -> Int {
    let shape = shape ?? [values.count]
    let words = values.map { Int32(clamping: $0) }
    let key = ConstantKey(
      shape: shape, bits: words.map { UInt32(bitPattern: $0) }, isInteger: true)
    if let index = constants[key] { return index }
    graph.tensors.append(
      Tensor(name: "constant_\(graph.tensors.count)", shape: shape, integers: words))
    constants[key] = graph.tensors.count - 1
    return graph.tensors.count - 1
  }

  /// Appends an operator with one output.
  /// - Parameter shape: of the output in ONNX's order.
  mutating func emit(
    _ kind: OperatorKind, _ inputs: [Int?], shape: [Int], isChannelsLast: Bool = false,
    version: Int = 1, type: ElementType? = nil
  ) -> Activation {
    let base = node.outputs.first ?? node.name
    let isTaken = graph.tensors.contains { $0.name == base }
    let name = isTaken ? "\(base)/\(graph.tensors.count)" : base
    graph.tensors.append(
      Tensor(
        name: name, shape: isChannelsLast ? Self.lastShape(shape) : shape,
        type: type ?? self.type(of: kind, inputs)))
    let output = graph.tensors.count - 1
    graph.operators.append(Operator(kind, inputs: inputs, outputs: [output], version: version))
    return Activation(tensor: output, shape: shape, isChannelsLast: isChannelsLast)
  }

  /// Operators that move elements keep their type.
  private func type(of kind: OperatorKind, _ inputs: [Int?]) -> ElementType {
    switch kind {
    case .reshape, .squeeze, .expandDimensions, .transpose, .slice, .stridedSlice, .pack,
      .concatenation:
      if let input = inputs.first ?? nil { graph.tensors[input].type } else { .float32 }
    default: .float32
    }
  }

  /// Appends an operator of TFLite's schema by its code; `options` are by field number.
  mutating func emit(
    code: Int, _ inputs: [Int?], shape: [Int], options: [Int: OptionFields.Value] = [:],
    isChannelsLast: Bool = false, type: ElementType = .float32
  ) -> Activation {
    emit(
      .builtin(code: code, OptionFields(options)), inputs, shape: shape,
      isChannelsLast: isChannelsLast, type: type)
  }

  func type(_ x: Activation) -> ElementType { graph.tensors[x.tensor].type }

  /// A constant as a tensor of a type.
  mutating func typed(_ constant: Constant, _ type: ElementType) -> Int {
    guard type != .float32 else { return floats(constant.floats, constant.shape) }
    let values = constant.cast(to: 7).integers ?? []
    graph.tensors.append(
      Tensor(
        name: "constant_\(graph.tensors.count)", shape: constant.shape, type: type,
        data: values.flatMap { value in
          (0..<type.size).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        }))
    return graph.tensors.count - 1
  }

  /// A constant or an activation as a tensor; a constant gets the type of the other operand.
  mutating func tensor(_ value: Value, like type: ElementType) throws(ONNXError) -> Int {
    switch value {
    case .constant(let constant): return typed(constant, type)
    case .activation(let activation): return plain(activation).tensor
    case .condition(let condition): return try truth(condition).tensor
    }
  }

  mutating func set(_ result: Activation, output: Int = 0) {
    guard output < node.outputs.count else { return }
    values[node.outputs[output]] = .activation(result)
  }

  mutating func set(_ constant: Constant, output: Int = 0) {
    guard output < node.outputs.count else { return }
    values[node.outputs[output]] = .constant(constant)
  }

  mutating func reshaped(_ value: Activation, _ shape: [Int]) -> Activation {
    let input = plain(value)
    if shape.isEmpty { return emit(.squeeze(dimensions: []), [input.tensor], shape: []) }
    return emit(.reshape, [input.tensor, counts(shape)], shape: shape)
  }
}
