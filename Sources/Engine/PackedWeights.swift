internal import Kernels

/// The weights of a network, packed for one instruction set; steps name them by index.
@safe struct PackedWeights: ~Copyable {
  let float: UnsafeMutableBufferPointer<PackedFloatWeights>
  let half: UnsafeMutableBufferPointer<PackedHalfWeights>
  let integer: UnsafeMutableBufferPointer<PackedInt8Weights>
  let depthwise: UnsafeMutableBufferPointer<DepthwiseWeights>
  let fullInteger: UnsafeMutableBufferPointer<FullIntegerWeights>
  let fullIntegerDepthwise: UnsafeMutableBufferPointer<FullIntegerDepthwiseWeights>
  let wide: UnsafeMutableBufferPointer<WideIntegerWeights>
  let wideDepthwise: UnsafeMutableBufferPointer<WideDepthwiseWeights>

  init(_ planner: Planner, _ instructionSet: InstructionSet) {
    unsafe float = .allocate(capacity: planner.floatWeights.count)
    for (index, item) in planner.floatWeights.enumerated() {
      unsafe float.initializeElement(
        at: index,
        to: PackedFloatWeights(
          item.values, outputs: item.outputs, inputs: item.inputs, bias: item.bias,
          instructionSet: instructionSet))
    }
    unsafe half = .allocate(capacity: planner.halfWeights.count)
    for (index, item) in planner.halfWeights.enumerated() {
      unsafe half.initializeElement(
        at: index,
        to: PackedHalfWeights(
          item.values.map { Float16($0).bitPattern }, outputs: item.outputs, inputs: item.inputs,
          bias: item.bias, instructionSet: instructionSet))
    }
    unsafe integer = .allocate(capacity: planner.integerWeights.count)
    for (index, item) in planner.integerWeights.enumerated() {
      unsafe integer.initializeElement(
        at: index,
        to: PackedInt8Weights(
          item.values, outputs: item.outputs, inputs: item.inputs, scales: item.scales,
          bias: item.bias, halvesBytes: item.halvesBytes, instructionSet: instructionSet))
    }
    unsafe depthwise = .allocate(capacity: planner.depthwiseWeights.count)
    for (index, item) in planner.depthwiseWeights.enumerated() {
      let isFloat = item.bytes.isEmpty
      unsafe depthwise.initializeElement(
        at: index,
        to: isFloat
          ? DepthwiseWeights(
            item.floats, taps: item.taps, channels: item.channels, bias: item.bias,
            instructionSet: instructionSet)
          : DepthwiseWeights(
            item.bytes, taps: item.taps, channels: item.channels, scales: item.scales,
            bias: item.bias, instructionSet: instructionSet))
    }
    unsafe fullInteger = .allocate(capacity: planner.fullIntegerWeights.count)
    for (index, item) in planner.fullIntegerWeights.enumerated() {
      unsafe fullInteger.initializeElement(
        at: index,
        to: FullIntegerWeights(
          item.weights, outputs: item.outputs, inputs: item.inputs, bias: item.bias,
          multipliers: item.multipliers, zeroPoint: item.zeroPoint, output: item.output,
          instructionSet: instructionSet))
    }
    unsafe fullIntegerDepthwise = .allocate(capacity: planner.fullIntegerDepthwiseWeights.count)
    for (index, item) in planner.fullIntegerDepthwiseWeights.enumerated() {
      unsafe fullIntegerDepthwise.initializeElement(
        at: index,
        to: FullIntegerDepthwiseWeights(
          item.weights, taps: item.inputs, channels: item.outputs, bias: item.bias,
          multipliers: item.multipliers, zeroPoint: item.zeroPoint, output: item.output,
          instructionSet: instructionSet))
    }
    unsafe wide = .allocate(capacity: planner.wideWeights.count)
    for (index, item) in planner.wideWeights.enumerated() {
      unsafe wide.initializeElement(
        at: index,
        to: WideIntegerWeights(
          item.weights, outputs: item.outputs, inputs: item.inputs, output: item.output,
          instructionSet: instructionSet))
    }
    unsafe wideDepthwise = .allocate(capacity: planner.wideDepthwiseWeights.count)
    for (index, item) in planner.wideDepthwiseWeights.enumerated() {
      unsafe wideDepthwise.initializeElement(
        at: index,
        to: WideDepthwiseWeights(
          item.weights, taps: item.inputs, channels: item.outputs, output: item.output,
          instructionSet: instructionSet))
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
    unsafe depthwise.deinitialize().deallocate()
  }
}
