extension ONNXModel {
  /// Nodes after those whose results they read, as ONNX wants them; some files, which onnxruntime
  /// takes, have them in another order. Nodes that wait for each other come last.
  static func inOrder(_ nodes: [Node]) -> [Node] {
    var writers: [String: Int] = [:]
    for (index, node) in nodes.enumerated() {
      for name in node.outputs where !name.isEmpty { writers[name] = index }
    }
    let awaited = nodes.map { Set($0.read.compactMap { writers[$0] }) }
    guard nodes.indices.contains(where: { index in awaited[index].contains { $0 >= index } }) else {
      return nodes
    }
    var readers: [Int: [Int]] = [:]
    var missing: [Int] = []
    for index in nodes.indices {
      let before = awaited[index]
      missing.append(before.count)
      for writer in before { readers[writer, default: []].append(index) }
    }
    var order = nodes.indices.filter { missing[$0] == 0 }
    var next = 0
    while next < order.count {
      for reader in readers[order[next]] ?? [] {
        missing[reader] -= 1
        if missing[reader] == 0 { order.append(reader) }
      }
      next += 1
    }
    order += nodes.indices.filter { missing[$0] > 0 }
    return order.map { nodes[$0] }
  }
}

extension ONNXModel.Node {
  /// The names of its inputs and of what its bodies read or return of the graph around them.
  fileprivate var read: [String] {
    inputs
      + attributes.values.flatMap { attribute in
        guard case .body(let body) = attribute else { return [String]() }
        let own = Set(body.nodes.flatMap(\.outputs)).union(body.inputs.map(\.name))
          .union(body.constants.keys)
        return (body.nodes.flatMap(\.read) + body.outputs.map(\.name)).filter { !own.contains($0) }
      }
  }
}
