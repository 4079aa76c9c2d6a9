internal import QDKernels

/// Stored integers, and conversions between their forms.
extension Lowering {
  // MARK: Stored bytes

  /// An int8 value in stored form.
  func storedByte(_ value: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: value) ^ (storesUnsigned ? 0x80 : 0)
  }

  private func needsFlip(_ tensor: Int) -> Bool { dataflow.needsFlip(tensor, instructionSet) }

  /// A quantized constant in stored form.
  func storedBytes(_ tensor: Int) throws(EngineError) -> [UInt8] {
    let bytes = graph.tensors[tensor].data ?? []
    return needsFlip(tensor) ? bytes.map { $0 ^ 0x80 } : bytes
  }

  /// The byte that pads a tensor.
  func zeroByte(_ tensor: Int, as view: TensorView) throws(EngineError) -> UInt8 {
    guard view == .stored, isByte(tensor) else { return 0 }
    return storedByte(try integerForm(tensor).zeroPoint)
  }

  // MARK: Inputs and outputs

  mutating func placeInput(_ tensor: Int) throws(EngineError) {
    try requireActivation(tensor, "input")
    if f16Edges.contains(tensor) { return try placeF16(tensor) }
    let place = try persistent(tensor)
    guard needsFlip(tensor) else {
      values[tensor] = place
      return
    }
    external[tensor] = place
    let inside = try destination(tensor, as: .stored)
    try emitFlip(tensor, from: place, to: inside)
  }

  mutating func placeOutput(_ tensor: Int) throws(EngineError) {
    try requireActivation(tensor, "output")
    guard external[tensor] == nil else { return }
    if f16Edges.contains(tensor) {
      external[tensor] = try f16Storage(tensor)
    } else if needsFlip(tensor) {
      external[tensor] = try persistent(tensor)
    } else if values[tensor] == nil, dataflow.producer[tensor] != nil {
      values[tensor] = try persistent(tensor)
    }
  }

  /// Stores an output where the caller reads it, in the caller's form.
  mutating func handOut(_ tensor: Int) throws(EngineError) {
    let inside = try value(of: tensor, as: .stored)
    guard let place = external[tensor], !graph.inputs.contains(tensor) else { return }
    if f16Edges.contains(tensor) { return try emitF16(tensor, from: inside, to: place) }
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
    if isStored(index) { return try lowerTable(index) }
    floatForms[FloatForm(tensor: output, view: plan.views[index])] = try value(
      of: input, for: index)
  }

  mutating func lowerDequantize(_ index: Int) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    try requireShape(output, shape(input), index)
    // f16, which is f32 inside, or a constant.
    if [.float32, .float16].contains(graph.tensors[input].type) { return try lowerReshape(index) }
    guard isQuantized(input), graph.tensors[output].type == .float32 else {
      throw unsupported(index, "its input is \(graph.tensors[input].type)")
    }
    guard let destination = values[output] else {
      values[output] = try value(of: input, for: index)
      return
    }
    try emitDequantize(input, to: destination)
  }

  // MARK: Tables

  /// A tensor's values in the form of another tensor.
  mutating func value(
    of tensor: Int, inFormOf other: Int, for index: Int
  ) throws(EngineError) -> Value {
    let source = try value(of: tensor, for: index)
    if !isStored(index) || isSameForm(tensor, other) { return source }
    guard isByte(tensor), isByte(other) else {
      throw quantizationError(tensor, "has another scale than what it becomes a part of")
    }
    let bytes = try byteCount(tensor, for: index)
    let result = Value(storage: try newStorage(.scratch, byteCount: bytes))
    try emitLookUp(
      source, to: result, count: bytes, try requantization(from: tensor, to: other))
    return result
  }

  /// XNNPACK's conversion between quantizations: a multiplier with 8 fraction bits.
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

  /// XNNPACK's leaky RELU: multipliers with 8 fraction bits; `nil` if they are out of range.
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
    let destination = try destination(output, as: .stored)
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
