extension OperatorProperties {
  /// Elements that are moved, repeated or left out, each by itself.
  static let rearrangements: [OperatorProperties] = [
    .builtin(
      130, "BROADCAST_TO", .moves, types: .any, options: OptionLayout(104),
      lower: { planner, index, _ throws(EngineError) in
        let (x, y) = (try planner.callInput(index, 0), try planner.callOutput(index))
        guard try planner.broadcast(x.shape, y.shape, index) == y.shape else {
          throw planner.invalid(index, "\(x.shape) does not become \(y.shape)")
        }
        let strides = planner.strides(x.shape, in: y.shape)
        try planner.emitRearrangement(index, x, y) { position in
          zip(position, strides).reduce(0) { $0 + $1.0 * $1.1 }
        }
      }),
    .builtin(
      100, "MIRROR_PAD", .moves, types: .any, options: OptionLayout(77, [.byte]),
      lower: { planner, index, fields throws(EngineError) in
        let (x, y) = (try planner.callInput(index, 0), try planner.callOutput(index))
        // REFLECT leaves the edge out, SYMMETRIC repeats it.
        let edge = fields.byte(0) == 0 ? 1 : 0
        let padding = try planner.padding(index, x, y) { padding, extent in
          padding <= extent - edge
        }
        try planner.emitRearrangement(index, x, y) { position in
          let places = zip(zip(position, padding), x.shape).map { place, extent in
            let inner = place.0 - place.1
            if inner < 0 { return -inner - 1 + edge }
            return inner < extent ? inner : 2 * extent - 1 - inner - edge
          }
          return linear(places, x.shape)
        }
      }),
    .builtin(
      60, "PADV2", .moves, types: .any, options: OptionLayout(43),
      lower: { planner, index, _ throws(EngineError) in
        let (x, y) = (try planner.callInput(index, 0), try planner.callOutput(index))
        let padding = try planner.padding(index, x, y) { _, _ in true }
        let value = try planner.input(index, 2)
        guard planner.graph.tensors[value].isConstant,
          planner.graph.tensors[value].type
            == planner.graph.tensors[try planner.input(index, 0)].type
        else { throw planner.unsupported(index, "what it pads with is computed") }
        let fill = try planner.storedBytes(value)
        guard fill.count == x.type.size else {
          throw planner.invalid(index, "it pads with several")
        }
        try planner.emitRearrangement(index, x, y, fill: fill) { position in
          let places = zip(position, padding).map { $0 - $1 }
          return zip(places, x.shape).allSatisfy { (0..<$1).contains($0) }
            ? linear(places, x.shape) : nil
        }
      }),
    .builtin(
      5, "DEPTH_TO_SPACE", .moves, types: .any, options: OptionLayout(94, [.int]),
      lower: { planner, index, fields throws(EngineError) in
        let (x, y) = (try planner.callInput(index, 0), try planner.callOutput(index))
        let block = fields.int(0)
        guard x.shape.count == 4, y.shape.count == 4, block > 0, block <= x.shape[3],
          y.shape == [
            x.shape[0], x.shape[1] * block, x.shape[2] * block, x.shape[3] / (block * block),
          ], x.count == y.count
        else { throw planner.invalid(index, "\(x.shape) does not become \(y.shape)") }
        try planner.emitRearrangement(index, x, y) { p in
          let channel = (p[1] % block * block + p[2] % block) * y.shape[3] + p[3]
          return linear([p[0], p[1] / block, p[2] / block, channel], x.shape)
        }
      }),
    .builtin(
      26, "SPACE_TO_DEPTH", .moves, types: .any, options: OptionLayout(19, [.int]),
      lower: { planner, index, fields throws(EngineError) in
        let (x, y) = (try planner.callInput(index, 0), try planner.callOutput(index))
        let block = fields.int(0)
        guard x.shape.count == 4, y.shape.count == 4, block > 0, block <= x.shape[1],
          x.shape == [
            y.shape[0], y.shape[1] * block, y.shape[2] * block, y.shape[3] / (block * block),
          ], x.count == y.count
        else { throw planner.invalid(index, "\(x.shape) does not become \(y.shape)") }
        try planner.emitRearrangement(index, x, y) { p in
          let (place, channel) = (p[3] / x.shape[3], p[3] % x.shape[3])
          return linear(
            [p[0], p[1] * block + place / block, p[2] * block + place % block, channel], x.shape)
        }
      }),
    .builtin(
      38, "SPACE_TO_BATCH_ND", .moves, types: .any, options: OptionLayout(25),
      lower: { planner, index, _ throws(EngineError) in
        let (x, y) = (try planner.callInput(index, 0), try planner.callOutput(index))
        let (blocks, padding) = try planner.blocks(index)
        let inner = x.shape.count > blocks.count ? x.shape.count - 1 - blocks.count : -1
        guard inner >= 0, x.shape[0] * blocks.reduce(1, *) == y.shape.first,
          y.shape.count == x.shape.count, y.shape.suffix(inner) == x.shape.suffix(inner),
          blocks.indices.allSatisfy({
            y.shape[$0 + 1] * blocks[$0]
              == x.shape[$0 + 1] + padding[2 * $0] + padding[2 * $0 + 1]
          })
        else { throw planner.invalid(index, "\(x.shape) does not become \(y.shape)") }
        let fill = Array(
          repeating: try planner.zeroByte(try planner.output(index)), count: x.type.size)
        try planner.emitRearrangement(index, x, y, fill: fill) { position in
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
      lower: { planner, index, _ throws(EngineError) in
        let (x, y) = (try planner.callInput(index, 0), try planner.callOutput(index))
        let (blocks, crops) = try planner.blocks(index)
        let inner = x.shape.count > blocks.count ? x.shape.count - 1 - blocks.count : -1
        guard inner >= 0, y.shape.count == x.shape.count,
          x.shape[0] == y.shape[0] * blocks.reduce(1, *),
          y.shape.suffix(inner) == x.shape.suffix(inner),
          blocks.indices.allSatisfy({
            x.shape[$0 + 1] * blocks[$0]
              == y.shape[$0 + 1] + crops[2 * $0] + crops[2 * $0 + 1]
          })
        else { throw planner.invalid(index, "\(x.shape) does not become \(y.shape)") }
        try planner.emitRearrangement(index, x, y) { position in
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

/// Where an element of a dense tensor is.
func linear(_ position: [Int], _ shape: [Int]) -> Int {
  zip(position, shape).reduce(0) { $0 * $1.1 + $1.0 }
}

extension Planner {
  /// The most elements of which each has a place of its own in a table.
  private static let mostRearranged = 1 << 24

  /// Moves single elements: each of the output is the one of the input that `source` says for its
  /// position, or `fill` where there is none.
  mutating func emitRearrangement(
    _ index: Int, _ input: CallOperand, _ output: CallOperand, fill: [UInt8] = [],
    _ source: ([Int]) -> Int?
  ) throws(EngineError) {
    guard output.count <= Self.mostRearranged, input.count <= Self.mostRearranged else {
      throw unsupported(index, "its output is \(output.shape)")
    }
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

  /// The elements before each dimension that PADV2 and MIRROR_PAD add.
  func padding(
    _ index: Int, _ x: CallOperand, _ y: CallOperand, _ isValid: (Int, Int) -> Bool
  ) throws(EngineError) -> [Int] {
    let padding = try integers(try input(index, 1))
    guard padding.count == 2 * x.shape.count, y.shape.count == x.shape.count,
      x.shape.indices.allSatisfy({ axis in
        let (before, after) = (padding[2 * axis], padding[2 * axis + 1])
        return before >= 0 && after >= 0 && isValid(before, x.shape[axis])
          && isValid(after, x.shape[axis]) && before <= y.shape[axis]
          && y.shape[axis] - before - x.shape[axis] == after
      })
    else { throw invalid(index, "the padding \(padding) does not fit \(x.shape)") }
    return x.shape.indices.map { padding[2 * $0] }
  }

  /// The blocks of SPACE_TO_BATCH_ND and BATCH_TO_SPACE_ND, and what they add or take away around.
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
