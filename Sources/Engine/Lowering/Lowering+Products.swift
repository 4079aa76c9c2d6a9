internal import Kernels

/// float32 weights [outputs][inputs] before they are packed.
struct FloatWeights {
  var values: [Float]
  var outputs: Int
  var inputs: Int
  var bias: [Float]?
}

/// int8 weights [outputs][inputs] before they are packed.
struct IntegerWeights {
  var values: [Int8]
  var outputs: Int
  var inputs: Int
  var scales: [Float]
  var bias: [Float]?
  /// Whether they stay two to a byte.
  var halvesBytes = false
}

/// Operators with the same weights share their packed form.
struct WeightKey: Hashable {
  var weights: Int
  var bias: Int?
  var isInteger: Bool
  var kernelRow: Lowering.KernelRow?
  var halvesBytes: Bool
  var isHalf: Bool
  /// Whether they lack their scale.
  var isUnscaled: Bool
}

extension Lowering {
  /// Packed weights as the steps name them.
  enum Weights {
    case float(Int)
    case half(Int)
    case integer(Int)
    case fullInteger(Int)
    case wide(Int)

    /// Bytes of an element of the product.
    var resultSize: Int {
      switch self {
      case .float, .half, .integer: 4
      case .fullInteger: 1
      case .wide: 2
      }
    }
  }

  /// More than that many rows are multiplied as fast or faster in float.
  private static let mostHalfRows = 2

  /// Whether weights that a file has as halves are multiplied as such.
  private func staysHalf(_ tensor: Int, rows: Int) -> Bool {
    guard instructionSet.multipliesHalves, rows <= Self.mostHalfRows else { return false }
    let isHalf = { (tensor: Int) in graph.tensors[tensor].type == .float16 }
    let source = dataflow.producer[tensor].flatMap { graph.operators[$0].inputs.first ?? nil }
    return isHalf(tensor) || dataflow.restored[tensor] != nil && (source.map(isHalf) ?? false)
  }

  /// More than that many rows, or weights that stay in the first cache, are multiplied as fast or
  /// faster in int8.
  private static let mostHalfByteRows = 2
  private static let firstCache = 48 << 10

  /// Whether int8 weights that a file has in 4 bits stay so.
  private func staysHalfByte(_ tensor: Int, rows: Int, inputs: Int) -> Bool {
    guard instructionSet.multipliesHalfBytes, rows <= Self.mostHalfByteRows,
      graph.tensors[tensor].isPackedInFile, inputs <= FullIntegerWeights.maximumInputs
    else { return false }
    let constants = graph.tensors.lazy.filter { $0.type == .int8 }
    let bytes = constants.reduce(0) { $0 + ($1.data?.count ?? 0) }
    guard bytes > Self.firstCache, let data = graph.tensors[tensor].data else { return false }
    return data.allSatisfy { (-8...7).contains(Int8(bitPattern: $0)) }
  }

  /// Constant weights with `outputs` rows of `inputs`, and their bias; `kernelRow` is how int8 ones
  /// are padded. `rows` are multiplied with them, none of which lies in several stretches.
  mutating func weights(
    _ index: Int, outputs: Int, inputs: Int, kernelRow: KernelRow? = nil, rows: Int = .max
  ) throws(EngineError) -> Weights {
    let tensor = try input(index, 1)
    let biasTensor = optionalInput(index, 2)
    let isInteger = isHybrid(index)
    let halvesBytes = isInteger && staysHalfByte(tensor, rows: rows, inputs: inputs)
    var key = WeightKey(
      weights: tensor, bias: biasTensor, isInteger: isInteger, kernelRow: kernelRow,
      halvesBytes: halvesBytes, isHalf: !isInteger && staysHalf(tensor, rows: rows),
      isUnscaled: plan.views[index] == .unscaled)
    if let known = weightCache[key] {
      return isInteger ? .integer(known) : key.isHalf ? .half(known) : .float(known)
    }
    let bias = try bias(biasTensor, count: outputs, index)
    guard isInteger else {
      let values = try floats(tensor, as: plan.views[index])
      guard values.count == outputs * inputs else { throw invalid(index, "its weights do not fit") }
      let description = FloatWeights(values: values, outputs: outputs, inputs: inputs, bias: bias)
      if key.isHalf, values.allSatisfy({ $0.magnitude <= PackedHalfWeights.largestWeight }) {
        halfWeights.append(description)
        weightCache[key] = halfWeights.count - 1
        return .half(halfWeights.count - 1)
      }
      key.isHalf = false
      floatWeights.append(description)
      weightCache[key] = floatWeights.count - 1
      return .float(floatWeights.count - 1)
    }
    guard let data = graph.tensors[tensor].data else {
      throw unsupported(index, "its weights are computed")
    }
    guard data.count == outputs * inputs else { throw invalid(index, "its weights do not fit") }
    guard inputs <= PackedInt8Weights.maximumInputs else {
      throw unsupported(index, "\(inputs) int8 inputs of one output are too many")
    }
    let values = data.map(Int8.init(bitPattern:))
    integerWeights.append(
      IntegerWeights(
        values: kernelRow?.weights(values) ?? values, outputs: outputs,
        inputs: kernelRow.map { $0.count * $0.padded } ?? inputs,
        scales: try scales(tensor, axis: 0), bias: bias, halvesBytes: halvesBytes))
    weightCache[key] = integerWeights.count - 1
    return .integer(integerWeights.count - 1)
  }

  func bias(
    _ tensor: Int?, count: Int, _ index: Int
  ) throws(EngineError) -> [Float]? {
    guard let tensor else { return nil }
    let values = try floats(tensor, as: plan.views[index])
    guard values.count == count else {
      throw invalid(index, "it has \(values.count) biases for \(count) outputs")
    }
    return values
  }

  // MARK: Fully connected

  mutating func lowerFullyConnected(
    _ index: Int, _ activation: Activation
  ) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let weightShape = shape(try self.input(index, 1))
    guard weightShape.count == 2 else { throw invalid(index, "its weights are \(weightShape)") }
    let (outputs, inputs) = (weightShape[0], weightShape[1])
    let count = try elementCount(input)
    let rows = count / inputs
    if infersShapes, rows * inputs == count {
      var shape = [rows, outputs]
      if case .fullyConnected(_, keepsDimensions: true) = graph.operators[index].kind {
        shape = Array(self.shape(input).dropLast()) + [outputs]
      }
      try requireShape(output, shape, index)
    }
    guard rows * inputs == count, try elementCount(output) == rows * outputs else {
      throw invalid(index, "\(shape(input)) and \(weightShape) do not give \(shape(output))")
    }
    if isStored(index), !isByte(output) {
      return try lowerWideFullyConnected(
        index, rows: rows, outputs: outputs, inputs: inputs)
    }
    if isStored(index) {
      return try lowerIntegerFullyConnected(
        index, rows: rows, outputs: outputs, inputs: inputs, activation)
    }
    let weights = try weights(index, outputs: outputs, inputs: inputs, rows: rows)
    let (tensor, range, tanh) = fused(index, output, activation)
    var product = Step.Product(rows: rows, inputs: inputs, outputs: outputs, range: range)
    if case .integer = weights {
      let source = try quantizedRows(input, columns: inputs, for: index)
      product.source = address(source.bytes)
      product.parameters = address(source.parameters)
      product.parametersStride = 1
    } else if case .half(let own) = weights {
      let source = try halvedRows(input, columns: inputs, weights: own, for: index)
      product.source = address(source.bytes)
      product.parameters = address(source.parameters)
    } else {
      product.source = address(try value(of: input, for: index))
    }
    let y = try destination(tensor, for: index)
    product.destination = address(y)
    emit(product, weights)
    if tanh { emitTanh(y, count: rows * outputs) }
  }

  mutating func emit(_ product: Step.Product, _ weights: Weights) {
    var product = product
    let source = Int(product.source.storage)
    let destination = Int(product.destination.storage)
    switch weights {
    case .float(let index):
      product.weights = index
      emit(.floatProduct(product), touching: [source, destination])
    case .half(let index):
      product.weights = index
      emit(
        .halfProduct(product), touching: [source, Int(product.parameters.storage), destination])
    case .integer(let index):
      product.weights = index
      emit(
        .integerProduct(product),
        touching: [source, Int(product.parameters.storage), destination])
    case .fullInteger(let index):
      product.weights = index
      emit(.fullIntegerProduct(product), touching: [source, destination])
    case .wide(let index):
      product.weights = index
      emit(.wideProduct(product), touching: [source, destination])
    }
  }
}
