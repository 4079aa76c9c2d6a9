import Kernels
import Seeded
import Testing

@Suite struct FloatProductTests {
  @Test(arguments: InstructionSet.available)
  func `products equal a chain of fused multiply-adds bit for bit`(
    instructionSet: InstructionSet
  ) {
    var generator = SeededGenerator(seed: 4)
    for outputs in awkwardOutputs {
      for inputs in [1, 2, 7, 16, 33, 96] {
        let rows = awkwardRows.randomElement(using: &generator)!
        check(rows, outputs, inputs, inputs, instructionSet, &generator)
      }
    }
    for rows in awkwardRows {
      for outputs in [5, 16, 32, 48, 64, 70] {
        check(rows, outputs, 9, 9, instructionSet, &generator)
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `rows may overlap`(instructionSet: InstructionSet) {
    var generator = SeededGenerator(seed: 5)
    check(13, 20, 18, 6, instructionSet, &generator)
  }

  private func check(
    _ rows: Int, _ outputs: Int, _ inputs: Int, _ inputStride: Int,
    _ instructionSet: InstructionSet, _ generator: inout SeededGenerator
  ) {
    let weights = generator.floats(outputs * inputs)
    let bias = generator.floats(outputs)
    let input = generator.floats((rows - 1) * inputStride + inputs)
    let limit: Float = Bool.random(using: &generator) ? 0.5 : .infinity
    let stride = outputs + 1
    var output = [Float](repeating: untouched, count: rows * stride)
    let packed = PackedFloatWeights(
      weights, outputs: outputs, inputs: inputs, bias: bias, instructionSet: instructionSet)
    output.withUnsafeMutableBufferPointer { output in
      input.withUnsafeBufferPointer { input in
        packed.multiply(
          rows: rows, input: input, inputStride: inputStride, output: output,
          outputStride: stride, minimum: -limit, maximum: limit)
      }
    }
    var expected = [Float](repeating: untouched, count: output.count)
    for row in 0..<rows {
      for n in 0..<outputs {
        expected[row * stride + n] = Reference.product(
          input[row * inputStride..<row * inputStride + inputs],
          weights[n * inputs..<(n + 1) * inputs], bias: bias[n], minimum: -limit, maximum: limit,
          with: instructionSet)
      }
    }
    #expect(
      bits(output) == bits(expected),
      "\(instructionSet) \(rows) rows, \(outputs) outputs, \(inputs) inputs")
  }
}
