extension Graph {
  /// Checks the invariants of all later stages: indices in range, every value defined once and
  /// before its use, constants as long as their shape says.
  public func validate() throws(EngineError) {
    for tensor in tensors { try validate(tensor) }
    var defined = tensors.map { $0.isConstant || $0.isVariable }
    for index in inputs {
      try require(tensors.indices.contains(index), "input \(index) is no tensor")
      try require(!defined[index], "input '\(tensors[index].name)' is given twice or constant")
      defined[index] = true
    }
    for (position, node) in operators.enumerated() {
      for case let index? in node.inputs {
        try require(
          tensors.indices.contains(index), "operator \(position) reads tensor \(index) of none")
        try require(
          defined[index],
          "operator \(position) reads '\(tensors[index].name)' before anything has written it")
      }
      for index in node.outputs {
        try require(
          tensors.indices.contains(index), "operator \(position) writes tensor \(index) of none")
        try require(
          !defined[index],
          "operator \(position) writes '\(tensors[index].name)', which has a value already")
        defined[index] = true
      }
    }
    for index in outputs {
      try require(tensors.indices.contains(index), "output \(index) is no tensor")
      try require(defined[index], "output '\(tensors[index].name)' is never written")
    }
    for signature in signatures {
      for index in Array(signature.inputs.values) + Array(signature.outputs.values) {
        try require(
          tensors.indices.contains(index), "signature '\(signature.key)' names tensor \(index)")
      }
    }
  }

  private func validate(_ tensor: Tensor) throws(EngineError) {
    guard let count = tensor.count else {
      throw .invalid(graph: name, reason: "'\(tensor.name)' has the shape \(tensor.shape)")
    }
    if let data = tensor.constant {
      // The byte count of a damaged shape may overflow Int.
      try require(
        count <= data.count && count * tensor.type.size == data.count,
        "'\(tensor.name)' of \(tensor.shape) \(tensor.type) has \(data.count) bytes of data")
    }
    guard let quantization = tensor.quantization else { return }
    let scales = quantization.scales.count
    try require(
      quantization.zeroPoints.count == scales,
      "'\(tensor.name)' has \(scales) scales and \(quantization.zeroPoints.count) zero points")
    try require(scales > 0, "'\(tensor.name)' is quantized without a scale")
    if scales > 1 {
      try require(
        tensor.shape.indices.contains(quantization.axis)
          && tensor.shape[quantization.axis] == scales,
        "'\(tensor.name)' of \(tensor.shape) has \(scales) scales on axis \(quantization.axis)")
    }
  }

  private func require(
    _ condition: Bool, _ reason: @autoclosure () -> String
  ) throws(EngineError) {
    if !condition { throw .invalid(graph: name, reason: reason()) }
  }
}
