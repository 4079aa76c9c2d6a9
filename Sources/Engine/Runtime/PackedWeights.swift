internal import Kernels

/// The weights of a network, packed for one instruction set; steps name them by index.
@safe struct PackedWeights: ~Copyable {
  let float: UnsafeMutableBufferPointer<PackedFloatWeights>
  let half: UnsafeMutableBufferPointer<PackedHalfWeights>
  let integer: UnsafeMutableBufferPointer<PackedInt8Weights>
  let floatDepthwise: UnsafeMutableBufferPointer<FloatDepthwiseWeights>
  let depthwise: UnsafeMutableBufferPointer<DepthwiseWeights>
  let fullInteger: UnsafeMutableBufferPointer<FullIntegerWeights>
  let fullIntegerDepthwise: UnsafeMutableBufferPointer<FullIntegerDepthwiseWeights>
  let wide: UnsafeMutableBufferPointer<WideIntegerWeights>
  let wideDepthwise: UnsafeMutableBufferPointer<WideDepthwiseWeights>

  init(_ lowering: Lowering, _ instructionSet: InstructionSet) {
    unsafe float = packed(lowering.floatWeights) {
      PackedFloatWeights(
        $0.values, outputs: $0.outputs, inputs: $0.inputs, bias: $0.bias,
        instructionSet: instructionSet)
    }
    unsafe half = packed(lowering.halfWeights) {
      PackedHalfWeights(
        $0.values.map { Float16($0).bitPattern }, outputs: $0.outputs, inputs: $0.inputs,
        bias: $0.bias, instructionSet: instructionSet)
    }
    unsafe integer = packed(lowering.integerWeights) {
      PackedInt8Weights(
        $0.values, outputs: $0.outputs, inputs: $0.inputs, scales: $0.scales, bias: $0.bias,
        halvesBytes: $0.halvesBytes, instructionSet: instructionSet)
    }
    unsafe floatDepthwise = packed(lowering.floatDepthwiseWeights) {
      FloatDepthwiseWeights(
        $0.weights, kernelRows: $0.kernelRows, kernelColumns: $0.kernelColumns,
        channels: $0.channels, bias: $0.bias, instructionSet: instructionSet)
    }
    unsafe depthwise = packed(lowering.depthwiseWeights) {
      DepthwiseWeights(
        $0.weights, taps: $0.taps, channels: $0.channels, scales: $0.scales, bias: $0.bias,
        instructionSet: instructionSet)
    }
    unsafe fullInteger = packed(lowering.fullIntegerWeights) {
      FullIntegerWeights(
        $0.weights, outputs: $0.outputs, inputs: $0.inputs, bias: $0.bias,
        multipliers: $0.multipliers, zeroPoint: $0.zeroPoint, output: $0.output,
        instructionSet: instructionSet)
    }
    unsafe fullIntegerDepthwise = packed(lowering.fullIntegerDepthwiseWeights) {
      FullIntegerDepthwiseWeights(
        $0.weights, taps: $0.inputs, channels: $0.outputs, bias: $0.bias,
        multipliers: $0.multipliers, zeroPoint: $0.zeroPoint, output: $0.output,
        instructionSet: instructionSet)
    }
    unsafe wide = packed(lowering.wideWeights) {
      WideIntegerWeights(
        $0.weights, outputs: $0.outputs, inputs: $0.inputs, output: $0.output,
        instructionSet: instructionSet)
    }
    unsafe wideDepthwise = packed(lowering.wideDepthwiseWeights) {
      WideDepthwiseWeights(
        $0.weights, taps: $0.inputs, channels: $0.outputs, output: $0.output,
        instructionSet: instructionSet)
    }
  }

  deinit {
    unsafe wide.deinitialize().deallocate()
    unsafe wideDepthwise.deinitialize().deallocate()
    unsafe fullInteger.deinitialize().deallocate()
    unsafe fullIntegerDepthwise.deinitialize().deallocate()
    unsafe float.deinitialize().deallocate()
    unsafe half.deinitialize().deallocate()
    unsafe integer.deinitialize().deallocate()
    unsafe floatDepthwise.deinitialize().deallocate()
    unsafe depthwise.deinitialize().deallocate()
  }
}

/// What `pack` makes of each description; the caller deallocates it.
private func packed<Description, Packed: ~Copyable>(
  _ descriptions: [Description], _ pack: (Description) -> Packed
) -> UnsafeMutableBufferPointer<Packed> {
  let result = UnsafeMutableBufferPointer<Packed>.allocate(capacity: descriptions.count)
  for (index, description) in descriptions.enumerated() {
    unsafe result.initializeElement(at: index, to: pack(description))
  }
  return unsafe result
}
