extension ONNXImporter {
  /// Converts the branch that a constant condition selects.
  mutating func convertIf() throws(ONNXError) {
    guard case .constant(let condition) = try value(0), let choice = condition.integers?.first
    else {
      throw unsupported("its condition is computed: give the input that decides it a value")
    }
    guard case .body(let body)? = node.attributes[choice != 0 ? "then_branch" : "else_branch"]
    else { throw unsupported("it lacks a branch") }
    let outer = values
    let outputs = node.outputs
    for (name, constant) in body.constants { values[name] = .constant(constant) }
    try convert(body.nodes)
    var results: [Value] = []
    for port in body.outputs {
      guard let result = values[port.name] else {
        throw unsupported("nothing has written '\(port.name)'")
      }
      results.append(result)
    }
    // The names of the branch end with it.
    values = outer
    for (name, result) in zip(outputs, results) { values[name] = result }
  }
}
