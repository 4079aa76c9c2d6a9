import QDKernels
import Seeded
import Testing

/// Products with sparse weights against the dense ones, on every instruction set that has them.
struct SparseTests {
  /// Around the rows of a block, and the outputs that are put together.
  private static let shapes = [
    (1, 1, 1), (3, 7, 5), (8, 16, 16), (15, 9, 33), (16, 40, 17), (31, 64, 15), (32, 33, 20),
    (33, 65, 3), (64, 12, 31), (65, 130, 64), (100, 24, 50),
  ]

  /// `share` of them are not zero.
  private func sparse<Value: ExpressibleByIntegerLiteral>(
    _ values: [Value], _ share: Double, _ random: inout SeededGenerator
  ) -> [Value] {
    values.map { Double.random(in: 0..<1, using: &random) < share ? $0 : 0 }
  }

  @Test(arguments: InstructionSet.available.filter(\.hasF32Sparse), [0, 0.05, 0.2, 1])
  func `float products have the bits of dense ones`(
    instructionSet: InstructionSet, share: Double
  ) {
    var random = SeededGenerator(seed: 31)
    for (rows, inputs, outputs) in Self.shapes {
      let weights = sparse(random.floats(outputs * inputs), share, &random)
      let bias = random.floats(outputs)
      let stride = inputs + 3
      let input = random.floats(rows * stride)
      let dense = F32GEMMWeights(
        weights, outputs: outputs, inputs: inputs, bias: bias, instructionSet: instructionSet)
      let few = F32SparseWeights(
        weights, outputs: outputs, inputs: inputs, bias: bias, instructionSet: instructionSet)
      var results = [[Float]](repeating: .init(repeating: 9, count: rows * (outputs + 1)), count: 2)
      var scratch = [Float](repeating: .nan, count: few.scratchCount)
      input.withUnsafeBufferPointer { input in
        results[0].withUnsafeMutableBufferPointer { output in
          dense.multiply(
            rows: rows, input: input, inputStride: stride, output: output,
            outputStride: outputs + 1, minimum: -0.5, maximum: 0.7)
        }
        results[1].withUnsafeMutableBufferPointer { output in
          scratch.withUnsafeMutableBufferPointer { scratch in
            few.multiply(
              rows: rows, input: input, inputStride: stride, scratch: scratch, output: output,
              outputStride: outputs + 1, minimum: -0.5, maximum: 0.7)
          }
        }
      }
      #expect(results[0] == results[1], "\(rows) x \(inputs) x \(outputs)")
    }
  }

  @Test(arguments: InstructionSet.available.filter(\.hasInt8Sparse), [0, 0.05, 0.2, 1])
  func `int8 products have the bits of dense ones`(instructionSet: InstructionSet, share: Double) {
    var random = SeededGenerator(seed: 32)
    for (rows, inputs, outputs) in Self.shapes {
      var weights = sparse(
        (0..<outputs * inputs).map { _ in Int8.random(in: -128...127, using: &random) }, share,
        &random)
      if share == 1 { weights[0] = -128 }
      let stride = inputs + 5
      let input = (0..<rows * stride).map { _ in UInt8.random(in: 0...255, using: &random) }
      let multipliers = random.floats(outputs, in: 0.0001...0.003)
      let biases = (0..<outputs).map { _ in Int32.random(in: -9000...9000, using: &random) }
      let output = QS8Output(zeroPoint: -7, range: -100...120)
      let dense = QS8GEMMWeights(
        weights, outputs: outputs, inputs: inputs, bias: biases, multipliers: multipliers,
        zeroPoint: 11, output: output, instructionSet: instructionSet)
      let few = QS8SparseWeights(
        weights, outputs: outputs, inputs: inputs, bias: biases, multipliers: multipliers,
        zeroPoint: 11, output: output, instructionSet: instructionSet)
      var results = [[UInt8]](repeating: .init(repeating: 9, count: rows * (outputs + 1)), count: 2)
      var scratch = [Int16](repeating: -1, count: few.scratchCount)
      input.withUnsafeBufferPointer { input in
        results[0].withUnsafeMutableBufferPointer { output in
          dense.multiply(
            rows: rows, input: input, inputStride: stride, output: output,
            outputStride: outputs + 1)
        }
        results[1].withUnsafeMutableBufferPointer { output in
          scratch.withUnsafeMutableBufferPointer { scratch in
            few.multiply(
              rows: rows, input: input, inputStride: stride, scratch: scratch, output: output,
              outputStride: outputs + 1)
          }
        }
      }
      #expect(results[0] == results[1], "\(rows) x \(inputs) x \(outputs)")
    }
  }

  @Test(arguments: InstructionSet.available.filter(\.hasInt8Sparse), [true, false])
  func `dynamic products have the bits of dense ones`(
    instructionSet: InstructionSet, areTheSame: Bool
  ) {
    var random = SeededGenerator(seed: 33)
    for (rows, inputs, outputs) in Self.shapes {
      let weights = sparse(random.weights(outputs * inputs), 0.2, &random)
      let scales = random.floats(outputs, in: 0.001...0.02)
      let bias = random.floats(outputs)
      let values = random.floats(rows * inputs)
      let dense = QD8GEMMWeights(
        weights, outputs: outputs, inputs: inputs, scales: scales, bias: bias,
        instructionSet: instructionSet)
      let few = QD8SparseWeights(
        weights, outputs: outputs, inputs: inputs, scales: scales, bias: bias,
        instructionSet: instructionSet)
      var input = [UInt8](repeating: 0, count: rows * inputs)
      var parameters = [QuantizationParameters](
        repeating: QuantizationParameters(zeroPoint: 0, inverseScale: 1), count: rows)
      input.withUnsafeMutableBufferPointer { input in
        parameters.withUnsafeMutableBufferPointer { parameters in
          values.withUnsafeBufferPointer { values in
            DynamicQuantization(instructionSet).quantizeRows(
              rows, columns: inputs, input: values, inputStride: inputs, output: input,
              outputStride: inputs, parameters: parameters)
          }
        }
      }
      if areTheSame { parameters = [parameters[0]] }
      var results = [[Float]](repeating: .init(repeating: 9, count: rows * outputs), count: 2)
      var scratch = [Int16](repeating: -1, count: few.scratchCount)
      input.withUnsafeBufferPointer { input in
        parameters.withUnsafeBufferPointer { parameters in
          results[0].withUnsafeMutableBufferPointer { output in
            dense.multiply(
              rows: rows, input: input, inputStride: inputs, parameters: parameters,
              output: output, outputStride: outputs, minimum: -1, maximum: 2)
          }
          results[1].withUnsafeMutableBufferPointer { output in
            scratch.withUnsafeMutableBufferPointer { scratch in
              few.multiply(
                rows: rows, input: input, inputStride: inputs, parameters: parameters,
                scratch: scratch, output: output, outputStride: outputs, minimum: -1, maximum: 2)
            }
          }
        }
      }
      #expect(results[0] == results[1], "\(rows) x \(inputs) x \(outputs)")
    }
  }
}
