internal import QDKernels

extension Lowering {
  /// Beyond this number, matrices do not get a step each.
  private static let mostMatrices = 1024

  /// Products of the matrices in the last two dimensions; the dimensions before are iterated
  /// together and broadcast.
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

    if isHybrid(index), !adjointX, inputs <= QD8GEMMWeights.maximumInputs,
      graph.tensors[right].isConstant, batches.reduce(1, *) <= Self.mostMatrices
    {
      return try lowerConstantBatchProduct(
        index, batches, rows: rows, outputs: outputs, inputs: inputs, isTransposed: !adjointY)
    }
    var x = try value(of: left, for: index)
    if adjointX { x = try swappedMatrices(x, a) }
    let y = try value(of: right, for: index)
    let z = try destination(output, for: index)
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

  /// Products with constant int8 matrices, in dynamic range as in LiteRT: every row of the left
  /// side has its own parameters.
  private mutating func lowerConstantBatchProduct(
    _ index: Int, _ batches: [Int], rows: Int, outputs: Int, inputs: Int, isTransposed: Bool
  ) throws(EngineError) {
    let (left, right) = (try input(index, 0), try input(index, 1))
    let (a, b) = (Array(shape(left).dropLast(2)), shape(right))
    let values = constantBytes(right).decode()
    let scales = try scales(right, axis: b.count - (isTransposed ? 1 : 2))
    guard values.count == (try elementCount(right)), scales.count == 1 || scales.count == outputs
    else { throw invalid(index, "its weights do not fit") }
    let first = gemms.count
    let size = outputs * inputs
    for start in stride(from: 0, to: values.count, by: size) {
      let matrix = {
        let matrix = Array(values[start..<start + size])
        return isTransposed
          ? (0..<size).map { matrix[$0 % inputs * outputs + $0 / inputs] } : matrix
      }
      gemms.append(
        Layer(
          weights: .qd8(matrix, scales: scales, bias: nil), outputs: outputs, inputs: inputs))
    }
    let source = try quantizedRows(left, columns: inputs, for: index)
    let y = try destination(try output(index), for: index)
    var offsets: [(a: Int, b: Int, y: Int)] = []
    if size == values.count, a == batches {
      offsets = [(0, 0, 0)]
    } else {
      let nest = Nest(
        extents: batches, a: strides(a, in: batches),
        b: strides(Array(b.dropLast(2)), in: batches), y: denseStrides(batches))
      nest.forEach { offsets.append(($0, $1, $2)) }
    }
    let together = offsets.count == 1 ? try elementCount(left) / inputs : rows
    for offset in offsets {
      var product = Step.Product(
        LayerReference(type: .qd8, index: first + offset.b), rows: together, inputs: inputs,
        outputs: outputs)
      product.source = address(Value(storage: source.bytes, offset: offset.a * rows * inputs))
      product.parameters = address(
        Value(storage: source.parameters, offset: offset.a * rows * Self.parametersSize))
      product.parametersStride = 1
      product.destination = address(
        Value(storage: y.storage, offset: y.offset + 4 * offset.y * rows * outputs))
      emit(product)
    }
  }

  /// A copy with the last two dimensions transposed.
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
