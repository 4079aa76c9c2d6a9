extension OperatorProperties {
  /// Operators that move, repeat or omit single elements.
  static let rearrangements: [OperatorProperties] = [
    .builtin(
      130, "BROADCAST_TO", .moves, types: .any, options: OptionLayout(104),
      lower: { lowering, index, _ throws(EngineError) in
        let x = try lowering.callInput(index, 0)
        let wanted = try lowering.integers(try lowering.input(index, 1))
        try lowering.requireShape(try lowering.output(index), wanted, index)
        let y = try lowering.callOutput(index)
        guard try lowering.broadcast(x.shape, y.shape, index) == y.shape else {
          throw lowering.wrongShape(index, "\(x.shape) does not become \(y.shape)")
        }
        let size = x.type.size
        lowering.emitCopy(
          x.address, y.address, extents: y.shape,
          from: lowering.strides(x.shape, in: y.shape).map { size * $0 },
          to: denseStrides(y.shape, elementSize: size), elementSize: size)
      }),
    .builtin(
      100, "MIRROR_PAD", .moves, types: .any, options: OptionLayout(77, [.byte]),
      lower: { lowering, index, fields throws(EngineError) in
        let x = try lowering.callInput(index, 0)
        // REFLECT does not repeat the edge, SYMMETRIC does.
        let edge = fields.byte(0) == 0 ? 1 : 0
        let padding = try lowering.padding(index, x) { padding, extent in
          padding <= extent - edge
        }
        let y = try lowering.callOutput(index)
        lowering.emitMirrorPad(index, x, y, padding, edge: edge)
      }),
    .builtin(
      60, "PADV2", .moves, types: .any, options: OptionLayout(43),
      lower: { lowering, index, _ throws(EngineError) in
        let x = try lowering.callInput(index, 0)
        let padding = try lowering.padding(index, x) { _, _ in true }
        let y = try lowering.callOutput(index)
        let value = try lowering.input(index, 2)
        guard lowering.graph.tensors[value].isConstant,
          lowering.graph.tensors[value].type
            == lowering.graph.tensors[try lowering.input(index, 0)].type
        else { throw lowering.unsupported(index, "what it pads with is computed") }
        let fill = try lowering.storedBytes(value)
        guard fill.count == x.type.size else {
          throw lowering.invalid(index, "it pads with several")
        }
        let size = x.type.size
        lowering.emitCall(index, [y]) { network in
          let bytes = unsafe network.bytes(y)
          for byte in 0..<bytes.count { unsafe bytes[byte] = fill[byte % size] }
        }
        let strides = denseStrides(y.shape, elementSize: size)
        var inner = y.address
        inner.offset += Int32(zip(padding, strides).reduce(0) { $0 + $1.0 * $1.1 })
        lowering.emitCopy(
          x.address, inner, extents: x.shape, from: denseStrides(x.shape, elementSize: size),
          to: strides, elementSize: size)
      }),
    .builtin(
      5, "DEPTH_TO_SPACE", .moves, types: .any, options: OptionLayout(94, [.int]),
      lower: { lowering, index, fields throws(EngineError) in
        let x = try lowering.callInput(index, 0)
        let block = fields.int(0)
        guard x.shape.count == 4, block > 0, block <= x.shape[3],
          x.shape[3].isMultiple(of: block * block)
        else { throw lowering.invalid(index, "blocks of \(block) of \(x.shape)") }
        let depth = x.shape[3] / (block * block)
        try lowering.requireShape(
          try lowering.output(index), [x.shape[0], x.shape[1] * block, x.shape[2] * block, depth],
          index)
        let y = try lowering.callOutput(index)
        lowering.emitBlocks(x, y, Array(x.shape.dropLast()) + [block, block, depth], block: block)
      }),
    .builtin(
      26, "SPACE_TO_DEPTH", .moves, types: .any, options: OptionLayout(19, [.int]),
      lower: { lowering, index, fields throws(EngineError) in
        let x = try lowering.callInput(index, 0)
        let block = fields.int(0)
        guard x.shape.count == 4, block > 0, x.shape[1].isMultiple(of: block),
          x.shape[2].isMultiple(of: block)
        else { throw lowering.invalid(index, "blocks of \(block) of \(x.shape)") }
        let shape = [
          x.shape[0], x.shape[1] / block, x.shape[2] / block, x.shape[3] * block * block,
        ]
        try lowering.requireShape(try lowering.output(index), shape, index)
        let y = try lowering.callOutput(index)
        lowering.emitBlocks(
          x, y, Array(shape.dropLast()) + [block, block, x.shape[3]], block: block, isReversed: true
        )
      }),
    .builtin(
      38, "SPACE_TO_BATCH_ND", .moves, types: .any, options: OptionLayout(25),
      lower: { lowering, index, _ throws(EngineError) in
        let x = try lowering.callInput(index, 0)
        let (blocks, padding) = try lowering.blocks(index)
        let inner = x.shape.count > blocks.count ? x.shape.count - 1 - blocks.count : -1
        if inner >= 0 {
          let middle = blocks.indices.map { axis in
            (x.shape[axis + 1] + padding[2 * axis] + padding[2 * axis + 1]) / blocks[axis]
          }
          try lowering.requireShape(
            try lowering.output(index),
            [x.shape[0] * blocks.reduce(1, *)] + middle + x.shape.suffix(inner), index)
        }
        let y = try lowering.callOutput(index)
        guard inner >= 0, x.shape[0] * blocks.reduce(1, *) == y.shape.first,
          y.shape.count == x.shape.count, y.shape.suffix(inner) == x.shape.suffix(inner),
          blocks.indices.allSatisfy({
            y.shape[$0 + 1] * blocks[$0]
              == x.shape[$0 + 1] + padding[2 * $0] + padding[2 * $0 + 1]
          })
        else { throw lowering.wrongShape(index, "\(x.shape) does not become \(y.shape)") }
        let fill = Array(
          repeating: try lowering.zeroByte(try lowering.output(index), for: index),
          count: x.type.size)
        try lowering.emitRearrangement(index, x, y, fill: fill) { position in
          var places = position
          places[0] = position[0] % x.shape[0]
          var block = position[0] / x.shape[0]
          for axis in blocks.indices.reversed() {
            let place = position[axis + 1] * blocks[axis] + block % blocks[axis]
            block /= blocks[axis]
            places[axis + 1] = place - padding[2 * axis]
            if !(0..<x.shape[axis + 1]).contains(places[axis + 1]) { return nil }
          }
          return linear(places, x.shape)
        }
      }),
    .builtin(
      37, "BATCH_TO_SPACE_ND", .moves, types: .any, options: OptionLayout(24),
      lower: { lowering, index, _ throws(EngineError) in
        let x = try lowering.callInput(index, 0)
        let (blocks, crops) = try lowering.blocks(index)
        let inner = x.shape.count > blocks.count ? x.shape.count - 1 - blocks.count : -1
        if inner >= 0 {
          let middle = blocks.indices.map { axis in
            x.shape[axis + 1] * blocks[axis] - crops[2 * axis] - crops[2 * axis + 1]
          }
          try lowering.requireShape(
            try lowering.output(index),
            [x.shape[0] / blocks.reduce(1, *)] + middle + x.shape.suffix(inner), index)
        }
        let y = try lowering.callOutput(index)
        guard inner >= 0, y.shape.count == x.shape.count,
          x.shape[0] == y.shape[0] * blocks.reduce(1, *),
          y.shape.suffix(inner) == x.shape.suffix(inner),
          blocks.indices.allSatisfy({
            x.shape[$0 + 1] * blocks[$0]
              == y.shape[$0 + 1] + crops[2 * $0] + crops[2 * $0 + 1]
          })
        else { throw lowering.wrongShape(index, "\(x.shape) does not become \(y.shape)") }
        try lowering.emitRearrangement(index, x, y) { position in
          var places = position
          var block = 0
          for axis in blocks.indices {
            let place = position[axis + 1] + crops[2 * axis]
            block = block * blocks[axis] + place % blocks[axis]
            places[axis + 1] = place / blocks[axis]
          }
          places[0] = block * y.shape[0] + position[0]
          return linear(places, x.shape)
        }
      }),
  ]
}

/// The index of an element of a dense tensor.
func linear(_ position: [Int], _ shape: [Int]) -> Int {
  zip(position, shape).reduce(0) { $0 * $1.1 + $1.0 }
}

extension Lowering {
  /// The maximum number of elements in a table of source indices.
  private static let mostRearranged = 1 << 22

  /// Pads by what is inside, from the edge or, where `edge` is 1, from its neighbour on.
  ///
  /// - Parameter padding: before each dimension; none is larger than the input without its edge.
  mutating func emitMirrorPad(
    _ index: Int, _ input: CallOperand, _ output: CallOperand, _ padding: [Int], edge: Int
  ) {
    let size = output.type.size
    let strides = denseStrides(input.shape, elementSize: size)
    let (from, to, last) = (input.shape, output.shape, output.shape.count - 1)
    emitCall(index, [input, output]) { network in
      let (x, y) = unsafe (network.bytes(input), network.bytes(output))
      func offset(_ place: Int, _ axis: Int) -> Int {
        let inner = place - padding[axis]
        let source =
          inner < 0
          ? -inner - 1 + edge
          : inner < from[axis] ? inner : 2 * from[axis] - 1 - inner - edge
        return source * strides[axis]
      }
      let columns = last < 0 ? 1 : to[last]
      for row in 0..<output.count / columns {
        var (rest, start) = (row, 0)
        for axis in stride(from: last - 1, through: 0, by: -1) {
          start += offset(rest % to[axis], axis)
          rest /= to[axis]
        }
        for column in 0..<columns {
          let source = start + (last < 0 ? 0 : offset(column, last))
          for byte in 0..<size {
            unsafe y[(row * columns + column) * size + byte] = x[source + byte]
          }
        }
      }
    }
  }

  /// Moves single elements: each element of the output is the input element at the index that
  /// `source` returns for its position, or `fill` for `nil`.
  mutating func emitRearrangement(
    _ index: Int, _ input: CallOperand, _ output: CallOperand, fill: [UInt8] = [],
    _ source: ([Int]) -> Int?
  ) throws(EngineError) {
    if infersShapes { return }
    guard output.count <= Self.mostRearranged, input.count <= Self.mostRearranged else {
      throw unsupported(index, "its output is \(output.shape)")
    }
    heldByteCount = try checkedSize(heldByteCount + 4 * output.count)
    var table: [Int32] = []
    table.reserveCapacity(output.count)
    var position = output.shape.map { _ in 0 }
    for _ in 0..<output.count {
      let place = source(position)
      guard place.map((0..<input.count).contains) ?? !fill.isEmpty else {
        throw invalid(index, "it takes an element that \(input.shape) does not have")
      }
      table.append(Int32(place ?? -1))
      for axis in position.indices.reversed() {
        position[axis] += 1
        if position[axis] < output.shape[axis] { break }
        position[axis] = 0
      }
    }
    let sources = table
    let size = output.type.size
    emitCall(index, [input, output]) { network in
      let (x, y) = unsafe (network.bytes(input), network.bytes(output))
      for place in 0..<sources.count {
        let source = Int(sources[place])
        for byte in 0..<size {
          unsafe y[place * size + byte] = source < 0 ? fill[byte] : x[source * size + byte]
        }
      }
    }
  }

  /// Moves blocks of pixels from the channels into the image plane, or back.
  ///
  /// - Parameter extents: images, rows, columns, rows and columns of a block, channels.
  mutating func emitBlocks(
    _ x: CallOperand, _ y: CallOperand, _ extents: [Int], block: Int, isReversed: Bool = false
  ) {
    let size = x.type.size
    let deep = denseStrides(extents, elementSize: size)
    let column = size * extents[5]
    let row = column * extents[2] * block
    let flat = [row * extents[1] * block, row * block, column * block, row, column, size]
    emitCopy(
      x.address, y.address, extents: extents, from: isReversed ? flat : deep,
      to: isReversed ? deep : flat, elementSize: size)
  }

  /// The elements before each dimension that PADV2 and MIRROR_PAD add.
  mutating func padding(
    _ index: Int, _ x: CallOperand, _ isValid: (Int, Int) -> Bool
  ) throws(EngineError) -> [Int] {
    let padding = try integers(try input(index, 1))
    guard padding.count == 2 * x.shape.count,
      padding.allSatisfy({ (0...Self.mostRearranged).contains($0) }),
      x.shape.indices.allSatisfy({
        isValid(padding[2 * $0], x.shape[$0]) && isValid(padding[2 * $0 + 1], x.shape[$0])
      })
    else { throw invalid(index, "the padding \(padding) does not fit \(x.shape)") }
    try requireShape(
      try output(index),
      x.shape.indices.map { padding[2 * $0] + x.shape[$0] + padding[2 * $0 + 1] }, index)
    return x.shape.indices.map { padding[2 * $0] }
  }

  /// The block sizes of SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND, and their padding or cropping.
  func blocks(_ index: Int) throws(EngineError) -> (blocks: [Int], around: [Int]) {
    let blocks = try integers(try input(index, 1))
    let around = try integers(try input(index, 2))
    guard !blocks.isEmpty, around.count == 2 * blocks.count,
      blocks.allSatisfy({ (1...Self.mostRearranged).contains($0) }), blocks.count <= 3,
      around.allSatisfy({ (0...Self.mostRearranged).contains($0) })
    else { throw invalid(index, "the blocks \(blocks) and \(around) do not go together") }
    return (blocks, around)
  }
}
