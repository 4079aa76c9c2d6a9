internal import Engine

extension ONNXImporter {
  mutating func convertConcatenation() throws(ONNXError) {
    var parts: [Activation] = []
    for position in node.inputs.indices { parts.append(try activation(position)) }
    guard let first = parts.first else { throw unsupported("it has no inputs") }
    let rank = first.shape.count
    let axis = try axis(integer("axis", 0), rank: rank)
    guard parts.allSatisfy({ $0.shape.count == rank }) else {
      throw unsupported("its inputs differ in their dimensions")
    }
    var shape = first.shape
    shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    let isLast = parts.contains(where: \.isChannelsLast)
    var inputs: [Int?] = []
    for part in parts { inputs.append((isLast ? try channelsLast(part) : part).tensor) }
    let stored = storedAxis(
      axis, of: Activation(tensor: 0, shape: shape, isChannelsLast: isLast))
    set(
      emit(.concatenation(axis: stored, .none), inputs, shape: shape, isChannelsLast: isLast))
  }

  // MARK: Parts

  mutating func convertSlice() throws(ONNXError) {
    let x = try activation(0)
    let isOld = model.operatorSet < 10
    let starts = isOld ? integers("starts") ?? [] : try integers(1)
    let ends = isOld ? integers("ends") ?? [] : try integers(2)
    let axes = isOld ? integers("axes") : has(3) ? try integers(3) : nil
    let steps = !isOld && has(4) ? try integers(4) : nil
    guard ends.count == starts.count, axes.map({ $0.count == starts.count }) ?? true,
      steps.map({ $0.count == starts.count }) ?? true
    else { throw unsupported("its starts and ends do not fit") }
    var begin = x.shape.map { _ in 0 }
    var (end, stride) = (x.shape, x.shape.map { _ in 1 })
    for (place, start) in starts.enumerated() {
      let axis = try axis(axes?[place] ?? place, rank: x.shape.count)
      let range = Self.bounds(start, ends[place], x.shape[axis])
      guard let step = steps?[place] ?? 1 as Int?, step > 0, !range.isEmpty else {
        throw unsupported("it is empty or runs backwards")
      }
      (begin[axis], end[axis], stride[axis]) = (range.lowerBound, range.upperBound, step)
    }
    set(strided(x, begin: begin, end: end, stride: stride))
  }

  /// A part of a value, by the axes of ONNX.
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

  /// Elements of one axis.
  mutating func part(_ x: Activation, axis: Int, _ range: Range<Int>) -> Activation {
    var (begin, end) = (x.shape.map { _ in 0 }, x.shape)
    (begin[axis], end[axis]) = (range.lowerBound, range.upperBound)
    return strided(x, begin: begin, end: end, stride: x.shape.map { _ in 1 })
  }

  mutating func convertSplit() throws(ONNXError) {
    let x = try activation(0)
    let axis = try axis(integer("axis", 0), rank: x.shape.count)
    let count = node.outputs.count
    let given = has(1) ? try integers(1) : integers("split")
    let size = (x.shape[axis] + count - 1) / count
    let sizes =
      given ?? (0..<count).map { max(0, min(size, x.shape[axis] - $0 * size)) }
    guard sizes.count == count, sizes.reduce(0, +) == x.shape[axis], !sizes.contains(0) else {
      throw unsupported("its parts are \(sizes) of \(x.shape[axis])")
    }
    var start = 0
    let names = node.outputs
    for (output, size) in sizes.enumerated() {
      node.outputs = [names[output]]
      let result = part(x, axis: axis, start..<start + size)
      values[names[output]] = .activation(result)
      start += size
    }
  }

  mutating func convertGather() throws(ONNXError) {
    let x = plain(try activation(0))
    let axis = try axis(integer("axis", 0), rank: x.shape.count)
    let indices = try constant(1)
    let extent = x.shape[axis]
    let places = (indices.integers ?? []).map { $0 < 0 ? $0 + extent : $0 }
    guard let first = places.first, places == Array(first..<first + places.count), first >= 0,
      first + places.count <= extent
    else { throw unsupported("its indices are not constant and in a row") }
    let taken = part(x, axis: axis, first..<first + places.count)
    let shape = x.shape[..<axis] + indices.shape + x.shape[(axis + 1)...]
    set(Array(shape) == taken.shape ? taken : reshaped(taken, Array(shape)))
  }

  // MARK: The same values in another shape or order

  mutating func convertReshape() throws(ONNXError) {
    let x = try activation(0)
    let rank = x.shape.count
    var shape: [Int]
    switch node.kind {
    case "Flatten":
      let axis = integer("axis", 1)
      let place = axis < 0 ? axis + rank : axis
      guard (0...rank).contains(place) else { throw unsupported("there is no axis \(axis)") }
      shape = [x.shape[..<place].reduce(1, *), x.shape[place...].reduce(1, *)]
    case "Squeeze":
      let listed = has(1) ? try integers(1) : integers("axes")
      var dropped: Set<Int> = []
      for axis in listed ?? x.shape.indices.filter({ x.shape[$0] == 1 }) {
        dropped.insert(try self.axis(axis, rank: rank))
      }
      guard dropped.allSatisfy({ x.shape[$0] == 1 }) else {
        throw unsupported("it drops more than extents of 1 from \(x.shape)")
      }
      shape = x.shape.indices.filter { !dropped.contains($0) }.map { x.shape[$0] }
    case "Unsqueeze":
      let listed = has(1) ? try integers(1) : integers("axes") ?? []
      var added: Set<Int> = []
      for axis in listed { added.insert(try self.axis(axis, rank: rank + listed.count)) }
      var rest = x.shape[...]
      shape = (0..<rank + added.count).map { added.contains($0) ? 1 : rest.popFirst() ?? 1 }
    default: shape = try reshape(x.shape, to: try integers(1))
    }
    set(shape == x.shape ? x : reshaped(x, shape))
  }

  /// 0 stands for the extent of the input, -1 for what is left.
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
    guard shape.allSatisfy({ $0 > 0 }), shape.reduce(1, *) == count else {
      throw unsupported("its shape \(wanted) does not fit \(old)")
    }
    return shape
  }

  mutating func convertTranspose() throws(ONNXError) {
    let x = try activation(0)
    let rank = x.shape.count
    let order = integers("perm") ?? Array((0..<rank).reversed())
    guard order.sorted() == Array(0..<rank) else { throw unsupported("its order is \(order)") }
    let shape = order.map { x.shape[$0] }
    // Often all it does is what the order of channels does already.
    switch (order, x.isChannelsLast) {
    case ([0, 2, 3, 1], true):
      set(Activation(tensor: x.tensor, shape: shape))
    case ([0, 3, 1, 2], false):
      set(Activation(tensor: x.tensor, shape: shape, isChannelsLast: true))
    case ([0, 2, 1], true):
      set(emit(.reshape, [x.tensor, counts(shape)], shape: shape))
    case (Array(0..<rank), _): set(x)
    default:
      let data = plain(x)
      set(emit(.transpose, [data.tensor, counts(order)], shape: shape))
    }
  }

  mutating func convertPad() throws(ONNXError) {
    let x = try activation(0)
    let rank = x.shape.count
    let pads = has(1) ? try integers(1) : integers("pads") ?? []
    let value = has(2) ? try constant(2).floats.first ?? 0 : float("value", 0)
    guard string("mode", "constant") == "constant", value == 0 else {
      throw unsupported("it pads with anything but zeros")
    }
    var axes = Array(0..<rank)
    if has(3) {
      axes = []
      for axis in try integers(3) { axes.append(try self.axis(axis, rank: rank)) }
    }
    guard pads.count == 2 * axes.count, pads.allSatisfy({ $0 >= 0 }) else {
      throw unsupported("its pads are \(pads)")
    }
    var shape = x.shape
    var amounts = Array(repeating: 0, count: 2 * (x.isChannelsLast ? 4 : rank))
    for (place, axis) in axes.enumerated() {
      shape[axis] += pads[place] + pads[place + axes.count]
      let stored = storedAxis(axis, of: x)
      amounts[2 * stored] = pads[place]
      amounts[2 * stored + 1] = pads[place + axes.count]
    }
    let table = counts(amounts, shape: [amounts.count / 2, 2])
    set(emit(.pad, [x.tensor, table], shape: shape, isChannelsLast: x.isChannelsLast))
  }

  // MARK: Resizing

  mutating func convertResize() throws(ONNXError) {
    let x = try activation(0)
    guard x.shape.count == 4 || x.shape.count == 3 else {
      throw unsupported("its input has \(x.shape.count) dimensions")
    }
    let isOld = node.kind == "Upsample"
    let scalesAt = isOld ? 1 : 2
    let shape: [Int]
    if !isOld, has(3) {
      let sizes = try integers(3)
      shape = sizes.count == x.shape.count ? sizes : Array(x.shape[..<2]) + sizes
    } else {
      let scales = has(scalesAt) ? try constant(scalesAt).floats : []
      guard scales.count == x.shape.count else { throw unsupported("it has no scales") }
      shape = zip(x.shape, scales).map { Int((Float($0) * $1).rounded(.down)) }
    }
    guard shape.count == x.shape.count, shape[0] == x.shape[0], shape[1] == x.shape[1],
      shape.allSatisfy({ $0 > 0 })
    else { throw unsupported("it resizes \(x.shape) to \(shape)") }
    let transformation =
      isOld ? "asymmetric" : string("coordinate_transformation_mode", "half_pixel")
    let rounding = string("nearest_mode", "round_prefer_floor")
    let mode = string("mode", "nearest")
    let resizing: Resizing
    switch (mode, transformation) {
    case ("nearest", "asymmetric") where isOld || rounding == "floor":
      resizing = Resizing(isLinear: false)
    case ("nearest", "half_pixel") where rounding == "round_prefer_floor":
      resizing = Resizing(isLinear: false, hasHalfPixelCenters: true)
    case ("linear", "asymmetric"): resizing = Resizing(isLinear: true)
    case ("linear", "half_pixel"), ("linear", "pytorch_half_pixel"):
      resizing = Resizing(isLinear: true, hasHalfPixelCenters: true)
    case ("linear", "align_corners"): resizing = Resizing(isLinear: true, alignsCorners: true)
    default: throw unsupported("its mode is \(mode), \(transformation), \(rounding)")
    }
    let data = try channelsLast(x)
    let size = Self.lastShape(shape)[1...2]
    set(
      emit(
        .resize(resizing), [data.tensor, counts(Array(size))], shape: shape,
        isChannelsLast: true, version: 3))
  }
}
