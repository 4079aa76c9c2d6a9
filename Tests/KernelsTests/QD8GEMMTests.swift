import QDKernels
import Seeded
import Testing

/// Sizes around the tiles of all kernels, and those of the default network.
let awkwardOutputs = [1, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 47, 48, 49, 63, 64, 65, 130]
let awkwardInputs = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 33, 96, 144, 257, 320]
let awkwardRows = [1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 17, 24, 25, 33, 48]

@Suite struct QD8GEMMTests {
  @Test(arguments: InstructionSet.available)
  func `products equal the formula bit for bit`(instructionSet: InstructionSet) {
    var generator = SeededGenerator(seed: 1)
    for outputs in awkwardOutputs {
      for inputs in awkwardInputs {
        let rows = awkwardRows.randomElement(using: &generator)!
        let weights = generator.weights(outputs * inputs)
        check(weights, rows, outputs, inputs, instructionSet, &generator)
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `products with bounded pairs of weights equal the formula bit for bit`(
    instructionSet: InstructionSet
  ) {
    var generator = SeededGenerator(seed: 5)
    for outputs in awkwardOutputs {
      for inputs in awkwardInputs {
        let rows = awkwardRows.randomElement(using: &generator)!
        let weights = generator.boundedWeights(outputs: outputs, inputs: inputs)
        check(weights, rows, outputs, inputs, instructionSet, &generator)
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `every number of rows is multiplied`(instructionSet: InstructionSet) {
    var generator = SeededGenerator(seed: 2)
    for rows in awkwardRows {
      for outputs in [5, 16, 32, 48, 64, 70] {
        let weights = generator.weights(outputs * 37)
        check(weights, rows, outputs, 37, instructionSet, &generator)
        let bounded = generator.boundedWeights(outputs: outputs, inputs: 37)
        check(bounded, rows, outputs, 37, instructionSet, &generator)
      }
    }
  }

  /// Random activations, per-row or common parameters, a clamp or none.
  private func check(
    _ weights: [Int8], _ rows: Int, _ outputs: Int, _ inputs: Int, _ instructionSet: InstructionSet,
    _ generator: inout SeededGenerator
  ) {
    let scales = generator.floats(Bool.random(using: &generator) ? outputs : 1, in: 0.001...0.01)
    let bias = generator.floats(outputs)
    let input = generator.floats(rows * inputs, in: -2...3)
    let limit: Float = Bool.random(using: &generator) ? 0.5 : .infinity
    let isImage = Bool.random(using: &generator)
    let quantized =
      isImage
      ? Quantized(imageOf: input, rows, columns: inputs, with: instructionSet)
      : Quantized(rowsOf: input, rows, columns: inputs, with: instructionSet)
    let packed = QD8GEMMWeights(
      weights, outputs: outputs, inputs: inputs, scales: scales, bias: bias,
      instructionSet: instructionSet)
    let stride = outputs + 3
    let output = multiply(
      packed, rows: rows, quantized.bytes, stride: inputs, quantized.parameters,
      outputStride: stride, minimum: -limit, maximum: limit)
    var expected = [Float](repeating: untouched, count: output.count)
    for row in 0..<rows {
      for n in 0..<outputs {
        expected[row * stride + n] = Reference.product(
          quantized.rows[row], weights[n * inputs..<(n + 1) * inputs],
          scale: scales[scales.count == 1 ? 0 : n], bias: bias[n], minimum: -limit, maximum: limit,
          with: instructionSet)
      }
    }
    #expect(
      bits(output) == bits(expected),
      "\(instructionSet) \(rows) rows, \(outputs) outputs, \(inputs) inputs")
  }

  @Test(arguments: InstructionSet.available.filter(\.hasQC4WGEMM))
  func `two weights in a byte give the bits of two bytes`(instructionSet: InstructionSet) {
    var generator = SeededGenerator(seed: 4)
    for outputs in awkwardOutputs + [127, 128, 129, 300] {
      for inputs in awkwardInputs {
        let rows = awkwardRows.randomElement(using: &generator)!
        let weights = (0..<outputs * inputs).map { _ in Int8.random(in: -8...7, using: &generator) }
        let (scales, bias) = (generator.floats(outputs), generator.floats(outputs))
        let quantized = Quantized(
          rowsOf: generator.floats(rows * inputs, in: -2...3), rows, columns: inputs,
          with: instructionSet)
        let outputsOfBoth = [false, true].map { isQC4W in
          let packed = QD8GEMMWeights(
            weights, outputs: outputs, inputs: inputs, scales: scales, bias: bias,
            isQC4W: isQC4W, instructionSet: instructionSet)
          return bits(
            multiply(
              packed, rows: rows, quantized.bytes, stride: inputs, quantized.parameters,
              outputStride: outputs + 3, minimum: -1, maximum: 9))
        }
        #expect(outputsOfBoth[0] == outputsOfBoth[1], "\(rows), \(outputs), \(inputs)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a convolution along positions is a product over overlapping rows`(
    instructionSet: InstructionSet
  ) {
    var generator = SeededGenerator(seed: 3)
    let (channels, positions, outputs) = (6, 11, 20)
    let weights = generator.weights(outputs * 3 * channels)
    let input = generator.floats(channels * (positions + 2))
    let quantized = Quantized(
      imageOf: input, positions + 2, columns: channels, with: instructionSet)
    let packed = QD8GEMMWeights(
      weights, outputs: outputs, inputs: 3 * channels, scales: [0.01],
      instructionSet: instructionSet)
    let output = multiply(
      packed, rows: positions, quantized.bytes, stride: channels, quantized.parameters,
      outputStride: outputs)
    let flat = quantized.rows.flatMap(\.bytes)
    for position in 0..<positions {
      var row = quantized.rows[0]
      row.bytes = Array(flat[position * channels..<(position + 3) * channels])
      for n in 0..<outputs {
        let expected = Reference.product(
          row, weights[n * 3 * channels..<(n + 1) * 3 * channels], scale: 0.01, bias: 0,
          with: instructionSet)
        #expect(output[position * outputs + n] == expected)
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `the extreme bytes and weights do not saturate`(instructionSet: InstructionSet) {
    // Pairs of 128, and of one more than the product of uint8 would hold.
    for pair in [
      [Int8(-128), -128], [-127, -127], [127, 127], [127, 1], [1, 127], [-128, 0], [0, -128],
      [64, 64], [-64, -64], [127, 2], [-128, -1], [-65, -64], [64, 65],
    ] {
      for value in [Float(-1), 1] {
        let inputs = 67
        let quantized = Quantized(
          rowsOf: Array(repeating: value, count: inputs), 1, columns: inputs, with: instructionSet)
        let row = (0..<inputs).map { pair[$0 % 2] }
        let weights = (0..<40).flatMap { _ in row }
        let packed = QD8GEMMWeights(
          weights, outputs: 40, inputs: inputs, scales: [1], instructionSet: instructionSet)
        let output = multiply(
          packed, rows: 1, quantized.bytes, stride: inputs, quantized.parameters, outputStride: 40)
        let sum = row.reduce(0) { $0 + Int($1) }
        let expected = 255 * Float(sum) * value * quantized.rows[0].inverseScale
        #expect(output.allSatisfy { abs($0 - expected) <= abs(expected) * 1e-6 }, "\(pair)")
      }
    }
  }
}

/// What outputs are filled with before; kernels must not write between rows.
let untouched: Float = 12345

func multiply(
  _ weights: borrowing QD8GEMMWeights, rows: Int, _ input: [UInt8], stride: Int,
  _ parameters: [QuantizationParameters], outputStride: Int, minimum: Float = -.infinity,
  maximum: Float = .infinity
) -> [Float] {
  var output = [Float](repeating: untouched, count: rows * outputStride)
  output.withUnsafeMutableBufferPointer { output in
    input.withUnsafeBufferPointer { input in
      parameters.withUnsafeBufferPointer { parameters in
        weights.multiply(
          rows: rows, input: input, inputStride: stride, parameters: parameters, output: output,
          outputStride: outputStride, minimum: minimum, maximum: maximum)
      }
    }
  }
  return output
}
