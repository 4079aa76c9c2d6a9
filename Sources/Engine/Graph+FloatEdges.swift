extension Graph {
  /// The graph with float32 inputs and outputs: a QUANTIZE behind each that is int8, uint8 or int16
  /// with one scale, a DEQUANTIZE before it, under the same names. A state that begins with zeros
  /// then does so whatever its zero point is.
  ///
  /// Tensors keep their places, and operators their order behind the conversions of the inputs.
  public func withFloatEdges() -> Graph {
    var result = self
    var conversions: [Operator] = []
    for place in inputs.indices where hasIntegers(inputs[place]) {
      let stored = inputs[place]
      let float = result.split(stored, named: tensors[stored].name)
      conversions.append(Operator(.quantize, inputs: [float], outputs: [stored]))
      result.inputs[place] = float
      for index in signatures.indices {
        for (name, tensor) in signatures[index].inputs where tensor == stored {
          result.signatures[index].inputs[name] = float
        }
      }
    }
    result.operators = conversions + operators
    for place in outputs.indices where hasIntegers(outputs[place]) {
      let stored = outputs[place]
      let float = result.split(stored, named: tensors[stored].name)
      result.operators.append(Operator(.dequantize, inputs: [stored], outputs: [float], version: 2))
      result.outputs[place] = float
      for index in signatures.indices {
        for (name, tensor) in signatures[index].outputs where tensor == stored {
          result.signatures[index].outputs[name] = float
        }
      }
    }
    return result
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
