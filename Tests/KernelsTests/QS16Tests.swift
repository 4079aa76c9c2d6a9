import QDKernels
import Seeded
import Testing

/// Kernels of int16 activations against their formulas, on every instruction set, over awkward sizes.
@Suite struct QS16Tests {
  private struct Layer {
    var weights: [Int8]
    var output: QS16Output

    init(
      _ outputs: Int, _ inputs: Int, bits: Int, bounded: Bool = false,
      _ generator: inout SeededGenerator
    ) {
      weights =
        bounded
        ? generator.boundedWeights(outputs: outputs, inputs: inputs)
        : generator.weights(outputs * inputs)
      output = QS16Output(
        bias: (0..<outputs).map { _ in .random(in: -(1 << 30)...(1 << 30), using: &generator) },
        multipliers: (0..<outputs).map { _ in
          QS16Output.multiplier(.random(in: 1e-5...4e-3, using: &generator), bits: bits)
        },
        range: Bool.random(using: &generator) ? -32768...32767 : -20000...1234)
    }

    /// An output from the integers that it sees, with its weights, in whole numbers.
    func value(_ n: Int, _ pairs: some Sequence<(Int16, Int8)>) -> Int16 {
      let sum = pairs.reduce(Int(output.bias[n])) { $0 + Int($1.0) * Int($1.1) }
      // The multiplier is a whole number over 2^40.
      let scaled = sum * Int(output.multipliers[n] * 0x1p40)
      let rounded = (scaled + 1 << 39) >> 40
      return Int16(min(max(rounded, output.range.lowerBound), output.range.upperBound))
    }
  }

  /// Any value, and the extremes more often.
  private func integers(_ count: Int, _ generator: inout SeededGenerator) -> [Int16] {
    (0..<count).map { _ in
      [Int16.min, Int16.max, .random(in: .min ... .max, using: &generator)]
        .randomElement(using: &generator)!
    }
  }

  private func planes(_ values: [Int16], _ instructionSet: InstructionSet) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: 2 * values.count)
    values.withUnsafeBufferPointer { values in
      bytes.withUnsafeMutableBufferPointer { bytes in
        let middle = values.count
        IntegerElementwise(instructionSet).split(
          values, high: UnsafeMutableBufferPointer(rebasing: bytes[..<middle]),
          low: UnsafeMutableBufferPointer(rebasing: bytes[middle...]))
      }
    }
    return bytes
  }

  @Test(arguments: InstructionSet.available)
  func `a plane of high and one of low bytes make the values`(instructionSet: InstructionSet) {
    let values: [Int16] = [0, 1, -1, 127, 128, -128, -129, 255, 256, .min, .max] + (0..<60)
    let flip: UInt8 = instructionSet.storesUnsigned ? 0x80 : 0
    let numbers = planes(values, instructionSet).map { Int(Int8(bitPattern: $0 ^ flip)) }
    let sums = values.indices.map { 256 * numbers[$0] + numbers[$0 + values.count] + 128 }
    #expect(sums == values.map(Int.init))
    let zero = IntegerElementwise(instructionSet).splitZero
    #expect(planes([0], instructionSet) == [zero.high, zero.low])
  }

  @Test(arguments: InstructionSet.available, [false, true])
  func `products of int16 equal whole-number arithmetic`(
    instructionSet: InstructionSet, bounded: Bool
  ) {
    var generator = SeededGenerator(seed: 16)
    for outputs in awkwardOutputs {
      for inputs in awkwardInputs {
        let rows = awkwardRows.randomElement(using: &generator)!
        let layer = Layer(outputs, inputs, bits: 15, bounded: bounded, &generator)
        let values = integers(rows * inputs, &generator)
        let packed = QS16GEMMWeights(
          layer.weights, outputs: outputs, inputs: inputs, output: layer.output,
          instructionSet: instructionSet)
        let stride = outputs + 3
        var output = [Int16](repeating: 77, count: rows * stride)
        planes(values, instructionSet).withUnsafeBufferPointer { input in
          output.withUnsafeMutableBufferPointer { output in
            packed.multiply(
              rows: rows, input: input, planeStep: rows * inputs, inputStride: inputs,
              output: output, outputStride: stride)
          }
        }
        var expected = [Int16](repeating: 77, count: rows * stride)
        for row in 0..<rows {
          let own = values[row * inputs..<(row + 1) * inputs]
          for n in 0..<outputs {
            expected[row * stride + n] = layer.value(
              n, zip(own, layer.weights[n * inputs..<(n + 1) * inputs]))
          }
        }
        #expect(output == expected, "\(instructionSet) \(rows) \(outputs) \(inputs)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `the largest sums are exact`(instructionSet: InstructionSet) {
    let inputs = QS16GEMMWeights.maximumInputs
    for (weight, value) in [(Int8(127), Int16.max), (-127, .max), (127, .min), (-128, .min)] {
      let bias = QS16Output.largestBias
      let ratio = 0x1p-18
      let packed = QS16GEMMWeights(
        Array(repeating: weight, count: 2 * inputs), outputs: 2, inputs: inputs,
        output: QS16Output(bias: [bias, -bias], multipliers: [ratio, ratio]),
        instructionSet: instructionSet)
      let sum = inputs * Int(weight) * Int(value)
      var output: [Int16] = [0, 0]
      planes(Array(repeating: value, count: inputs), instructionSet).withUnsafeBufferPointer {
        input in
        output.withUnsafeMutableBufferPointer { output in
          packed.multiply(
            rows: 1, input: input, planeStep: inputs, inputStride: inputs, output: output,
            outputStride: 2)
        }
      }
      let sums = [sum + Int(bias), sum - Int(bias)]
      let expected = sums.map { Int16(clamping: ($0 + 1 << 17) >> 18) }
      #expect(output == expected, "\(weight) \(value)")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a depthwise row of int16 equals whole-number arithmetic`(instructionSet: InstructionSet) {
    for shape in DepthwiseTests.shapes {
      var generator = SeededGenerator(seed: UInt64(shape.channels) + 60)
      let layer = Layer(shape.channels, 9, bits: 15, &generator)
      let values = integers(shape.count, &generator)
      let packed = QS16DepthwiseWeights(
        layer.weights, taps: 9, channels: shape.channels, output: layer.output,
        instructionSet: instructionSet)
      var output = [Int16](repeating: 0, count: shape.pixels * shape.channels)
      values.withUnsafeBufferPointer { input in
        shape.tapOffsets.withUnsafeBufferPointer { offsets in
          output.withUnsafeMutableBufferPointer { output in
            packed.convolve(
              pixels: shape.pixels, input: input, pixelStride: shape.channels,
              tapOffsets: offsets, output: output, outputStride: shape.channels)
          }
        }
      }
      let expected = output.indices.map { index in
        let (pixel, channel) = index.quotientAndRemainder(dividingBy: shape.channels)
        return layer.value(
          channel,
          shape.tapOffsets.enumerated().map { tap, offset in
            (
              values[pixel * shape.channels + offset + channel],
              layer.weights[tap * shape.channels + channel]
            )
          })
      }
      #expect(output == expected, "\(shape)")
    }
  }

  @Test func `a half is rounded up, and multipliers have the bits that they are given`() {
    let packed = QS16GEMMWeights(
      [1], outputs: 1, inputs: 1, output: QS16Output(bias: [0], multipliers: [0.5]))
    var output = [Int16](repeating: 0, count: 4)
    planes([1, 3, -1, -3], .best).withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        packed.multiply(
          rows: 4, input: input, planeStep: 4, inputStride: 1, output: output, outputStride: 1)
      }
    }
    #expect(output == [1, 2, 0, -1])
    #expect(QS16Output.multiplier(0.75, bits: 15) == 0.75)
    #expect(QS16Output.multiplier(0.1, bits: 15) == 26214 * 0x1p-18)
    #expect(QS16Output.multiplier(0.1, bits: 31) == 1_717_986_918 * 0x1p-34)
    // The next larger one would need a 16th bit.
    #expect(QS16Output.multiplier(0.999999, bits: 15) == 32767 * 0x1p-15)
    #expect(QS16Output.multiplier(0, bits: 31) == 0)
  }
}
