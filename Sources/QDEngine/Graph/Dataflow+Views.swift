internal import QDKernels

/// The form in which an operator reads and writes quantized tensors.
package enum TensorView: Sendable {
  /// As stored: the operator moves them, or has kernels for them.
  case stored
  /// As the real values, in floats.
  case dequantized
  /// As q - zeroPoint in floats, without the scale: sums of them are exact up to 2^24.
  case unscaled
}

/// How sums are requantized to bytes.
enum SumScale {
  /// As in LiteRT's own kernels.
  case fixed(FixedPoint)
  /// As in XNNPACK.
  case float(Float)
}

extension HasDataflow {
  /// The view of an operator: stored where it moves tensors or has kernels for them, unscaled where
  /// it adds integers, else dequantized.
  func view(of index: Int) -> TensorView {
    let node = graph.operators[index]
    let activations = node.inputs.compactMap { $0 } + node.outputs
    guard let output = node.outputs.first, activations.contains(where: isQuantized) else {
      return .dequantized
    }
    func areBytes(_ inputs: Int) -> Bool {
      isByte(output)
        && (0..<inputs).allSatisfy { optionalInput(index, $0).map(isByte) ?? false }
    }
    let isNative =
      switch node.kind.integers {
      case .none: false
      case .moves: true
      case .table: areBytes(1)
      case .products: areBytes(1) ? hasQS8Weights(index) : hasQS16Weights(index)
      case .pairs: areBytes(2) && canPair(index)
      case .pools: areBytes(1) && canPool(index) || isInt16Resize(index)
      case .sums: false
      }
    if isNative { return .stored }
    let hasSums = node.kind.integers == .sums || node.kind.integers == .products
    return hasSums && sumScale(index) != nil ? .unscaled : .dequantized
  }

  /// Whether images of int16 are scaled linearly, within one quantization.
  private func isInt16Resize(_ index: Int) -> Bool {
    guard case .resize(let resizing) = graph.operators[index].kind, resizing.isLinear,
      let input = optionalInput(index, 0), let output = graph.operators[index].outputs.first
    else { return false }
    return isQuantized(input) && graph.tensors[input].type == .int16 && isSameForm(input, output)
  }

  /// Whether a pool's result has the quantization of its input, and its kernel supports the window.
  private func canPool(_ index: Int) -> Bool {
    guard let input = optionalInput(index, 0), let output = graph.operators[index].outputs.first,
      isSameForm(input, output)
    else { return false }
    switch graph.operators[index].kind {
    case .maxPool(_, _, _, let activation): return activation != .tanh
    case .resize(let resizing): return resizing.isLinear
    case .averagePool(_, let height, let width, let activation):
      return activation != .tanh && height > 0 && width > 0
        && height <= IntegerPool.maximumTaps / width
    default: return false
    }
  }

  /// Whether the weights are as the integer kernels require, and the activation is a clamp.
  func hasSymmetricWeights(_ index: Int) -> Bool {
    let kind = graph.operators[index].kind
    guard kind.activation != .tanh, let weights = optionalInput(index, 1),
      let quantization = graph.tensors[weights].quantization,
      let outputs = kind.knownProperties?.weights?.axis,
      graph.tensors[weights].type == .int8, graph.tensors[weights].isConstant,
      graph.tensors[weights].shape.indices.contains(outputs),
      quantization.zeroPoints.allSatisfy({ $0 == 0 }),
      quantization.scales.allSatisfy({ $0.isFinite && $0 >= 0 }),
      quantization.scales.count == 1 || quantization.axis == outputs,
      let count = graph.tensors[weights].count, count > 0,
      count / graph.tensors[weights].shape[outputs] <= QS8GEMMWeights.maximumInputs
    else { return false }
    return true
  }

  /// Whether weights and bias are as the int8 kernels require.
  private func hasQS8Weights(_ index: Int) -> Bool {
    guard hasSymmetricWeights(index) else { return false }
    guard let bias = optionalInput(index, 2) else { return true }
    return graph.tensors[bias].type == .int32 && graph.tensors[bias].isConstant
      && integerBias(bias).allSatisfy { abs(Int($0)) <= QS8GEMMWeights.largestBias }
  }

  func integerBias(_ tensor: Int) -> [Int32] {
    graph.tensors[tensor].constant?.elements(Int32.self) ?? []
  }

  // MARK: Sums

  /// The factor of the sums of an operator on computed bytes; `nil` for one whose sums may not fit
  /// 32-bit integers.
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
    case .builtin where node.kind.name == "SUM":
      return FixedPoint(Double(a.scale) / Double(result.scale)).map { .fixed($0) }
    case .mean:
      return .float(a.scale / result.scale / Float(count / results))
    case .batchMatMul(let adjointX, _):
      guard let inputs = shape(left).dropLast(adjointX ? 1 : 0).last,
        inputs <= QS8GEMMWeights.maximumInputs,
        let b = optionalInput(index, 1).flatMap(computedForm)
      else { return nil }
      // XNNPACK supports only a symmetric right side.
      if b.zeroPoint == 0 { return .float(a.scale * b.scale / result.scale) }
      return FixedPoint(Double(a.scale) * Double(b.scale) / Double(result.scale)).map { .fixed($0) }
    default: return nil
    }
  }

  /// The scale of weights with a zero point, as in networks of TensorFlow 1; weights and bias are
  /// integers times scales.
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

  // MARK: Pairs of bytes

  /// Whether the kernel supports the ratio of scales of a sum or difference.
  func canPair(_ index: Int) -> Bool {
    do { return try pair(index) != nil } catch { return false }
  }

  /// `nil` where there is no kernel for the function or for the ratio of scales.
  func pair(_ index: Int) throws(EngineError) -> IntegerElementwise.Binary? {
    let (a, b) = (try integerForm(try input(index, 0)), try integerForm(try input(index, 1)))
    let result = try integerForm(try output(index))
    guard case .binary(let function, let activation) = graph.operators[index].kind,
      let range = result.range(activation)
    else { return nil }
    if function == .squaredDifference {
      return IntegerElementwise.SquaredDifference(
        scales: (a.scale, b.scale), zeroPoints: (a.zeroPoint, b.zeroPoint), scale: result.scale,
        zeroPoint: result.zeroPoint
      ).map { .squaredDifference($0) }
    }
    if function == .multiply {
      return .product(
        IntegerElementwise.Product(
          zeroPoints: (a.zeroPoint, b.zeroPoint), scale: a.scale * b.scale / result.scale,
          QS8Output(zeroPoint: result.zeroPoint, range: range)))
    }
    return IntegerElementwise.Sum(
      scales: (a.scale / result.scale, (function == .subtract ? -1 : 1) * b.scale / result.scale),
      zeroPoints: (a.zeroPoint, b.zeroPoint), zeroPoint: result.zeroPoint, range: range
    ).map { .sum($0) }
  }

  // MARK: Weights

  /// Whether an operator has float activations and symmetric int8 weights: dynamic range.
  func isHybrid(_ index: Int) -> Bool {
    guard let data = optionalInput(index, 0), let weights = optionalInput(index, 1) else {
      return false
    }
    let zeroPoints = graph.tensors[weights].quantization?.zeroPoints ?? []
    return graph.tensors[data].type == .float32 && graph.tensors[weights].type == .int8
      && zeroPoints.allSatisfy { $0 == 0 }
  }

  private func isInt16(_ tensor: Int) -> Bool {
    isQuantized(tensor) && graph.tensors[tensor].type == .int16
  }

  /// Whether activations, weights and bias are as the 16x8 kernels require.
  func hasQS16Weights(_ index: Int) -> Bool {
    let node = graph.operators[index]
    guard let input = optionalInput(index, 0), let output = node.outputs.first, isInt16(input),
      isInt16(output), hasSymmetricWeights(index),
      let weights = optionalInput(index, 1), let axis = node.kind.knownProperties?.weights?.axis
    else { return false }
    if case .depthwiseConvolution = node.kind {
      let shape = graph.tensors[weights].shape
      guard shape.count == 4, shape[1] * shape[2] <= QS16DepthwiseWeights.maximumTaps else {
        return false
      }
    }
    let outputs = graph.tensors[weights].shape[axis]
    guard let ratios = try? qs16Ratios(index, outputs: outputs) else { return false }
    guard ratios.allSatisfy({ $0 == 0 || QS16Output.multipliers.contains($0) }) else {
      return false
    }
    guard let bias = optionalInput(index, 2) else { return true }
    let tensor = graph.tensors[bias]
    guard tensor.isConstant, tensor.type == .int64 || tensor.type == .int32,
      let values = try? integers(bias)
    else { return false }
    return values.allSatisfy { $0.magnitude <= QS16Output.largestBias }
  }

  /// Input scale times weight scale over output scale, by output.
  func qs16Ratios(_ index: Int, outputs: Int) throws(EngineError) -> [Double] {
    let scales = graph.tensors[try input(index, 1)].quantization?.scales ?? []
    let source = Double(try integerForm(try input(index, 0)).scale)
    let result = Double(try integerForm(try output(index)).scale)
    guard scales.count == 1 || scales.count == outputs else {
      throw invalid(index, "it has \(scales.count) scales for \(outputs) outputs")
    }
    return (0..<outputs).map { source * Double(scales[scales.count == 1 ? 0 : $0]) / result }
  }
}
