internal import QDEngine

extension ONNXImporter {
  mutating func convertConcatenation() throws(ONNXError) {
    var parts: [Activation] = []
    for position in node.inputs.indices { parts.append(try activation(position)) }
    guard let first = parts.first else { throw unsupported("it has no inputs") }
    let rank = first.shape.count
    let axis = try axis(integer("axis", 0), rank: rank)
    guard
      parts.allSatisfy({ part in
        part.shape.count == rank
          && part.shape.indices.allSatisfy { $0 == axis || part.shape[$0] == first.shape[$0] }
      })
    else { throw unsupported("its inputs differ in their dimensions") }
    set(try joined(parts, axis: axis))
  }

  // MARK: Parts

  mutating func convertSlice() throws(ONNXError) {
    let x = try activation(0)
    set(try taking(x, try sliced(x.shape)))
  }

  /// The indices of each axis that a slice selects.
  func sliced(_ shape: [Int]) throws(ONNXError) -> [[Int]] {
    let isOld = model.operatorSet < 10
    let starts = isOld ? integers("starts") ?? [] : try integers(1)
    let ends = isOld ? integers("ends") ?? [] : try integers(2)
    let axes = isOld ? integers("axes") : has(3) ? try integers(3) : nil
    let steps = !isOld && has(4) ? try integers(4) : nil
    guard ends.count == starts.count, axes.map({ $0.count == starts.count }) ?? true,
      steps.map({ $0.count == starts.count }) ?? true
    else { throw unsupported("its starts and ends do not fit") }
    var result = shape.map { Array(0..<$0) }
    for (place, start) in starts.enumerated() {
      let axis = try axis(axes?[place] ?? place, rank: shape.count)
      guard axis < shape.count else { throw unsupported("there is no axis \(axis)") }
      let (extent, step) = (shape[axis], steps?[place] ?? 1)
      guard step != 0 else { throw unsupported("its step is 0") }
      func clamped(_ value: Int, _ range: ClosedRange<Int>) -> Int {
        min(max(value < 0 ? value &+ extent : value, range.lowerBound), range.upperBound)
      }
      if step > 0 {
        let range = Self.bounds(start, ends[place], extent)
        result[axis] = Array(stride(from: range.lowerBound, to: range.upperBound, by: step))
      } else if extent > 0 {
        let last = ends[place] < -extent ? -1 : clamped(ends[place], -1...extent - 1)
        result[axis] = Array(
          stride(from: clamped(start, -1...extent - 1), to: last, by: max(step, -extent)))
      }
    }
    return result
  }

  /// The elements at the given indices of each axis: slices if the indices are evenly spaced, else
  /// a concatenation of pieces.
  mutating func taking(_ x: Activation, _ indices: [[Int]]) throws(ONNXError) -> Activation {
    guard indices.allSatisfy({ !$0.isEmpty }) else { throw unsupported("it takes nothing") }
    var (begin, end) = (x.shape.map { _ in 0 }, x.shape)
    var stride = x.shape.map { _ in 1 }
    var rest: [Int] = []
    for (axis, list) in indices.enumerated() {
      let step = list.count > 1 ? list[1] - list[0] : 1
      guard step > 0, list.indices.allSatisfy({ list[$0] == list[0] + $0 * step }) else {
        rest.append(axis)
        continue
      }
      (begin[axis], end[axis], stride[axis]) = (list[0], list[list.count - 1] + 1, step)
    }
    var result = x
    if begin.contains(where: { $0 != 0 }) || end != x.shape || stride.contains(where: { $0 != 1 }) {
      result = strided(x, begin: begin, end: end, stride: stride)
    }
    for axis in rest { result = try gathered(result, indices[axis], axis: axis) }
    return result
  }

  /// Rows of one axis in any order, by contiguous runs.
  private mutating func gathered(
    _ x: Activation, _ list: [Int], axis: Int
  ) throws(ONNXError) -> Activation {
    var runs: [Range<Int>] = []
    for index in list {
      if let last = runs.last, last.upperBound == index {
        runs[runs.count - 1] = last.lowerBound..<index + 1
      } else {
        runs.append(index..<index + 1)
      }
    }
    guard runs.count <= Self.mostPieces else {
      throw unsupported("it puts \(runs.count) pieces together, over \(Self.mostPieces)")
    }
    var parts: [Activation] = []
    for run in runs { parts.append(part(x, axis: axis, run)) }
    return try joined(parts, axis: axis)
  }

  /// More pieces would make a graph of tens of thousands of operators.
  private static var mostPieces: Int { 1024 }

  /// A concatenation.
  mutating func joined(_ parts: [Activation], axis: Int) throws(ONNXError) -> Activation {
    guard let first = parts.first else { throw unsupported("it has no inputs") }
    if parts.count == 1 { return first }
    var shape = first.shape
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let isLast = parts.contains(where: \.isChannelsLast)
    var inputs: [Int?] = []
    for part in parts { inputs.append((isLast ? try channelsLast(part) : part).tensor) }
    let stored = storedAxis(
      axis, of: Activation(tensor: 0, shape: shape, isChannelsLast: isLast))
    return emit(.concatenation(axis: stored, .none), inputs, shape: shape, isChannelsLast: isLast)
  }

  /// A slice of a value, by the axes of ONNX.
  private mutating func strided(
    _ x: Activation, begin: [Int], end: [Int], stride: [Int]
  ) -> Activation {
    let shape = x.shape.indices.map { (end[$0] - begin[$0] + stride[$0] - 1) / stride[$0] }
    func stored(_ list: [Int], _ value: Int) -> [Int] {
      guard x.isChannelsLast else { return list }
      var result = Array(repeating: value, count: 4)
      for (axis, element) in list.enumerated() { result[storedAxis(axis, of: x)] = element }
      return result
    }
    if stride.allSatisfy({ $0 == 1 }) {
      return emit(
        .slice, [x.tensor, counts(stored(begin, 0)), counts(stored(shape, 1))], shape: shape,
        isChannelsLast: x.isChannelsLast)
    }
    return emit(
      .stridedSlice(StridedSliceMasks()),
      [x.tensor, counts(stored(begin, 0)), counts(stored(end, 1)), counts(stored(stride, 1))],
      shape: shape, isChannelsLast: x.isChannelsLast)
  }

  /// A range of one axis.
  mutating func part(_ x: Activation, axis: Int, _ range: Range<Int>) -> Activation {
    var (begin, end) = (x.shape.map { _ in 0 }, x.shape)
    (begin[axis], end[axis]) = (range.lowerBound, range.upperBound)
    return strided(x, begin: begin, end: end, stride: x.shape.map { _ in 1 })
  }

  /// The indices of each output of a split.
  func splits(_ shape: [Int]) throws(ONNXError) -> [[[Int]]] {
    let axis = try axis(integer("axis", 0), rank: shape.count)
    guard axis < shape.count, shape[axis] > 0 else {
      throw unsupported("there is nothing to split")
    }
    let count = node.outputs.count
    let given = has(1) ? try integers(1) : integers("split")
    let size = (shape[axis] + count - 1) / count
    let sizes = given ?? (0..<count).map { max(0, min(size, shape[axis] - $0 * size)) }
    guard sizes.count == count, sizes.allSatisfy({ (1...shape[axis]).contains($0) }),
      sizes.reduce(0, +) == shape[axis]
    else { throw unsupported("its parts are \(sizes) of \(shape[axis])") }
    var start = 0
    return sizes.map { size in
      defer { start += size }
      return shape.indices.map { $0 == axis ? Array(start..<start + size) : Array(0..<shape[$0]) }
    }
  }

  mutating func convertSplit() throws(ONNXError) {
    let x = try activation(0)
    let names = node.outputs
    for (output, part) in try splits(x.shape).enumerated() where !names[output].isEmpty {
      node.outputs = [names[output]]
      set(try taking(x, part))
    }
  }

  /// The indices that a gather selects along an axis.
  func places(_ indices: Constant, of shape: [Int], axis: Int) throws(ONNXError) -> [Int] {
    guard axis < shape.count, let list = indices.integers else {
      throw unsupported("its indices are not integers")
    }
    let extent = shape[axis]
    let places = list.map { $0 < 0 ? $0 &+ extent : $0 }
    guard places.allSatisfy((0..<extent).contains) else {
      throw unsupported("an index is outside of its input")
    }
    return places
  }

  mutating func convertGather() throws(ONNXError) {
    let x = plain(try activation(0))
    let axis = try axis(integer("axis", 0), rank: x.shape.count)
    guard case .constant(let indices) = try value(1) else {
      let indices = plain(try activation(1))
      guard type(indices) == .int32 || type(indices) == .int64, axis < x.shape.count else {
        throw unsupported("its indices are not integers")
      }
      let shape = Array(x.shape[..<axis] + indices.shape + x.shape[(axis + 1)...])
      // The axis, and no dimension of both.
      return set(
        emit(
          code: 36, [x.tensor, indices.tensor], shape: shape,
          options: [0: .integer(axis), 1: .integer(0)], type: type(x)))
    }
    let places = try places(indices, of: x.shape, axis: axis)
    let taken = try taking(
      x, x.shape.indices.map { $0 == axis ? places : Array(0..<x.shape[$0]) })
    let shape = Array(x.shape[..<axis] + indices.shape + x.shape[(axis + 1)...])
    set(shape == taken.shape ? taken : reshaped(taken, shape))
  }

  /// Updates a box that spans all axes but one, in order.
  mutating func convertScatter() throws(ONNXError) {
    let data = plain(try activation(0))
    let updates = plain(try activation(2))
    let indices = try constant(1)
    guard string("reduction", "none") == "none", let list = indices.integers,
      let depth = indices.shape.last, (1...data.shape.count).contains(depth)
    else { throw unsupported("it adds, or its indices do not fit") }
    let strides = data.shape.indices.map { data.shape[($0 + 1)...].reduce(1, *) }
    let size = data.shape[depth...].reduce(1, *)
    var places: [Int] = []
    for start in stride(from: 0, to: list.count, by: depth) {
      let place = (0..<depth).reduce(0) { sum, axis in
        let index = list[start + axis]
        return sum &+ (index < 0 ? index &+ data.shape[axis] : index) &* strides[axis]
      }
      places.append(contentsOf: (0..<size).map { place &+ $0 })
    }
    let total = data.shape.reduce(1, *)
    guard places.count == updates.shape.reduce(1, *), let first = places.first,
      let last = places.last, (0..<total).contains(first), (0..<total).contains(last)
    else { throw unsupported("its indices do not fit") }
    for axis in data.shape.indices {
      let (lower, upper) = (
        first / strides[axis] % data.shape[axis], last / strides[axis] % data.shape[axis] + 1
      )
      guard lower < upper else { continue }
      var box = data.shape.map { Array(0..<$0) }
      box[axis] = Array(lower..<upper)
      let wanted = Constant.integers(Array(0..<total), data.shape).taking(box)
      guard wanted.integers == places else { continue }
      var parts: [Activation] = []
      if lower > 0 { parts.append(part(data, axis: axis, 0..<lower)) }
      parts.append(reshaped(updates, wanted.shape))
      if upper < data.shape[axis] { parts.append(part(data, axis: axis, upper..<data.shape[axis])) }
      return set(try joined(parts, axis: axis))
    }
    throw unsupported("it scatters over more than one axis")
  }

  mutating func convertExpand() throws(ONNXError) {
    let x = try activation(0)
    set(try expanded(x, try Self.spread(x.shape, try integers(1), self)))
  }

  /// Broadcast along the dimensions that it lacks.
  mutating func expanded(_ x: Activation, _ shape: [Int]) throws(ONNXError) -> Activation {
    if x.shape == shape { return x }
    let ones = try spread(.floats([1], []), over: shape)
    return try binary(.multiply, .activation(x), .constant(ones))
  }

  mutating func convertTile() throws(ONNXError) {
    var x = try activation(0)
    let times = try integers(1)
    guard times.count == x.shape.count, times.allSatisfy({ (1...1024).contains($0) }) else {
      throw unsupported("its repeats are \(times)")
    }
    for (axis, count) in times.enumerated() where count > 1 {
      x = try joined(Array(repeating: x, count: count), axis: axis)
    }
    set(x)
  }

  /// Moves blocks of pixels into channels, or back.
  mutating func convertBlocks() throws(ONNXError) {
    let x = plain(try activation(0))
    let size = integer("blocksize", 1)
    guard x.shape.count == 4, size > 0 else { throw unsupported("its input is \(x.shape)") }
    let (n, c, h, w) = (x.shape[0], x.shape[1], x.shape[2], x.shape[3])
    if node.kind == "DepthToSpace" {
      let channels = c / (size * size)
      guard channels * size * size == c else { throw unsupported("its blocks do not fit") }
      let isColumns = string("mode", "DCR") == "CRD"
      let parts = isColumns ? [n, channels, size, size, h, w] : [n, size, size, channels, h, w]
      let moved = transposed(
        reshaped(x, parts), isColumns ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2])
      set(reshaped(moved, [n, channels, h * size, w * size]))
    } else {
      guard h % size == 0, w % size == 0 else { throw unsupported("its blocks do not fit") }
      let parts = reshaped(x, [n, c, h / size, size, w / size, size])
      let isColumns = string("mode", "DCR") == "CRD"
      let moved = transposed(parts, isColumns ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4])
      set(reshaped(moved, [n, c * size * size, h / size, w / size]))
    }
  }

  // MARK: The same values in another shape or order

  mutating func convertReshape() throws(ONNXError) {
    let x = try activation(0)
    let shape = try newShape(x.shape)
    set(shape == x.shape ? x : reshaped(x, shape))
  }

  /// The node's result for a shape.
  func newShape(_ old: [Int]) throws(ONNXError) -> [Int] {
    let rank = old.count
    switch node.kind {
    case "Flatten":
      let axis = integer("axis", 1)
      let place = axis < 0 ? axis + rank : axis
      guard (0...rank).contains(place) else { throw unsupported("there is no axis \(axis)") }
      return [old[..<place].reduce(1, *), old[place...].reduce(1, *)]
    case "Squeeze":
      let listed = has(1) ? try integers(1) : integers("axes")
      var dropped: Set<Int> = []
      for axis in listed ?? old.indices.filter({ old[$0] == 1 }) {
        dropped.insert(try self.axis(axis, rank: rank))
      }
      guard dropped.allSatisfy({ old.indices.contains($0) && old[$0] == 1 }) else {
        throw unsupported("it drops more than extents of 1 from \(old)")
      }
      return old.indices.filter { !dropped.contains($0) }.map { old[$0] }
    case "Unsqueeze":
      let listed = has(1) ? try integers(1) : integers("axes") ?? []
      var added: Set<Int> = []
      for axis in listed { added.insert(try self.axis(axis, rank: rank + listed.count)) }
      var rest = old[...]
      return (0..<rank + added.count).map { added.contains($0) ? 1 : rest.popFirst() ?? 1 }
    default: return try reshape(old, to: try integers(1))
    }
  }

  /// 0 means the extent of the input, -1 the remaining extent.
  func reshape(_ old: [Int], to wanted: [Int]) throws(ONNXError) -> [Int] {
    var shape = wanted
    for (index, extent) in wanted.enumerated() where extent == 0 && integer("allowzero", 0) == 0 {
      guard index < old.count else { throw unsupported("its shape \(wanted) does not fit \(old)") }
      shape[index] = old[index]
    }
    let count = old.reduce(1, *)
    if let free = shape.firstIndex(of: -1) {
      let others = shape.enumerated().filter { $0.offset != free }.map(\.element).reduce(1, *)
      guard others > 0, count % others == 0 else {
        throw unsupported("its shape \(wanted) does not fit \(old)")
      }
      shape[free] = count / others
    }
    guard shape.allSatisfy({ $0 >= 0 }), shape.count <= 16, count <= 1 << 40,
      shape.reduce(1.0, { $0 * Double($1) }) == Double(count)
    else {
      throw unsupported("its shape \(wanted) does not fit \(old)")
    }
    return shape
  }

  mutating func convertTranspose() throws(ONNXError) {
    let x = try activation(0)
    set(transposed(x, try order(x.shape.count)))
  }

  func order(_ rank: Int) throws(ONNXError) -> [Int] {
    let order = integers("perm") ?? Array((0..<rank).reversed())
    guard order.sorted() == Array(0..<rank) else { throw unsupported("its order is \(order)") }
    return order
  }

  mutating func transposed(_ x: Activation, _ order: [Int]) -> Activation {
    let shape = order.map { x.shape[$0] }
    // Often it only undoes the order of channels.
    switch (order, x.isChannelsLast) {
    case ([0, 2, 3, 1], true):
      return Activation(tensor: x.tensor, shape: shape)
    case ([0, 3, 1, 2], false):
      return Activation(tensor: x.tensor, shape: shape, isChannelsLast: true)
    case ([0, 2, 1], true):
      return emit(.reshape, [x.tensor, counts(shape)], shape: shape)
    case (Array(order.indices), _): return x
    default:
      let data = plain(x)
      // Extents of 1 may be anywhere.
      let moving = order.filter { x.shape[$0] > 1 }
      if moving == moving.sorted() { return reshaped(data, shape) }
      return emit(.transpose, [data.tensor, counts(order)], shape: shape)
    }
  }
}
