internal import QDKernels

/// The quantization of an activation in terms of int8: a uint8 value and its zero point are 128
/// more.
struct IntegerForm: Equatable {
  var scale: Float
  var zeroPoint: Int
  /// int16, whose zero point is 0.
  var isInt16: Bool

  /// The nearest integer to a real value.
  func integer(_ value: Float) -> Int {
    let quotient = (value / scale).rounded(.toNearestOrEven)
    // A root of a negative value.
    if quotient.isNaN { return zeroPoint }
    return Int(min(max(quotient, -32768), 32767)) + zeroPoint
  }

  /// The range of integers that an activation function allows; `nil` for one that does more than
  /// clamp.
  func range(_ activation: Activation) -> ClosedRange<Int>? {
    if activation == .tanh { return nil }
    let reals = activation.range
    let (least, greatest) = isInt16 ? (-32768, 32767) : (-128, 127)
    let lower = reals.lowerBound == -.infinity ? least : integer(reals.lowerBound)
    let upper = reals.upperBound == .infinity ? greatest : integer(reals.upperBound)
    let bounded = min(max(lower, least), greatest)
    return bounded...min(max(upper, bounded), greatest)
  }
}

extension HasDataflow {
  /// Whether the tensor holds quantized activations: integers with one scale.
  func isQuantized(_ tensor: Int) -> Bool {
    let type = graph.tensors[tensor].type
    return (type == .int8 || type == .uint8 || type == .int16)
      && graph.tensors[tensor].quantization?.scales.count == 1
  }

  /// Whether the tensor holds integers or booleans without a scale.
  func isPlain(_ tensor: Int) -> Bool {
    let value = graph.tensors[tensor]
    return value.type != .float32 && value.type != .float16 && value.quantization == nil
  }

  /// Whether the tensor holds quantized activations of one byte.
  func isByte(_ tensor: Int) -> Bool {
    isQuantized(tensor) && graph.tensors[tensor].type != .int16
  }

  func integerForm(_ tensor: Int) throws(EngineError) -> IntegerForm {
    let type = graph.tensors[tensor].type
    guard isQuantized(tensor), let quantization = graph.tensors[tensor].quantization else {
      throw quantizationError(tensor, "is \(type) without one scale")
    }
    let scale = quantization.scales[0]
    // Zero points of uint8 count from -128 inside.
    let zeroPoint = Int(clamping: quantization.zeroPoints[0]) - (type == .uint8 ? 128 : 0)
    guard scale.isNormal, scale > 0, (1 / scale).isNormal else {
      throw quantizationError(tensor, "has the scale \(scale)")
    }
    guard type == .int16 ? zeroPoint == 0 : (-128...127).contains(zeroPoint) else {
      throw quantizationError(tensor, "has the zero point \(quantization.zeroPoints[0])")
    }
    return IntegerForm(scale: scale, zeroPoint: zeroPoint, isInt16: type == .int16)
  }

  /// Whether the same bytes have the same meaning in both tensors.
  func isSameForm(_ a: Int, _ b: Int) -> Bool {
    let (left, right) = (graph.tensors[a], graph.tensors[b])
    return left.type == right.type
      && (!isQuantized(a) || left.quantization == right.quantization
        || (try? integerForm(a)) == (try? integerForm(b)))
  }

  /// Whether the caller's bytes differ from the stored ones.
  func needsFlip(_ tensor: Int, _ instructionSet: InstructionSet) -> Bool {
    isByte(tensor) && (graph.tensors[tensor].type == .int8) == instructionSet.storesUnsigned
  }

  /// Bytes of an element of a tensor in an operator's view.
  func elementSize(_ tensor: Int, as view: TensorView) -> Int {
    isPlain(tensor) || (view == .stored && isQuantized(tensor))
      ? graph.tensors[tensor].type.size : 4
  }

  /// Bytes of a tensor in an operator's view.
  func byteCount(_ tensor: Int, as view: TensorView) throws(EngineError) -> Int {
    try checkedProduct([elementSize(tensor, as: view)] + shape(tensor))
  }
}
