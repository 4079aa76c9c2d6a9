internal import QDEngine
import QDMessages

/// The sparse storage of a constant: by level, every index or only the present ones.
///
/// Dimensions come in storage order; those of a block follow the others.
struct Sparsity {
  private let table: Table
  private let name: String
  private let shape: [Int]
  private let order: [Int]
  /// The dimension of the tensor that each dimension of a block divides.
  private let blocked: [Int]
  private let levels: [Level]

  private struct Level {
    var size: Int
    /// The start of each parent's indices, and the indices, if the level is sparse.
    var sparse: (segments: [Int], indices: [Int])?
  }

  init(_ table: Table, shape: [Int], name: String) throws(TFLiteError) {
    self.table = table
    self.name = name
    self.shape = shape
    order = try table.integers(0, as: Int32.self)?.map(Int.init) ?? []
    blocked = try table.integers(1, as: Int32.self)?.map(Int.init) ?? []
    var levels: [Level] = []
    for level in try table.tables(2) {
      let size = Int(try level.scalar(1, default: Int32(0)))
      if try level.scalar(0, default: UInt8(0)) == 0 {
        levels.append(Level(size: size))
      } else {
        levels.append(
          Level(size: 0, sparse: (try Self.vector(level, 2), try Self.vector(level, 4))))
      }
    }
    self.levels = levels
    guard levels.count == order.count, order.count == shape.count + blocked.count,
      order.sorted() == Array(order.indices), blocked.allSatisfy(shape.indices.contains)
    else { throw damaged("its dimensions do not go together") }
  }

  /// A union of vectors of int32, uint16 and uint8, whose type is field `id`.
  private static func vector(_ level: Table, _ id: Int) throws(TFLiteError) -> [Int] {
    guard let table = try level.table(id + 1) else { return [] }
    switch try level.scalar(id, default: UInt8(0)) {
    case 1: return try table.integers(0, as: Int32.self)?.map(Int.init) ?? []
    case 2: return try table.integers(0, as: UInt16.self)?.map(Int.init) ?? []
    case 3: return try table.integers(0, as: UInt8.self)?.map(Int.init) ?? []
    default: return []
    }
  }

  private func damaged(_ what: UserMessage.Literal) -> TFLiteError {
    table.buffer.damaged(
      "the sparse tensor '\(name)': \(UserMessage(what))", at: table.start)
  }

  /// All elements, with zeros where none is stored.
  func dense(_ data: [UInt8], elementSize: Int) throws(TFLiteError) -> [UInt8] {
    guard let count = Tensor(name: name, shape: shape, type: .int8).count, count <= 1 << 26 else {
      throw damaged("its shape is \(shape)")
    }
    try table.buffer.spend(count * elementSize / 64, at: table.start)
    var result = [UInt8](repeating: 0, count: count * elementSize)
    // The size of a block along each dimension of the tensor.
    var blocks = shape.map { _ in 1 }
    for (level, dimension) in order.enumerated() where dimension >= shape.count {
      guard levels[level].sparse == nil, levels[level].size > 0 else {
        throw damaged("its blocks are sparse")
      }
      let axis = blocked[dimension - shape.count]
      blocks[axis] *= min(levels[level].size, 1 << 16)
      guard blocks[axis] <= 1 << 20 else { throw damaged("its blocks are too large") }
    }
    var progress = Progress(position: order.map { _ in 0 }, most: 4 * count + 4096)
    try fill(0, 0, &progress, blocks, data, elementSize, &result)
    guard progress.place * elementSize == data.count else {
      throw damaged("it has \(data.count) bytes")
    }
    return result
  }

  /// The position of an element, and the number of elements read.
  private struct Progress {
    var position: [Int]
    var place = 0
    /// The remaining steps: a damaged file may repeat the same indices endlessly.
    var most: Int
  }

  private func fill(
    _ level: Int, _ parent: Int, _ progress: inout Progress, _ blocks: [Int], _ data: [UInt8],
    _ size: Int, _ result: inout [UInt8]
  ) throws(TFLiteError) {
    progress.most -= 1
    guard progress.most >= 0 else { throw damaged("its segments overlap") }
    guard level < levels.count else {
      var index = 0
      for axis in shape.indices {
        var own = progress.position[axis] * blocks[axis]
        for (number, dimension) in blocked.enumerated() where dimension == axis {
          own += progress.position[shape.count + number]
        }
        guard own < shape[axis] else { throw damaged("an element lies outside of it") }
        index = index * shape[axis] + own
      }
      guard (progress.place + 1) * size <= data.count else {
        throw damaged("it has \(data.count) bytes")
      }
      for byte in 0..<size { result[index * size + byte] = data[progress.place * size + byte] }
      progress.place += 1
      return
    }
    if let sparse = levels[level].sparse {
      guard sparse.segments.indices.contains(parent + 1),
        sparse.segments[parent] >= 0, sparse.segments[parent] <= sparse.segments[parent + 1],
        sparse.segments[parent + 1] <= sparse.indices.count
      else { throw damaged("its segments are wrong") }
      for child in sparse.segments[parent]..<sparse.segments[parent + 1] {
        progress.position[order[level]] = max(sparse.indices[child], 0)
        try fill(level + 1, child, &progress, blocks, data, size, &result)
      }
    } else {
      let count = levels[level].size
      guard (0...result.count).contains(count), parent <= 1 << 28 else {
        throw damaged("its dimensions are wrong")
      }
      for child in 0..<count {
        progress.position[order[level]] = child
        try fill(level + 1, parent * count + child, &progress, blocks, data, size, &result)
      }
    }
  }
}

extension Graph {
  /// Replaces the output of DENSIFY by a constant: constants are dense here.
  mutating func replaceDensify(_ node: Operator) -> Bool {
    guard let input = node.inputs.first, let input, let output = node.outputs.first,
      tensors.indices.contains(input), tensors.indices.contains(output),
      let data = tensors[input].data, tensors[input].shape == tensors[output].shape,
      tensors[input].type == tensors[output].type, node.outputs.count == 1
    else { return false }
    tensors[output].data = data
    tensors[output].isSparseInFile = tensors[input].isSparseInFile
    return true
  }

  /// Drops the data of constants that nothing reads any more, and removes trailing ones.
  mutating func forgetUnread(_ constants: Set<Int>) {
    let read = Set(operators.flatMap(\.inputs).compactMap { $0 } + inputs + outputs)
    let unread = constants.subtracting(read)
    for index in unread {
      tensors[index].data = nil
      tensors[index].isSparseInFile = false
    }
    while let last = tensors.indices.last, unread.contains(last) { tensors.removeLast() }
  }
}
