internal import Kernels

/// How the integers of an activation stand for real values, in terms of int8: a uint8 value is
/// 128 more, as its zero point is.
struct IntegerForm: Equatable {
  var scale: Float
  var zeroPoint: Int
  /// int16, whose zero point is 0.
  var isWide: Bool

  /// The nearest integer to a real value.
  func integer(_ value: Float) -> Int {
    let quotient = (value / scale).rounded(.toNearestOrEven)
    // A root of something negative.
    if quotient.isNaN { return zeroPoint }
    return Int(min(max(quotient, -32768), 32767)) + zeroPoint
  }

  /// What an activation function leaves of the integers; `nil` for one that does more than clamp.
  func range(_ activation: Activation) -> ClosedRange<Int>? {
    if activation == .tanh { return nil }
    let reals = activation.range
    let (least, greatest) = isWide ? (-32768, 32767) : (-128, 127)
    let lower = reals.lowerBound == -.infinity ? least : integer(reals.lowerBound)
    let upper = reals.upperBound == .infinity ? greatest : integer(reals.upperBound)
    let bounded = min(max(lower, least), greatest)
    return bounded...min(max(upper, bounded), greatest)
  }
}

extension Planner {
  /// Whether the tensor holds quantized activations: integers with one scale.
  func isQuantized(_ tensor: Int) -> Bool {
    let type = graph.tensors[tensor].type
    return (type == .int8 || type == .uint8 || type == .int16) && folded[tensor] == nil
      && graph.tensors[tensor].quantization?.scales.count == 1
  }

  /// Whether the tensor holds integers or truth values that stand for themselves.
  func isPlain(_ tensor: Int) -> Bool {
    let value = graph.tensors[tensor]
    return value.type != .float32 && value.type != .float16 && value.quantization == nil
      && folded[tensor] == nil
  }

  /// Whether the tensor holds quantized activations of one byte.
  func isByte(_ tensor: Int) -> Bool {
    isQuantized(tensor) && graph.tensors[tensor].type != .int16
  }

  func integerForm(_ tensor: Int) throws(EngineError) -> IntegerForm {
    let type = graph.tensors[tensor].type
    guard isQuantized(tensor), let quantization = graph.tensors[tensor].quantization else {
      throw tensorError(tensor, "is \(type) without one scale")
    }
    let scale = quantization.scales[0]
    // Zero points of uint8 count from -128 inside.
    let zeroPoint = Int(clamping: quantization.zeroPoints[0]) - (type == .uint8 ? 128 : 0)
    guard scale.isNormal, scale > 0, (1 / scale).isNormal else {
      throw tensorError(tensor, "has the scale \(scale)")
    }
    guard type == .int16 ? zeroPoint == 0 : (-128...127).contains(zeroPoint) else {
      throw tensorError(tensor, "has the zero point \(quantization.zeroPoints[0])")
    }
    return IntegerForm(scale: scale, zeroPoint: zeroPoint, isWide: type == .int16)
  }

  /// Whether the same bytes mean the same in both tensors.
  func isSameForm(_ a: Int, _ b: Int) -> Bool {
    let (left, right) = (graph.tensors[a], graph.tensors[b])
    return left.type == right.type
      && (!isQuantized(a) || left.quantization == right.quantization
        || (try? integerForm(a)) == (try? integerForm(b)))
  }

  func tensorError(_ tensor: Int, _ reason: String) -> EngineError {
    .unsupportedTensor(graph: graph.name, tensor: graph.tensors[tensor].name, reason: reason)
  }

  // MARK: Stored bytes

  /// An int8 value as it is stored.
  func storedByte(_ value: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: value) ^ (storesUnsigned ? 0x80 : 0)
  }

  /// Whether a caller's bytes are not as they are stored inside.
  private func needsFlip(_ tensor: Int) -> Bool {
    isByte(tensor) && (graph.tensors[tensor].type == .int8) == storesUnsigned
  }

  /// A quantized constant as it is stored.
  func storedBytes(_ tensor: Int) throws(EngineError) -> [UInt8] {
    let data = graph.tensors[tensor].data ?? []
    return needsFlip(tensor) ? data.map { $0 ^ 0x80 } : data
  }

  /// What a tensor is padded with.
  func zeroByte(_ tensor: Int) throws(EngineError) -> UInt8 {
    guard view == .native, isByte(tensor) else { return 0 }
    return storedByte(try integerForm(tensor).zeroPoint)
  }

  // MARK: Inputs and outputs

  mutating func planInput(_ tensor: Int) throws(EngineError) {
    try requireActivation(tensor, "input")
    if halfEdges.contains(tensor) { return try planHalves(tensor) }
    let place = try persistent(tensor)
    guard needsFlip(tensor) else {
      values[tensor] = place
      return
    }
    external[tensor] = place
    let inside = try destination(tensor)
    try emitFlip(tensor, from: place, to: inside)
  }

  mutating func planOutput(_ tensor: Int) throws(EngineError) {
    try requireActivation(tensor, "output")
    guard external[tensor] == nil else { return }
    if halfEdges.contains(tensor) {
      external[tensor] = try halfStorage(tensor)
    } else if needsFlip(tensor) {
      external[tensor] = try persistent(tensor)
    } else if values[tensor] == nil, producer[tensor] != nil {
      values[tensor] = try persistent(tensor)
    }
  }

  /// Sees to it that an output is where the caller reads it, in the form that it has there.
  mutating func handOut(_ tensor: Int) throws(EngineError) {
    let inside = try value(of: tensor)
    guard let place = external[tensor], !graph.inputs.contains(tensor) else { return }
    if halfEdges.contains(tensor) { return try emitHalves(tensor, from: inside, to: place) }
    try emitFlip(tensor, from: inside, to: place)
  }

  private mutating func emitFlip(
    _ tensor: Int, from source: Value, to destination: Value
  ) throws(EngineError) {
    emit(
      .flip(
        Step.Conversion(
          source: address(source), destination: address(destination),
          count: try elementCount(tensor))),
      touching: [source.storage, destination.storage])
  }

  private func requireActivation(_ tensor: Int, _ kind: String) throws(EngineError) {
    if graph.tensors[tensor].type == .float32 || isPlain(tensor) { return }
    guard isQuantized(tensor) else {
      throw tensorError(tensor, "is an \(kind) of type \(graph.tensors[tensor].type)")
    }
    _ = try integerForm(tensor)
  }

  // MARK: QUANTIZE and DEQUANTIZE

  mutating func lowerQuantize(_ index: Int) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    try requireShape(output, shape(input), index)
    guard isQuantized(output) else {
      throw unsupported(index, "its output is \(graph.tensors[output].type)")
    }
    if view == .native { return try lowerTable(index) }
    floatForms[FloatForm(tensor: output, view: view)] = try value(of: input)
  }

  mutating func lowerDequantize(_ index: Int) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    try requireShape(output, shape(input), index)
    // Halves, which are floats here.
    if graph.tensors[input].type == .float32 { return try lowerReshape(index) }
    guard isQuantized(input), graph.tensors[output].type == .float32 else {
      throw unsupported(index, "its input is \(graph.tensors[input].type)")
    }
    guard let destination = values[output] else {
      values[output] = try value(of: input)
      return
    }
    try emitDequantize(input, to: destination)
  }

  // MARK: Tables

  /// A tensor's values in the form of another one.
  mutating func value(of tensor: Int, inFormOf other: Int) throws(EngineError) -> Value {
    let source = try value(of: tensor)
    if view != .native || isSameForm(tensor, other) { return source }
    guard isByte(tensor), isByte(other) else {
      throw tensorError(tensor, "has another scale than what it becomes a part of")
    }
    let bytes = try byteCount(tensor)
    let result = Value(storage: try newStorage(.scratch, byteCount: bytes))
    try emitLookUp(
      source, to: result, count: bytes, try requantization(from: tensor, to: other))
    return result
  }

  /// XNNPACK's conversion of one quantization to another: a multiplier of 8 fraction bits.
  func requantization(from: Int, to: Int) throws(EngineError) -> [UInt8] {
    let (source, result) = (try integerForm(from), try integerForm(to))
    let ratio = source.scale / result.scale
    guard ratio >= 0x1p-8, ratio <= 0x1p7 else {
      return table(from: source, to: result) { $0 }
    }
    let multiplier = Int((256 * ratio).rounded(.toNearestOrEven))
    return table { value in
      let shifted = ((value - source.zeroPoint) * multiplier + 0x80) >> 8
      return shifted + result.zeroPoint
    }
  }

  /// XNNPACK's leaky RELU: multipliers of 8 fraction bits; `nil` where they are out of range.
  func leakyTable(_ input: Int, _ output: Int, _ slope: Float) throws(EngineError) -> [UInt8]? {
    let (source, result) = (try integerForm(input), try integerForm(output))
    let positive = source.scale / result.scale
    let negative = positive * slope
    guard positive >= 0x1p-8, positive <= 0x1p7, negative.magnitude <= 0x1p7,
      negative.magnitude >= 0x1p-8
    else { return nil }
    let multipliers = [positive, negative].map { Int((-256 * $0).rounded(.toNearestOrEven)) }
    return table { value in
      let difference = source.zeroPoint - value
      return ((difference * multipliers[difference <= 0 ? 0 : 1] + 0x80) >> 8) + result.zeroPoint
    }
  }

  /// The table of a function of int8 values, by stored bytes.
  private func table(_ function: (Int) -> Int) -> [UInt8] {
    (0..<256).map { stored in
      let value = Int8(bitPattern: UInt8(stored) ^ (storesUnsigned ? 0x80 : 0))
      return storedByte(min(max(function(Int(value)), -128), 127))
    }
  }

  /// The table of a function of reals.
  func table(
    from source: IntegerForm, to result: IntegerForm, _ function: ([Float]) -> [Float]
  ) -> [UInt8] {
    let reals = (-128...127).map { Float($0 - source.zeroPoint) * source.scale }
    let images = function(reals)
    return table { result.integer(images[$0 + 128]) }
  }

  mutating func emitLookUp(_ source: Value, to output: Int, _ table: [UInt8]) throws(EngineError) {
    let destination = try destination(output)
    try emitLookUp(source, to: destination, count: try elementCount(output), table)
  }

  private mutating func emitLookUp(
    _ source: Value, to destination: Value, count: Int, _ table: [UInt8]
  ) throws(EngineError) {
    let entries = try constantStorage(table)
    emit(
      .lookUp(
        Step.Conversion(
          source: address(source), destination: address(destination), count: count),
        table: address(entries)),
      touching: [source.storage, destination.storage, entries])
  }
}
