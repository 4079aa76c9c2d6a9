extension OperatorProperties {
  /// Parts of a tensor, selected by indices in other tensors. An index out of range gives zeros.
  static let gathers: [OperatorProperties] = [
    .builtin(
      36, "GATHER", .moves, types: .any, versions: (2, nil),
      options: OptionLayout(23, [.int, .int]),
      lower: { lowering, index, fields throws(EngineError) in
        try lowering.lowerGather(index, axis: fields.int(0), batchDimensions: fields.int(1))
      }),
    .builtin(
      107, "GATHER_ND", .moves, types: .any, options: OptionLayout(83),
      lower: { lowering, index, _ throws(EngineError) in try lowering.lowerGatherND(index) }),
    .builtin(
      7, "EMBEDDING_LOOKUP", types: .any,
      lower: { lowering, index, _ throws(EngineError) in
        let (ids, table) = (try lowering.callInput(index, 0), try lowering.callInput(index, 1))
        try lowering.requireShape(
          try lowering.output(index), ids.shape + table.shape.dropFirst(), index)
        let y = try lowering.callOutput(index)
        guard ids.type == .int32, ids.shape.count == 1, let rows = table.shape.first, rows > 0,
          y.type == table.type
        else { throw lowering.unsupported(index, "of \(ids.shape) and \(table.shape)") }
        lowering.emitGather(
          index, table, ids, to: y, outer: 1, count: rows, indices: ids.count,
          inner: table.count / rows)
      }),
    .builtin(
      151, "DYNAMIC_UPDATE_SLICE", .moves, types: .any, options: OptionLayout(117),
      lower: { lowering, index, _ throws(EngineError) in try lowering.lowerUpdate(index) }
    ).moving([0, 1]),
    .builtin(
      85, "ONE_HOT", types: .any, options: OptionLayout(61, [.int]),
      lower: { lowering, index, fields throws(EngineError) in
        try lowering.lowerOneHot(index, axis: fields.int(0))
      }),
  ]
}

extension Lowering {
  mutating func lowerGather(
    _ index: Int, axis: Int, batchDimensions: Int
  ) throws(EngineError) {
    let (x, places) = (try callInput(index, 0), try callInput(index, 1))
    try requireType(index, places, .int32, .int64, .int16)
    let rank = x.shape.count
    let axis = try normalized(axis, rank: rank, index)
    let batches = batchDimensions < 0 ? batchDimensions + places.shape.count : batchDimensions
    guard (0...min(axis, places.shape.count)).contains(batches),
      x.shape[..<batches] == places.shape[..<batches]
    else { throw wrongShape(index, "\(x.shape) and \(places.shape) do not go together") }
    try requireShape(
      try output(index),
      Array(x.shape[..<axis]) + places.shape[batches...] + x.shape[(axis + 1)...], index)
    let y = try callOutput(index)
    emitGather(
      index, x, places, to: y, batches: x.extent(0..<batches), outer: x.extent(batches..<axis),
      count: x.shape[axis], indices: places.extent(batches..<places.shape.count),
      inner: x.extent(axis + 1..<rank))
  }

  /// Takes `indices` parts of `inner` elements each out of `count`.
  mutating func emitGather(
    _ index: Int, _ x: CallOperand, _ places: CallOperand, to y: CallOperand, batches: Int = 1,
    outer: Int, count: Int, indices: Int, inner: Int
  ) {
    let block = inner * y.type.size
    emitCall(index, [x, places, y]) { network in
      let (source, target) = unsafe (network.bytes(x), network.bytes(y))
      for batch in 0..<batches {
        for row in 0..<outer {
          for position in 0..<indices {
            let place = network.integer(places, batch * indices + position)
            let part = unsafe target.part(
              ((batch * outer + row) * indices + position) * block, block)
            if (0..<count).contains(place) {
              unsafe UnsafeMutableRawBufferPointer(part).copyMemory(
                from: UnsafeRawBufferPointer(
                  UnsafeBufferPointer(source).part(
                    ((batch * outer + row) * count + place) * block, block)))
            } else {
              unsafe part.update(repeating: 0)
            }
          }
        }
      }
    }
  }

  mutating func lowerGatherND(_ index: Int) throws(EngineError) {
    let (x, places) = (try callInput(index, 0), try callInput(index, 1))
    try requireType(index, places, .int32, .int64, .int16)
    guard let depth = places.shape.last, depth > 0, depth <= x.shape.count else {
      throw wrongShape(index, "\(x.shape) and \(places.shape) do not go together")
    }
    try requireShape(
      try output(index), Array(places.shape.dropLast()) + x.shape[depth...], index)
    let y = try callOutput(index)
    let block = x.extent(depth..<x.shape.count) * y.type.size
    emitCall(index, [x, places, y]) { network in
      let (source, target) = unsafe (UnsafeBufferPointer(network.bytes(x)), network.bytes(y))
      for row in 0..<places.count / depth {
        var (first, isInside) = (0, true)
        for axis in 0..<depth {
          let place = network.integer(places, row * depth + axis)
          if !(0..<x.shape[axis]).contains(place) { isInside = false }
          first = first * x.shape[axis] + (isInside ? place : 0)
        }
        let part = unsafe target.part(row * block, block)
        if isInside {
          unsafe UnsafeMutableRawBufferPointer(part).copyMemory(
            from: UnsafeRawBufferPointer(source.part(first * block, block)))
        } else {
          unsafe part.update(repeating: 0)
        }
      }
    }
  }

  /// A tensor with a part replaced, at an index that a run may compute.
  mutating func lowerUpdate(_ index: Int) throws(EngineError) {
    let (x, update) = (try callInput(index, 0), try callInput(index, 1))
    let begin = try callInput(index, 2)
    try requireShape(try output(index), x.shape, index)
    let y = try callOutput(index)
    try requireType(index, begin, .int32, .int64)
    guard update.shape.count == x.shape.count, begin.count == x.shape.count,
      zip(update.shape, x.shape).allSatisfy({ $0 <= $1 })
    else { throw wrongShape(index, "\(update.shape) is no part of \(x.shape)") }
    let size = y.type.size
    let strides = denseStrides(x.shape, elementSize: size)
    let nest = Nest(
      extents: update.shape, a: denseStrides(update.shape, elementSize: size),
      b: update.shape.map { _ in 0 }, y: strides)
    emitCall(index, [x, update, begin, y]) { network in
      let (old, new) = unsafe (network.bytes(x), network.bytes(update))
      let result = unsafe network.bytes(y)
      if unsafe old.baseAddress != result.baseAddress {
        _ = unsafe result.update(fromContentsOf: old)
      }
      var first = 0
      for axis in 0..<x.shape.count {
        // An index out of range is clamped, as in LiteRT.
        let last = x.shape[axis] - update.shape[axis]
        first += min(max(network.integer(begin, axis), 0), last) * strides[axis]
      }
      nest.forEach { source, _, target in
        for byte in 0..<size { unsafe result[first + target + byte] = new[source + byte] }
      }
    }
  }

  mutating func lowerOneHot(_ index: Int, axis: Int) throws(EngineError) {
    let places = try callInput(index, 0)
    let (on, off) = (try callInput(index, 2), try callInput(index, 3))
    try requireType(index, places, .int32, .int64)
    let axis = axis == -1 ? places.shape.count : axis
    guard (0...places.shape.count).contains(axis),
      let depth = try integers(try input(index, 1)).first, (1...(1 << 24)).contains(depth)
    else { throw invalid(index, "there is no axis \(axis)") }
    try requireShape(
      try output(index), Array(places.shape[..<axis]) + [depth] + places.shape[axis...], index)
    let y = try callOutput(index)
    guard on.count == 1, off.count == 1, on.type == y.type, off.type == y.type else {
      throw invalid(index, "its values are no scalars of \(y.type)")
    }
    let inner = places.extent(axis..<places.shape.count)
    let size = y.type.size
    emitCall(index, [places, on, off, y]) { network in
      let (yes, no, result) = unsafe (network.bytes(on), network.bytes(off), network.bytes(y))
      for element in 0..<y.count {
        let (outer, class_, position) = (
          element / (depth * inner), element / inner % depth, element % inner
        )
        let isHot = network.integer(places, outer * inner + position) == class_
        for byte in 0..<size {
          unsafe result[element * size + byte] = isHot ? yes[byte] : no[byte]
        }
      }
    }
  }
}
