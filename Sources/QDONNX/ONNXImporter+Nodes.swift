internal import QDEngine

/// The inputs and attributes of the current node.
extension ONNXImporter {
  func unsupported(_ reason: String) -> ONNXError {
    .unsupported(name: model.name, node: node.name, operator: node.kind, reason: reason)
  }

  /// Whether the node has an input at a position.
  func has(_ position: Int) -> Bool {
    position < node.inputs.count && !node.inputs[position].isEmpty
  }

  func value(_ position: Int) throws(ONNXError) -> Value {
    if has(position), quantized[node.inputs[position]] != nil { throw readsIntegers(position) }
    guard has(position), let value = values[node.inputs[position]] else {
      throw unsupported("its input \(position) is missing")
    }
    return value
  }

  func constant(_ position: Int) throws(ONNXError) -> ONNXModel.Constant {
    guard case .constant(let constant) = try value(position) else {
      throw unsupported("its input '\(node.inputs[position])' is not constant")
    }
    return constant
  }

  func integers(_ position: Int) throws(ONNXError) -> [Int] {
    guard let integers = try constant(position).integers else {
      throw unsupported("its input '\(node.inputs[position])' is not made of integers")
    }
    return integers
  }

  private func readsIntegers(_ position: Int) -> ONNXError {
    unsupported(
      "its input '\(node.inputs[position])' is quantized, and only DequantizeLinear reads that: "
        + "quantize in the QDQ format")
  }

  mutating func activation(_ position: Int) throws(ONNXError) -> Activation {
    guard has(position) else { throw unsupported("its input \(position) is missing") }
    if quantized[node.inputs[position]] != nil { throw readsIntegers(position) }
    return try activation(named: node.inputs[position])
  }

  mutating func activation(named name: String) throws(ONNXError) -> Activation {
    switch values[name] {
    case .activation(let activation)?: return activation
    case .constant(let constant)?:
      return Activation(
        tensor: floats(constant.floats, constant.shape), shape: constant.shape)
    case .condition(let condition)?:
      let result = try truth(condition)
      values[name] = .activation(result)
      return result
    case nil: throw unsupported("nothing has written '\(name)'")
    }
  }

  func integer(_ name: String, _ value: Int) -> Int {
    if case .integer(let found)? = node.attributes[name] { found } else { value }
  }

  func integers(_ name: String) -> [Int]? {
    if case .integers(let found)? = node.attributes[name] { found } else { nil }
  }

  func float(_ name: String, _ value: Float) -> Float {
    if case .float(let found)? = node.attributes[name] { found } else { value }
  }

  func string(_ name: String, _ value: String) -> String {
    if case .string(let found)? = node.attributes[name] { found } else { value }
  }

  func strings(_ name: String) -> [String]? {
    if case .strings(let found)? = node.attributes[name] { found } else { nil }
  }

  func axis(_ value: Int, rank: Int) throws(ONNXError) -> Int {
    let axis = value < 0 ? value + rank : value
    guard (0..<max(rank, 1)).contains(axis) else { throw unsupported("there is no axis \(value)") }
    return axis
  }
}
