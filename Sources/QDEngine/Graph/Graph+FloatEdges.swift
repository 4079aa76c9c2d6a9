extension Graph {
  /// The graph with float32 inputs and outputs: a QUANTIZE after each input, and a DEQUANTIZE
  /// before each output, that is int8, uint8 or int16 with one scale, under the same names. A state
  /// that begins with zeros then does so whatever its zero point is.
  ///
  /// Tensors keep their indices, and operators their order after the conversions of the inputs.
  public func withFloatEdges() -> Graph {
    var result = self
    let before = result.split(\.inputs, \.inputs, of: self) { stored, float in
      Operator(.quantize, inputs: [float], outputs: [stored])
    }
    let after = result.split(\.outputs, \.outputs, of: self) { stored, float in
      Operator(.dequantize, inputs: [stored], outputs: [float], version: 2)
    }
    result.operators = before + operators + after
    return result
  }

  /// Adds a float32 form of the integer inputs or outputs, which takes their names, and returns the
  /// operators that convert between both.
  private mutating func split(
    _ edge: WritableKeyPath<Graph, [Int]>, _ names: WritableKeyPath<Signature, [String: Int]>,
    of original: Graph, _ conversion: (_ stored: Int, _ float: Int) -> Operator
  ) -> [Operator] {
    var conversions: [Operator] = []
    for (place, stored) in original[keyPath: edge].enumerated() where original.hasIntegers(stored) {
      let float = split(stored, named: original.tensors[stored].name)
      conversions.append(conversion(stored, float))
      self[keyPath: edge][place] = float
      for index in signatures.indices {
        for (name, tensor) in signatures[index][keyPath: names] where tensor == stored {
          signatures[index][keyPath: names][name] = float
        }
      }
    }
    return conversions
  }

  private func hasIntegers(_ index: Int) -> Bool {
    guard tensors.indices.contains(index) else { return false }
    let tensor = tensors[index]
    return [.int8, .uint8, .int16].contains(tensor.type) && tensor.quantization?.scales.count == 1
  }

  /// Appends the float32 form of a tensor, which takes its name.
  private mutating func split(_ index: Int, named name: String) -> Int {
    let tensor = tensors[index]
    tensors[index].name = "\(name)/\(tensor.type)"
    tensors.append(Tensor(name: name, shape: tensor.shape, type: .float32))
    return tensors.count - 1
  }
}
