internal import Kernels

extension Planner {
  /// Products of matrices that lie in the last two dimensions; those before are walked together,
  /// and repeated where one side has only one.
  mutating func lowerBatchProduct(
    _ index: Int, adjointX: Bool, adjointY: Bool
  ) throws(EngineError) {
    let (left, right) = (try input(index, 0), try input(index, 1))
    let output = try output(index)
    let (a, b) = (shape(left), shape(right))
    guard a.count >= 2, b.count >= 2, max(a.count, b.count) <= Nest.maximumRank else {
      throw invalid(index, "\(a) and \(b) are not both matrices")
    }
    let (rows, inputs) =
      adjointX ? (a[a.count - 1], a[a.count - 2]) : (a[a.count - 2], a[a.count - 1])
    let (outputs, shared) =
      adjointY ? (b[b.count - 2], b[b.count - 1]) : (b[b.count - 1], b[b.count - 2])
    guard inputs == shared else {
      throw invalid(index, "\(a) and \(b) share no dimension")
    }
    let batches = try broadcast(Array(a.dropLast(2)), Array(b.dropLast(2)), index)
    try requireShape(output, batches + [rows, outputs], index)

    var x = try value(of: left)
    if adjointX { x = try swappedMatrices(x, a) }
    let y = try value(of: right)
    let z = try destination(output)
    let kernel = FloatMatrixProduct(instructionSet)
    let packed = try newStorage(
      .scratch,
      byteCount: try checkedProduct([4, kernel.packedCount(outputs: outputs, inputs: inputs)]))
    emit(
      .batchProduct(
        Step.BatchProduct(
          a: address(x), b: address(y), packed: address(packed), destination: address(z),
          rows: rows, inputs: inputs, outputs: outputs, isTransposed: !adjointY,
          batches: Nest(
            extents: batches, a: strides(Array(a.dropLast(2)), in: batches),
            b: strides(Array(b.dropLast(2)), in: batches), y: denseStrides(batches)))),
      touching: [x.storage, y.storage, packed, z.storage])
  }

  /// The last two dimensions the other way round.
  private mutating func swappedMatrices(_ source: Value, _ extents: [Int]) throws(EngineError)
    -> Value
  {
    let last = extents.count - 1
    var order = Array(extents.indices)
    order.swapAt(last, last - 1)
    return try transposed(source, extents, order)
  }
}

extension Network {
  func perform(_ step: Step.BatchProduct) {
    let (countA, countB) = (step.rows * step.inputs, step.inputs * step.outputs)
    let countY = step.rows * step.outputs
    let nest = step.batches
    let a = unsafe UnsafeBufferPointer(floats(step.a, (nest.reach(nest.a) + 1) * countA))
    let b = unsafe UnsafeBufferPointer(floats(step.b, (nest.reach(nest.b) + 1) * countB))
    let y = unsafe floats(step.destination, (nest.reach(nest.y) + 1) * countY)
    let packed = unsafe floats(
      step.packed, products.packedCount(outputs: step.outputs, inputs: step.inputs))
    var last = -1
    nest.forEach { offsetA, offsetB, offsetY in
      if offsetB != last {
        unsafe products.pack(
          b.part(offsetB * countB, countB), outputs: step.outputs, inputs: step.inputs,
          isTransposed: step.isTransposed, into: packed)
        last = offsetB
      }
      unsafe products.multiply(
        rows: step.rows, a.part(offsetA * countA, countA), packed: UnsafeBufferPointer(packed),
        outputs: step.outputs, inputs: step.inputs, into: y.part(offsetY * countY, countY))
    }
  }
}
