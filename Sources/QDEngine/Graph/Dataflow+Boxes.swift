/// The part of a tensor that SLICE or STRIDED_SLICE takes, by dimension of the input.
struct Box {
  var begin: [Int]
  var steps: [Int]
  var extents: [Int]
  /// The shape of the output, which may lack dimensions of one index and have others.
  var result: [Int]

  init(begin: [Int], steps: [Int], extents: [Int]) {
    (self.begin, self.steps, self.extents, result) = (begin, steps, extents, extents)
  }
}

extension HasDataflow {
  func box(of index: Int) throws(EngineError) -> Box {
    switch graph.operators[index].kind {
    case .slice: try sliceBox(index)
    case .stridedSlice(let masks): try stridedBox(index, masks)
    default: throw invalid(index, "it is no slice")
    }
  }

  private func sliceBox(_ index: Int) throws(EngineError) -> Box {
    let shape = shape(try input(index, 0))
    let begin = try integers(try input(index, 1))
    let size = try integers(try input(index, 2))
    guard begin.count == shape.count, size.count == shape.count else {
      throw invalid(index, "begin and size do not have one value per dimension")
    }
    var box = Box(begin: begin, steps: shape.map { _ in 1 }, extents: size)
    for axis in shape.indices {
      guard (0...shape[axis]).contains(begin[axis]) else {
        throw invalid(index, "it begins at \(begin) in \(shape)")
      }
      if size[axis] == -1 { box.extents[axis] = shape[axis] - begin[axis] }
      guard box.extents[axis] >= 1, box.extents[axis] <= shape[axis],
        begin[axis] + box.extents[axis] <= shape[axis]
      else { throw invalid(index, "it takes \(size) from \(begin) of \(shape)") }
    }
    box.result = box.extents
    return box
  }

  private func stridedBox(
    _ index: Int, _ masks: StridedSliceMasks
  ) throws(EngineError) -> Box {
    let shape = shape(try input(index, 0))
    let begin = try integers(try input(index, 1))
    let end = try integers(try input(index, 2))
    let strides = try integers(try input(index, 3))
    func has(_ mask: Int, _ place: Int) -> Bool { place < 32 && mask >> place & 1 == 1 }
    let named = begin.indices.count { !has(masks.ellipsis, $0) && !has(masks.newAxis, $0) }
    guard begin.count == end.count, begin.count == strides.count, named <= shape.count,
      begin.indices.count(where: { has(masks.ellipsis, $0) }) <= 1
    else { throw invalid(index, "begin, end and strides do not fit \(shape)") }
    var box = Box(begin: shape.map { _ in 0 }, steps: shape.map { _ in 1 }, extents: shape)
    var axis = 0
    var result: [Int] = []
    for place in begin.indices {
      if has(masks.ellipsis, place) {
        let skipped = shape.count - named
        result += shape[axis..<axis + skipped]
        axis += skipped
      } else if has(masks.newAxis, place) {
        result.append(1)
      } else {
        try narrow(
          &box, axis, index, begin: has(masks.begin, place) ? nil : begin[place],
          end: has(masks.end, place) ? nil : end[place], step: strides[place],
          isSingle: has(masks.shrinkAxis, place))
        if !has(masks.shrinkAxis, place) { result.append(box.extents[axis]) }
        axis += 1
      }
    }
    box.result = result + shape[axis...]
    return box
  }

  /// Restricts one dimension to a range; `nil` is an edge of the dimension.
  private func narrow(
    _ box: inout Box, _ axis: Int, _ index: Int, begin: Int?, end: Int?, step: Int, isSingle: Bool
  ) throws(EngineError) {
    let extent = box.extents[axis]
    guard step != 0, step.magnitude <= 1 << 31 else {
      throw invalid(index, "its stride is \(step)")
    }
    let range = step > 0 ? 0...extent : -1...extent - 1
    func position(_ value: Int) -> Int {
      min(max(value < 0 ? value + extent : value, range.lowerBound), range.upperBound)
    }
    let first = begin.map(position) ?? (step > 0 ? 0 : extent - 1)
    let last = isSingle ? first + step.signum() : end.map(position) ?? (step > 0 ? extent : -1)
    let count = ((last - first) * step.signum() - 1) / Int(step.magnitude) + 1
    guard (last - first) * step.signum() > 0, (0..<extent).contains(first) else {
      throw unsupported(index, "it takes nothing of dimension \(axis), which has \(extent)")
    }
    box.begin[axis] = first
    box.steps[axis] = step
    box.extents[axis] = count
  }
}
