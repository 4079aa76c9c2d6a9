internal import QDKernels

extension Network {
  func performLookUp(_ step: Step.Conversion, _ table: Address) {
    unsafe integers.look(
      up: UnsafeBufferPointer(bytes(step.source, step.count)),
      in: UnsafeBufferPointer(bytes(table, 256)), into: bytes(step.destination, step.count))
  }

  func performFlip(_ step: Step.Conversion) {
    unsafe integers.flip(
      UnsafeBufferPointer(bytes(step.source, step.count)), into: bytes(step.destination, step.count)
    )
  }

  func performQuantize(_ step: Step.Conversion) {
    let source = unsafe UnsafeBufferPointer(floats(step.source, step.count))
    if step.isInt16 {
      return unsafe integers.quantize(
        source, inverseScale: step.scale, into: elements(Int16.self, step.destination, step.count))
    }
    unsafe integers.quantize(
      source, inverseScale: step.scale, QS8Output(zeroPoint: step.zeroPoint),
      into: bytes(step.destination, step.count))
  }

  func performQuantizeSums(_ step: Step.Conversion, _ scale: FixedPoint) {
    unsafe integers.quantize(
      UnsafeBufferPointer(floats(step.source, step.count)), scale: scale,
      zeroPoint: step.zeroPoint, into: bytes(step.destination, step.count))
  }

  func performDequantize(_ step: Step.Conversion) {
    let target = unsafe floats(step.destination, step.count)
    if step.isInt16 {
      return unsafe integers.dequantize(
        UnsafeBufferPointer(elements(Int16.self, step.source, step.count)), scale: step.scale,
        into: target)
    }
    unsafe integers.dequantize(
      UnsafeBufferPointer(bytes(step.source, step.count)), zeroPoint: step.zeroPoint,
      scale: step.scale, into: target)
  }
}
