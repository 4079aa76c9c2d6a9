internal import QDEngine

/// Operators that are read as other operators: REVERSE_V2, TILE and SPLIT_V.
enum Expansion {
  /// The maximum number of parts of one operator.
  private static let mostParts = 4096

  /// Appends the operators that replace an operator, if it is one of these and its axes are
  /// constants.
  static func append(_ name: String, _ node: Operator, to graph: inout Graph) -> Bool {
    guard let data = node.inputs.first.flatMap({ $0 }), graph.tensors.indices.contains(data),
      let output = node.outputs.first, node.outputs.allSatisfy(graph.tensors.indices.contains)
    else { return false }
    switch name {
    case "REVERSE_V2":
      guard let axes = integers(node, 1, graph), axes.count == 1,
        let axis = axis(axes[0], graph.tensors[data])
      else { return false }
      return reverse(data, axis, to: output, &graph)
    case "TILE":
      guard let multiples = integers(node, 1, graph) else { return false }
      return tile(data, multiples, to: output, &graph)
    case "SPLIT_V":
      guard let sizes = integers(node, 1, graph), let axes = integers(node, 2, graph),
        axes.count == 1, let axis = axis(axes[0], graph.tensors[data]),
        sizes.count == node.outputs.count
      else { return false }
      split(data, axis, to: node.outputs, &graph)
      return true
    default: return false
    }
  }

  private static func reverse(
    _ data: Int, _ axis: Int, to output: Int, _ graph: inout Graph
  ) -> Bool {
    let count = graph.tensors[data].shape[axis]
    guard (1...mostParts).contains(count) else { return false }
    var parts: [Int] = []
    for index in 0..<count {
      var part = graph.tensors[data]
      part.name = "\(graph.tensors[output].name)/\(index)"
      part.shape.remove(at: axis)
      part.data = nil
      graph.tensors.append(part)
      parts.append(graph.tensors.count - 1)
    }
    graph.operators += [
      Operator(.unpack(axis: axis, count: count), inputs: [data], outputs: parts),
      Operator(.pack(axis: axis, count: count), inputs: parts.reversed(), outputs: [output]),
    ]
    return true
  }

  private static func tile(
    _ data: Int, _ multiples: [Int], to output: Int, _ graph: inout Graph
  ) -> Bool {
    let repeated = multiples.indices.filter { multiples[$0] != 1 }
    guard multiples.count == graph.tensors[data].shape.count, let last = repeated.last,
      repeated.allSatisfy({ (1...mostParts).contains(multiples[$0]) })
    else { return false }
    var source = data
    for axis in repeated {
      var result = output
      if axis != last {
        var partial = graph.tensors[source]
        partial.name = "\(graph.tensors[output].name)/\(axis)"
        let (extent, overflow) = partial.shape[axis].multipliedReportingOverflow(
          by: multiples[axis])
        guard !overflow else { return false }
        partial.shape[axis] = extent
        partial.data = nil
        graph.tensors.append(partial)
        result = graph.tensors.count - 1
      }
      graph.operators.append(
        Operator(
          .concatenation(axis: axis, .none),
          inputs: Array(repeating: source, count: multiples[axis]), outputs: [result]))
      source = result
    }
    return true
  }

  private static func split(
    _ data: Int, _ axis: Int, to outputs: [Int], _ graph: inout Graph
  ) {
    var first = 0
    for output in outputs {
      let size = graph.tensors[output].shape
      var begin = size.map { _ in Int32(0) }
      if begin.indices.contains(axis) { begin[axis] = Int32(truncatingIfNeeded: first) }
      let name = graph.tensors[output].name
      graph.tensors += [
        Tensor(name: "\(name)/begin", shape: [begin.count], integers: begin),
        Tensor(
          name: "\(name)/size", shape: [size.count],
          integers: size.map { Int32(truncatingIfNeeded: $0) }),
      ]
      graph.operators.append(
        Operator(
          .slice, inputs: [data, graph.tensors.count - 2, graph.tensors.count - 1],
          outputs: [output]))
      first &+= size.indices.contains(axis) ? size[axis] : 0
    }
  }

  private static func integers(_ node: Operator, _ position: Int, _ graph: Graph) -> [Int]? {
    guard node.inputs.indices.contains(position), let tensor = node.inputs[position],
      graph.tensors.indices.contains(tensor)
    else { return nil }
    return graph.tensors[tensor].fewIntegers
  }

  private static func axis(_ axis: Int, _ tensor: Tensor) -> Int? {
    let result = axis < 0 ? axis + tensor.shape.count : axis
    return tensor.shape.indices.contains(result) ? result : nil
  }
}

extension Tensor {
  /// Each byte of elements with the real value 0.
  var zeroByte: UInt8 {
    guard let zeroPoint = quantization?.zeroPoints.first, type.size == 1 else { return 0 }
    return UInt8(truncatingIfNeeded: zeroPoint)
  }

  /// The elements of a small integer or boolean constant: an axis, a shape, a counter.
  var fewIntegers: [Int]? {
    let size = type.size
    guard let data, data.count <= 128, data.count.isMultiple(of: size) else { return nil }
    switch type {
    case .int32, .int64, .bool:
      return stride(from: 0, to: data.count, by: size).map { first in
        let value = data[first..<first + size].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return size == 4 ? Int(Int32(truncatingIfNeeded: value)) : Int(truncatingIfNeeded: value)
      }
    default: return nil
    }
  }
}
