internal import QDKernels
internal import QDMemory

/// Operators with the same weights share their packed form.
struct WeightKey: Hashable {
  var weights: Int
  var bias: Int?
  var type: LayerType
  var kernelRow: Lowering.KernelRow?
  var isQC4W: Bool
  /// Whether they omit the scale.
  var isUnscaled: Bool
  var isSparse: Bool
}

extension Lowering {
  /// For more rows, float products are as fast or faster.
  private static let mostF16Rows = 2

  /// Whether f16 weights of a file are multiplied in f16.
  private func staysF16(_ tensor: Int, rows: Int) -> Bool {
    guard instructionSet.hasF16GEMM, rows <= Self.mostF16Rows else { return false }
    let isF16 = { (tensor: Int) in graph.tensors[tensor].type == .float16 }
    let source = dataflow.producer[tensor].flatMap { graph.operators[$0].inputs.first ?? nil }
    return isF16(tensor) || dataflow.restored[tensor] != nil && (source.map(isF16) ?? false)
  }

  /// For more rows, or for weights that fit the L1 cache, int8 products are as fast or faster.
  private static let mostQC4WRows = 2
  private static let firstCache = 48 << 10

  /// Whether int8 weights that a file has in 4 bits stay packed.
  private func staysQC4W(_ tensor: Int, rows: Int, inputs: Int) -> Bool {
    guard instructionSet.hasQC4WGEMM, rows <= Self.mostQC4WRows,
      graph.tensors[tensor].isPackedInFile, inputs <= QS8GEMMWeights.maximumInputs
    else { return false }
    let constants = graph.tensors.lazy.filter { $0.type == .int8 }
    let bytes = constants.reduce(0) { $0 + ($1.constant?.count ?? 0) }
    guard bytes > Self.firstCache, graph.tensors[tensor].isConstant else { return false }
    return store.decision { constantBytes(tensor).decode().allSatisfy { (-8...7).contains($0) } }
  }

  /// With fewer rows, or with more nonzero weights, dense products are about as fast.
  private static let leastSparseRows = (f32: 16, int8: 24)
  private static let greatestDensity = 1.0 / 3

  /// Whether the products omit the zeros that the file omits. `rows` is .max if the layer has no
  /// rows.
  func staysSparse(_ tensor: Int, rows: Int, inputs: Int) -> Bool {
    let constant = graph.tensors[tensor]
    let least = constant.type == .int8 ? Self.leastSparseRows.int8 : Self.leastSparseRows.f32
    guard constant.isSparseInFile, (least..<Int.max).contains(rows),
      inputs <= QS8GEMMWeights.maximumInputs, let data = constant.constant
    else { return false }
    let zeros: Int
    switch constant.type {
    case .float32 where instructionSet.hasF32Sparse:
      zeros = data.elements(UInt32.self).count { $0 << 1 == 0 }
    case .int8 where instructionSet.hasInt8Sparse && constant.quantization != nil:
      zeros = data.elements(Int8.self).count { $0 == 0 }
    default: return false
    }
    let count = data.count / constant.type.size
    return Double(count - zeros) <= Self.greatestDensity * Double(count)
  }

  /// A layer of constant weights with `outputs` rows of `inputs`, and their bias; `kernelRow` is
  /// the padding of int8 weights, `rows` the number of activation rows, none of which has segments.
  mutating func layer(
    _ index: Int, outputs: Int, inputs: Int, kernelRow: KernelRow? = nil, rows: Int = .max
  ) throws(EngineError) -> LayerReference {
    let tensor = try input(index, 1)
    let biasTensor = optionalInput(index, 2)
    let isHybrid = isHybrid(index)
    var key = WeightKey(
      weights: tensor, bias: biasTensor,
      type: isHybrid ? .qd8 : staysF16(tensor, rows: rows) ? .f16 : .f32, kernelRow: kernelRow,
      isQC4W: isHybrid && staysQC4W(tensor, rows: rows, inputs: inputs),
      isUnscaled: plan.views[index] == .unscaled,
      isSparse: plan.views[index] != .unscaled && kernelRow == nil
        && (isHybrid || graph.tensors[tensor].type != .int8)
        && staysSparse(tensor, rows: rows, inputs: inputs))
    if let known = weightCache[key] { return known }
    let bias = try bias(biasTensor, count: outputs, index)
    var layer: Layer
    if isHybrid {
      layer = try qd8Layer(
        index, tensor, outputs: outputs, inputs: inputs, bias: bias, isQC4W: key.isQC4W,
        kernelRow: kernelRow)
    } else {
      let values = try constantFloats(tensor, as: plan.views[index])
      guard values.count == outputs * inputs else { throw invalid(index, "its weights do not fit") }
      let isSmall = { values.decode().allSatisfy { $0.magnitude <= F16GEMMWeights.largestWeight } }
      if key.type == .f16, store.decision(isSmall) {
        layer = Layer(weights: .f16(values.decode, bias: bias), outputs: outputs, inputs: inputs)
      } else {
        key.type = .f32
        layer = Layer(weights: .f32(values.decode, bias: bias), outputs: outputs, inputs: inputs)
      }
    }
    layer.isSparse = key.isSparse && key.type != .f16
    let reference = addGEMM(layer)
    weightCache[key] = reference
    return reference
  }

  private func qd8Layer(
    _ index: Int, _ tensor: Int, outputs: Int, inputs: Int, bias: [Float]?, isQC4W: Bool,
    kernelRow: KernelRow?
  ) throws(EngineError) -> Layer {
    guard graph.tensors[tensor].isConstant else {
      throw unsupported(index, "its weights are computed")
    }
    let values = constantBytes(tensor)
    guard values.count == outputs * inputs else { throw invalid(index, "its weights do not fit") }
    guard inputs <= QD8GEMMWeights.maximumInputs else {
      throw unsupported(index, "\(inputs) int8 inputs of one output are too many")
    }
    let layer = Layer(
      weights: .qd8(
        values.decode, scales: try scales(tensor, axis: 0), bias: bias, isQC4W: isQC4W),
      outputs: outputs, inputs: inputs)
    return kernelRow?.arranged(layer) ?? layer
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
      throw wrongShape(index, "\(shape(input)) and \(weightShape) do not give \(shape(output))")
    }
    if isStored(index), !isByte(output) {
      return try lowerQS16FullyConnected(
        index, rows: rows, outputs: outputs, inputs: inputs)
    }
    if isStored(index) {
      return try lowerQS8FullyConnected(
        index, rows: rows, outputs: outputs, inputs: inputs, activation)
    }
    let layer = try layer(index, outputs: outputs, inputs: inputs, rows: rows)
    let (tensor, range, tanh) = fused(index, output, activation)
    var product = Step.Product(layer, rows: rows, inputs: inputs, outputs: outputs, range: range)
    switch layer.type {
    case .qd8:
      let source = try quantizedRows(input, columns: inputs, for: index)
      product.source = address(source.bytes)
      product.parameters = address(source.parameters)
      product.parametersStride = 1
    case .f16:
      let source = try f16Rows(input, columns: inputs, layer, for: index)
      product.source = address(source.bytes)
      product.parameters = address(source.parameters)
    case .f32, .qs8, .qs16:
      product.source = address(try value(of: input, for: index))
      if let parts = plan.segmented.parts[input] {
        product.sourceStride = inputs / parts
        product.segments = RowSegments(count: parts, step: rows * product.sourceStride)
      }
    }
    let (y, addend) = try result(index, tensor)
    product.destination = address(y)
    emit(product, adding: addend)
    if tanh { emitTanh(y, count: rows * outputs) }
  }

  // MARK: Residual sums

  /// Where the result of a product is written, and the addend of the product.
  mutating func result(
    _ index: Int, _ tensor: Int
  ) throws(EngineError) -> (destination: Value, addend: Value?) {
    guard let sum = plan.sums.byProduct[index] else {
      return (try destination(tensor, for: index), nil)
    }
    let addend = try value(of: sum.addend, for: index)
    return (try destination(sum.output, for: index), addend)
  }

  /// Whether the kernel of a layer supports an addend.
  func takesAddend(_ layer: LayerReference) -> Bool {
    switch gemms[layer.index].weights {
    case _ where layer.isSparse: false
    case .f32: true
    case .qd8(_, _, _, let isQC4W): !isQC4W
    case .f16, .qs8, .qs16: false
    }
  }

  /// A product of dense rows, and an addend for its results.
  mutating func emit(_ product: Step.Product, adding addend: Value?) {
    var product = product
    if let addend, takesAddend(product.layer) { product.addend = address(addend) }
    emit(product)
    if let addend, product.addend == nil {
      emitSum(product.destination, address(addend), count: product.rows * product.outputs)
    }
  }

  /// y += x.
  mutating func emitSum(_ y: Address, _ x: Address, count: Int) {
    let nest = Nest(extents: [count], a: [1], b: [1], y: [1])
    emit(
      .binary(Step.Binary(a: y, b: x, to: y, nest), .add, range: Self.unclamped),
      touching: [Int(y.storage), Int(x.storage)])
  }

  mutating func emit(_ product: Step.Product) {
    var touched = [Int(product.source.storage), Int(product.destination.storage)]
    switch product.layer.type {
    case .f16, .qd8: touched.append(Int(product.parameters.storage))
    case .f32, .qs8, .qs16: break
    }
    if let addend = product.addend { touched.append(Int(addend.storage)) }
    emit(.product(product), touching: touched)
  }
}
