internal import QDEngine

/// Constant folding of nodes whose inputs are all known, above all the shapes that exporters
/// compute.
extension ONNXImporter {
  typealias Constant = ONNXModel.Constant

  /// More elements are neither a shape nor a mask.
  private static let mostElements = 1 << 24

  /// Computes the node now if all of its inputs are known.
  mutating func fold() throws(ONNXError) -> Bool {
    switch node.kind {
    case "Constant": set(try literal())
    case "Shape":
      let shape = try value(0).shape
      let range = Self.bounds(integer("start", 0), integer("end", shape.count), shape.count)
      set(.integers(Array(shape[range])))
    case "Size": set(.integers([try value(0).shape.reduce(1, *)], []))
    case "ConstantOfShape":
      var value = Constant(shape: [], values: .floats([0]), elementType: 1)
      if case .constant(let constant)? = node.attributes["value"] { value = constant }
      value.shape = []
      set(try spread(value, over: try integers(0)))
    default:
      var inputs: [Constant?] = []
      for position in node.inputs.indices {
        guard has(position) else {
          inputs.append(nil)
          continue
        }
        guard case .constant(let constant)? = values[node.inputs[position]] else { return false }
        inputs.append(constant)
      }
      guard let x = inputs.first ?? nil else { return false }
      if node.kind == "Split" {
        for (output, part) in try splits(x.shape).enumerated() {
          set(x.taking(part), output: output)
        }
        return true
      }
      guard let result = try evaluate(x, inputs) else { return false }
      set(result)
    }
    return true
  }

  private func literal() throws(ONNXError) -> Constant {
    switch node.attributes.values.first {
    case .constant(let constant)?: return constant
    case .float(let value)?: return .floats([value], [])
    case .floats(let list)?: return .floats(list)
    case .integer(let value)?: return .integers([value], [])
    case .integers(let list)?: return .integers(list)
    default: throw unsupported("its value is no tensor")
    }
  }

  private func evaluate(_ x: Constant, _ inputs: [Constant?]) throws(ONNXError) -> Constant? {
    func other(_ position: Int) throws(ONNXError) -> Constant {
      guard position < inputs.count, let constant = inputs[position] else {
        throw unsupported("its input \(position) is missing")
      }
      return constant
    }
    switch node.kind {
    case "Identity", "Dropout": return x
    case "Cast": return x.cast(to: integer("to", 1))
    case "CastLike": return x.cast(to: try other(1).elementType)
    case "Reshape", "Flatten", "Squeeze", "Unsqueeze": return x.reshaped(try newShape(x.shape))
    case "Transpose":
      let order = try order(x.shape.count)
      return x.transposed(order)
    case "Slice": return x.taking(try sliced(x.shape))
    case "Gather":
      let axis = try axis(integer("axis", 0), rank: x.shape.count)
      let indices = try other(1)
      let taken = x.taking(try places(indices, of: x.shape, axis: axis), axis: axis)
      return taken.reshaped(Array(x.shape[..<axis] + indices.shape + x.shape[(axis + 1)...]))
    case "Concat":
      let axis = try axis(integer("axis", 0), rank: x.shape.count)
      return try Constant.concatenated(inputs.compactMap { $0 }, axis: axis)
    case "Expand": return try spread(x, over: try Self.spread(x.shape, integers(1), self))
    case "Tile":
      let times = try integers(1)
      guard times.count == x.shape.count else { throw unsupported("its repeats do not fit") }
      var result = x
      for (axis, count) in times.enumerated() where count != 1 {
        guard count >= 0, result.count * count <= Self.mostElements else {
          throw unsupported("its repeats are \(times)")
        }
        let indices = (0..<count).flatMap { _ in 0..<result.shape[axis] }
        result = result.taking(indices, axis: axis)
      }
      return result
    case "Range": return try range(x, try other(1), try other(2))
    case "Where":
      let (a, b) = (try other(1), try other(2))
      let shape = try Self.spread(try Self.spread(x.shape, a.shape, self), b.shape, self)
      let choice = try spread(x, over: shape).integers ?? []
      let (left, right) = (try spread(a, over: shape), try spread(b, over: shape))
      return left.choosing(choice.map { $0 != 0 }, right)
    case "ReduceSum", "ReduceProd", "ReduceMax", "ReduceMin": return try reduced(x)
    default: return try elementwise(x, inputs)
    }
  }

  private func range(
    _ start: Constant, _ limit: Constant, _ step: Constant
  ) throws(ONNXError) -> Constant {
    if let start = start.integers?.first, let limit = limit.integers?.first,
      let step = step.integers?.first
    {
      guard step != 0, abs(Double(limit) - Double(start)) <= Double(Self.mostElements) else {
        throw unsupported("it has no end")
      }
      return .integers(Array(stride(from: start, to: limit, by: step)))
    }
    guard let start = start.floats.first, let limit = limit.floats.first,
      let step = step.floats.first, step != 0,
      abs((limit - start) / step) <= Float(Self.mostElements)
    else { throw unsupported("it has no end") }
    return .floats(Array(stride(from: start, to: limit, by: step)))
  }

  // MARK: Elementwise

  private func elementwise(_ x: Constant, _ inputs: [Constant?]) throws(ONNXError) -> Constant? {
    if inputs.count == 1, !["Max", "Min", "Sum", "Mean"].contains(node.kind) {
      if let function = ConstantFunctions.integers1[node.kind], let values = x.integers {
        return Constant(
          shape: x.shape, values: .integers(values.map(function)), elementType: x.elementType)
      }
      guard let function = ConstantFunctions.floats1[node.kind], x.integers == nil else {
        return nil
      }
      return .floats(x.floats.map(function), x.shape)
    }
    guard inputs.count == 2, let y = inputs[1], ConstantFunctions.binary.contains(node.kind) else {
      return inputs.count == 1 && ["Max", "Min", "Sum", "Mean"].contains(node.kind) ? x : nil
    }
    let shape = try Self.spread(x.shape, y.shape, self)
    let (a, b) = (try spread(x, over: shape), try spread(y, over: shape))
    if node.kind == "Mod", integer("fmod", 0) != 0, let left = a.integers, let right = b.integers {
      return Constant(
        shape: shape, values: .integers(zip(left, right).map { $1 == 0 || $1 == -1 ? 0 : $0 % $1 }),
        elementType: x.elementType)
    }
    if let left = a.integers, let right = b.integers {
      if let function = ConstantFunctions.integers2[node.kind] {
        return Constant(
          shape: shape, values: .integers(zip(left, right).map(function)),
          elementType: x.elementType)
      }
      guard let function = ConstantFunctions.comparisons[node.kind] else { return nil }
      return .booleans(zip(left, right).map { function(Double($0), Double($1)) }, shape)
    }
    if let function = ConstantFunctions.floats2[node.kind] {
      return .floats(zip(a.floats, b.floats).map(function), shape)
    }
    guard let function = ConstantFunctions.comparisons[node.kind] else { return nil }
    return .booleans(zip(a.floats, b.floats).map { function(Double($0), Double($1)) }, shape)
  }

  private func reduced(_ x: Constant) throws(ONNXError) -> Constant? {
    let axes = try reducedAxes(x.shape.count)
    let kept = x.shape.indices.filter { !axes.contains($0) }
    let moved = x.transposed(kept + axes.sorted())
    let size = axes.reduce(1) { $0 * x.shape[$1] }
    var shape = x.shape
    if integer("keepdims", 1) != 0 {
      for axis in axes { shape[axis] = 1 }
    } else {
      shape = kept.map { x.shape[$0] }
    }
    guard size > 0 else { return nil }
    func fold<T>(_ values: [T], _ function: (T, T) -> T) -> [T] {
      stride(from: 0, to: values.count, by: size).map { start in
        values[(start + 1)..<(start + size)].reduce(values[start], function)
      }
    }
    switch (moved.values, node.kind) {
    case (.integers(let values), "ReduceSum"): return .integers(fold(values, &+), shape)
    case (.integers(let values), "ReduceProd"): return .integers(fold(values, &*), shape)
    case (.integers(let values), "ReduceMax"): return .integers(fold(values, max), shape)
    case (.integers(let values), _): return .integers(fold(values, min), shape)
    case (.floats(let values), "ReduceSum"): return .floats(fold(values, +), shape)
    case (.floats(let values), "ReduceProd"): return .floats(fold(values, *), shape)
    case (.floats(let values), "ReduceMax"): return .floats(fold(values, max), shape)
    case (.floats(let values), _): return .floats(fold(values, min), shape)
    }
  }

  /// A constant broadcast along the dimensions that it lacks.
  func spread(_ constant: Constant, over shape: [Int]) throws(ONNXError) -> Constant {
    if constant.shape == shape { return constant }
    var count = 1
    for extent in shape {
      guard extent >= 0, extent == 0 || count <= Self.mostElements / extent else {
        throw unsupported("its shape is \(shape)")
      }
      count *= extent
    }
    guard try Self.spread(constant.shape, shape, self) == shape else {
      throw unsupported("it spreads \(constant.shape) over \(shape)")
    }
    let missing = shape.count - constant.shape.count
    let source = Array(repeating: 1, count: missing) + constant.shape
    return constant.reshaped(source).taking(
      zip(source, shape).map { $0 == $1 ? Array(0..<$1) : Array(repeating: 0, count: $1) })
  }

  /// The shape of a binary function.
  static func spread(
    _ a: [Int], _ b: [Int], _ importer: borrowing ONNXImporter
  ) throws(ONNXError) -> [Int] {
    let rank = max(a.count, b.count)
    let left = Array(repeating: 1, count: rank - a.count) + a
    let right = Array(repeating: 1, count: rank - b.count) + b
    var result: [Int] = []
    for (x, y) in zip(left, right) {
      guard x == y || x == 1 || y == 1 else {
        throw importer.unsupported("its inputs are \(a) and \(b)")
      }
      result.append(x == 1 ? y : x)
    }
    return result
  }

  /// The elements of a slice with step 1.
  static func bounds(_ start: Int, _ end: Int, _ extent: Int) -> Range<Int> {
    func clamped(_ value: Int) -> Int { min(max(value < 0 ? value &+ extent : value, 0), extent) }
    let lower = clamped(start)
    return lower..<max(lower, clamped(end))
  }
}
