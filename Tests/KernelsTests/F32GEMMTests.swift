import QDKernels
import Seeded
import Testing

@Suite struct F32GEMMTests {
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

  @Test(arguments: InstructionSet.available)
  func `rows in stretches equal dense ones`(instructionSet: InstructionSet) {
    var generator = SeededGenerator(seed: 6)
    let (rows, outputs, inputs) = (9, 21, 27)
    let weights = F32GEMMWeights(
      generator.floats(outputs * inputs), outputs: outputs, inputs: inputs,
      instructionSet: instructionSet)
    let segments = RowSegments(count: 3, step: 50)
    let image = generator.floats((rows - 1) * 3 + 2 * 50 + 9)
    let dense: [Float] = (0..<rows).flatMap { (row: Int) -> [Float] in
      [0, 50, 100].flatMap { (first: Int) -> ArraySlice<Float> in
        image[row * 3 + first..<row * 3 + first + 9]
      }
    }
    func multiply(_ input: [Float], stride: Int, _ segments: RowSegments) -> [Float] {
      var output = [Float](repeating: 0, count: rows * outputs)
      output.withUnsafeMutableBufferPointer { output in
        input.withUnsafeBufferPointer { input in
          weights.multiply(
            rows: rows, input: input, inputStride: stride, segments: segments, output: output,
            outputStride: outputs)
        }
      }
      return output
    }
    #expect(multiply(image, stride: 3, segments) == multiply(dense, stride: inputs, .one))
  }

  @Test(arguments: InstructionSet.available)
  func `blocks of rows equal all of them`(instructionSet: InstructionSet) {
    // Wide enough for several blocks.
    var generator = SeededGenerator(seed: 7)
    check(150, 700, 3, 3, instructionSet, &generator)
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
    let packed = F32GEMMWeights(
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
