/// Requires `count` weights to be [outputs][inputs], with a bias for each output where there is one.
func checkWeights(
  _ count: Int, outputs: Int, inputs: Int, maximumInputs: Int = .max, biases: Int? = nil
) {
  checkLayer(outputs: outputs, inputs: inputs, maximumInputs: maximumInputs, biases: biases)
  precondition(count == outputs * inputs, "weights are not [outputs][inputs]")
}

/// The same without the weights.
func checkLayer(outputs: Int, inputs: Int, maximumInputs: Int = .max, biases: Int? = nil) {
  precondition(outputs > 0 && (1...maximumInputs).contains(inputs), "no such layer")
  precondition(biases == nil || biases == outputs, "one bias per output")
}

/// The weights of a layer that are decoded when they are packed.
func checked<Element>(
  _ weights: @escaping () -> [Element], outputs: Int, inputs: Int
) -> () -> [Element] {
  {
    let weights = weights()
    precondition(weights.count == outputs * inputs, "weights are not [outputs][inputs]")
    return weights
  }
}

/// Requires the numbers of a full-integer layer to fit.
func checkQS8Layer(outputs: Int, inputs: Int, biases: Int, multipliers: Int, zeroPoint: Int) {
  checkLayer(
    outputs: outputs, inputs: inputs, maximumInputs: QS8GEMMWeights.maximumInputs, biases: biases)
  precondition(multipliers == outputs, "one multiplier per output")
  precondition((-128...127).contains(zeroPoint), "the zero point is no int8")
}

/// One scale for each output, of as many or of one for all.
func scalesPerOutput(_ scales: [Float], _ outputs: Int) -> [Float] {
  precondition(scales.count == outputs || scales.count == 1, "one scale, or one per output")
  return scales.count == outputs ? scales : Array(repeating: scales[0], count: outputs)
}
