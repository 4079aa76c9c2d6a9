/// Nested loops over up to six dimensions, with a stride for each of two sources and a destination.
struct Nest {
  private(set) var rank = 0
  private(set) var extents = InlineArray<6, Int>(repeating: 1)
  private(set) var a = InlineArray<6, Int>(repeating: 0)
  private(set) var b = InlineArray<6, Int>(repeating: 0)
  private(set) var y = InlineArray<6, Int>(repeating: 0)

  static let maximumRank = 6

  /// Dimensions from the outermost to the innermost, simplified: those of extent 1 are omitted, and
  /// neighbours that are contiguous for all three operands are merged.
  init(extents: [Int], a: [Int], b: [Int], y: [Int]) {
    for i in extents.indices where extents[i] != 1 {
      if rank > 0 {
        let last = rank - 1
        if self.a[last] == a[i] * extents[i], self.b[last] == b[i] * extents[i],
          self.y[last] == y[i] * extents[i]
        {
          self.extents[last] *= extents[i]
          self.a[last] = a[i]
          self.b[last] = b[i]
          self.y[last] = y[i]
          continue
        }
      }
      self.extents[rank] = extents[i]
      self.a[rank] = a[i]
      self.b[rank] = b[i]
      self.y[rank] = y[i]
      rank += 1
    }
  }

  /// One of the loops.
  struct Dimension {
    var extent = 1
    var a = 0
    var b = 0
    var y = 0
  }

  /// Removes and returns the innermost dimension.
  mutating func removeInnermost() -> Dimension {
    guard rank > 0 else { return Dimension() }
    rank -= 1
    defer {
      extents[rank] = 1
      a[rank] = 0
      b[rank] = 0
      y[rank] = 0
    }
    return Dimension(extent: extents[rank], a: a[rank], b: b[rank], y: y[rank])
  }

  /// The number of positions.
  var count: Int {
    var count = 1
    for i in 0..<rank { count *= extents[i] }
    return count
  }

  /// Reduces the extent of the outermost loop.
  mutating func narrow(to extent: Int) {
    precondition(rank > 0 && extent <= extents[0], "no such loop")
    extents[0] = extent
  }

  /// The offset of the last position along one kind of strides: `a`, `b` or `y`.
  @inline(__always)
  func reach(_ strides: InlineArray<6, Int>) -> Int {
    var offset = 0
    for i in 0..<rank { offset += (extents[i] - 1) * strides[i] }
    return offset
  }

  /// Calls `body` with the offsets of every position, in row-major order.
  @inline(__always)
  func forEach(_ body: (_ a: Int, _ b: Int, _ y: Int) -> Void) {
    if rank == 0 { return body(0, 0, 0) }
    if rank == 1 {
      for i in 0..<extents[0] { body(i &* a[0], i &* b[0], i &* y[0]) }
      return
    }
    var index = InlineArray<6, Int>(repeating: 0)
    var offsetA = 0
    var offsetB = 0
    var offsetY = 0
    while true {
      body(offsetA, offsetB, offsetY)
      var dimension = rank - 1
      while true {
        index[dimension] &+= 1
        offsetA &+= a[dimension]
        offsetB &+= b[dimension]
        offsetY &+= y[dimension]
        if index[dimension] < extents[dimension] { break }
        index[dimension] = 0
        offsetA &-= a[dimension] &* extents[dimension]
        offsetB &-= b[dimension] &* extents[dimension]
        offsetY &-= y[dimension] &* extents[dimension]
        if dimension == 0 { return }
        dimension -= 1
      }
    }
  }
}

extension Nest {
  /// The nest, whose strides are bytes of floats, as transpositions of whole matrices.
  func transposition(_ source: Address, _ destination: Address) -> Step.Transpose? {
    let size = MemoryLayout<Float>.size
    guard rank == 2 || rank == 3 else { return nil }
    let (outer, inner) = (rank - 2, rank - 1)
    guard a[outer] == size, y[inner] == size else { return nil }
    return Step.Transpose(
      source: source, destination: destination, rows: extents[inner], columns: extents[outer],
      sourceStride: a[inner] / size, destinationStride: y[outer] / size,
      repeats: rank == 3 ? extents[0] : 1, sourceStep: rank == 3 ? a[0] / size : 0,
      destinationStep: rank == 3 ? y[0] / size : 0)
  }
}

/// Strides of a dense row-major array, times the size of an element.
func denseStrides(_ shape: [Int], elementSize: Int = 1) -> [Int] {
  var strides = Array(repeating: elementSize, count: shape.count)
  for i in shape.indices.dropLast().reversed() { strides[i] = strides[i + 1] * shape[i + 1] }
  return strides
}
