import QDKernels
import Seeded
import Testing

/// f16 gemm on the instruction sets that have them.
@Suite struct F16GEMMTests {
  static let instructionSets = InstructionSet.available.filter(\.hasF16GEMM)

  private func product(
    _ weights: [UInt16], _ outputs: Int, _ inputs: Int, bias: [Float]? = nil, rows: Int,
    _ input: [Float], _ limit: Float, _ instructionSet: InstructionSet
  ) -> [Float] {
    let packed = F16GEMMWeights(
      weights, outputs: outputs, inputs: inputs, bias: bias, instructionSet: instructionSet)
    var f16 = [UInt16](repeating: 0, count: rows * inputs)
    var scales = [Float](repeating: 0, count: rows)
    var output = [Float](repeating: 77, count: rows * outputs)
    input.withUnsafeBufferPointer { input in
      f16.withUnsafeMutableBufferPointer { f16 in
        scales.withUnsafeMutableBufferPointer { scales in
          packed.convert(rows: rows, input, into: f16, scales: scales)
        }
      }
    }
    f16.withUnsafeBufferPointer { f16 in
      scales.withUnsafeBufferPointer { scales in
        output.withUnsafeMutableBufferPointer { output in
          packed.multiply(
            rows: rows, f16, scales: scales, into: output, minimum: -limit, maximum: limit)
        }
      }
    }
    return output
  }

  @Test(arguments: instructionSets)
  func `products are within their bound`(instructionSet: InstructionSet) {
    var generator = SeededGenerator(seed: 32)
    for outputs in awkwardOutputs {
      for inputs in awkwardInputs {
        let rows = awkwardRows.randomElement(using: &generator)!
        // Values that are no f16, and as large as a spectrum's.
        let size = Float([1e-6, 1, 3e5].randomElement(using: &generator)!)
        let input = generator.floats(rows * inputs).map { $0 * size }
        let weights = generator.floats(outputs * inputs, in: -3...3).map(Float16.init)
        let bias = generator.floats(outputs).map { $0 * size }
        let limit: Float = Bool.random(using: &generator) ? size : .infinity
        let output = product(
          weights.map(\.bitPattern), outputs, inputs, bias: bias, rows: rows, input, limit,
          instructionSet)
        for row in 0..<rows {
          for n in 0..<outputs {
            var (sum, sizes) = (Double(bias[n]), abs(Double(bias[n])))
            for i in 0..<inputs {
              let term = Double(input[row * inputs + i]) * Double(weights[n * inputs + i])
              sum += term
              sizes += abs(term)
            }
            let expected = min(max(sum, -Double(limit)), Double(limit))
            let error = abs(Double(output[row * outputs + n]) - expected)
            #expect(error <= 7 / 2048 * sizes, "\(rows) \(outputs) \(inputs)")
          }
        }
      }
    }
  }

  @Test(arguments: instructionSets)
  func `whole numbers are exact`(instructionSet: InstructionSet) {
    var generator = SeededGenerator(seed: 33)
    let (rows, outputs, inputs) = (3, 37, 41)
    let input = (0..<rows * inputs).map { _ in Float(Int.random(in: -8...8, using: &generator)) }
    let weights = (0..<outputs * inputs).map { _ in
      Float16(Int.random(in: -9...9, using: &generator))
    }
    let output = product(
      weights.map(\.bitPattern), outputs, inputs, rows: rows, input, .infinity, instructionSet)
    let expected = (0..<rows * outputs).map { index in
      let (row, n) = index.quotientAndRemainder(dividingBy: outputs)
      return (0..<inputs).reduce(Float(0)) {
        $0 + input[row * inputs + $1] * Float(weights[n * inputs + $1])
      }
    }
    #expect(output == expected)
  }

  @Test(arguments: instructionSets)
  func `the largest values overflow no half, and what is no number stays so`(
    instructionSet: InstructionSet
  ) {
    let weights = Array(repeating: Float16(F16GEMMWeights.largestWeight).bitPattern, count: 64)
    let large = product(
      weights, 1, 64, rows: 1, Array(repeating: 1e30, count: 64), .infinity, instructionSet)
    #expect(abs(large[0] / 1e30 / (64 * F16GEMMWeights.largestWeight) - 1) < 7 / 2048)
    for odd in [Float.nan, .infinity] {
      var input = [Float](repeating: 1, count: 64)
      input[5] = odd
      #expect(!product(weights, 1, 64, rows: 1, input, .infinity, instructionSet)[0].isFinite)
    }
    let zero = product(
      weights, 1, 64, bias: [3], rows: 1, Array(repeating: 0, count: 64), .infinity,
      instructionSet)
    #expect(zero == [3])
  }
}
