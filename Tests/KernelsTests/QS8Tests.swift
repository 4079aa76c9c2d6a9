import Foundation
import QDKernels
import Seeded
import Testing

/// Full-integer kernels against their formulas, on every instruction set, over awkward sizes.
@Suite struct QS8Tests {
  /// int8 values as an instruction set stores them.
  static func stored(_ values: [Int], _ instructionSet: InstructionSet) -> [UInt8] {
    values.map { UInt8(truncatingIfNeeded: $0) ^ (instructionSet.storesUnsigned ? 0x80 : 0) }
  }

  /// What a real result becomes.
  static func requantized(_ value: Float, _ zeroPoint: Int, _ range: ClosedRange<Int>) -> Int {
    let whole = value.rounded(.toNearestOrEven)
    return min(max(Int(min(max(whole, -1e6), 1e6)) + zeroPoint, range.lowerBound), range.upperBound)
  }

  private struct Layer {
    var weights: [Int8]
    var bias: [Int32]
    var multipliers: [Float]
    var zeroPoint: Int
    var outputZeroPoint: Int
    var range: ClosedRange<Int>

    init(
      _ outputs: Int, _ inputs: Int, bounded: Bool = false, _ generator: inout SeededGenerator
    ) {
      weights =
        bounded
        ? generator.boundedWeights(outputs: outputs, inputs: inputs)
        : generator.weights(outputs * inputs)
      bias = (0..<outputs).map { _ in .random(in: -5000...5000, using: &generator) }
      multipliers = generator.floats(outputs, in: 0.0005...0.004)
      zeroPoint = .random(in: -128...127, using: &generator)
      outputZeroPoint = .random(in: -128...127, using: &generator)
      range = Bool.random(using: &generator) ? -128...127 : -40...90
    }

    var output: QS8Output { QS8Output(zeroPoint: outputZeroPoint, range: range) }

    /// An output from the integers that it sees, with its weights.
    func value(_ n: Int, _ pairs: some Sequence<(Int, Int8)>) -> Int {
      let sum = pairs.reduce(Int(bias[n])) { $0 + ($1.0 - zeroPoint) * Int($1.1) }
      return requantized(Float(sum) * multipliers[n], outputZeroPoint, range)
    }
  }

  @Test(arguments: InstructionSet.available, [false, true])
  func `products equal the formula`(instructionSet: InstructionSet, bounded: Bool) {
    var generator = SeededGenerator(seed: 21)
    for outputs in awkwardOutputs {
      for inputs in awkwardInputs {
        let rows = awkwardRows.randomElement(using: &generator)!
        let layer = Layer(outputs, inputs, bounded: bounded, &generator)
        let values = (0..<rows * inputs).map { _ in
          [-128, 127, .random(in: -128...127, using: &generator)].randomElement(using: &generator)!
        }
        let packed = QS8GEMMWeights(
          layer.weights, outputs: outputs, inputs: inputs, bias: layer.bias,
          multipliers: layer.multipliers, zeroPoint: layer.zeroPoint, output: layer.output,
          instructionSet: instructionSet)
        let stride = outputs + 3
        var output = [UInt8](repeating: 77, count: rows * stride)
        Self.stored(values, instructionSet).withUnsafeBufferPointer { input in
          output.withUnsafeMutableBufferPointer { output in
            packed.multiply(
              rows: rows, input: input, inputStride: inputs, output: output, outputStride: stride)
          }
        }
        var expected = [UInt8](repeating: 77, count: rows * stride)
        for row in 0..<rows {
          let own = values[row * inputs..<(row + 1) * inputs]
          let results = (0..<outputs).map { n in
            layer.value(n, zip(own, layer.weights[n * inputs..<(n + 1) * inputs]))
          }
          expected.replaceSubrange(
            row * stride..<row * stride + outputs, with: Self.stored(results, instructionSet))
        }
        #expect(output == expected, "\(instructionSet) \(rows) \(outputs) \(inputs)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a weight of -128 is exact too`(instructionSet: InstructionSet) {
    let values = [Int](repeating: -128, count: 67)
    let packed = QS8GEMMWeights(
      Array(repeating: -128, count: 67 * 20), outputs: 20, inputs: 67,
      bias: Array(repeating: 0, count: 20), multipliers: Array(repeating: 1e-4, count: 20),
      zeroPoint: 0, output: QS8Output(zeroPoint: 3), instructionSet: instructionSet)
    var output = [UInt8](repeating: 0, count: 20)
    Self.stored(values, instructionSet).withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        packed.multiply(rows: 1, input: input, inputStride: 67, output: output, outputStride: 20)
      }
    }
    let expected = Self.requantized(Float(67 * 128 * 128) * 1e-4, 3, -128...127)
    #expect(output == Self.stored(Array(repeating: expected, count: 20), instructionSet))
  }

  @Test(arguments: InstructionSet.available)
  func `a depthwise row equals the formula`(instructionSet: InstructionSet) {
    for shape in DepthwiseTests.shapes {
      var generator = SeededGenerator(seed: UInt64(shape.channels) + 40)
      let layer = Layer(shape.channels, 9, &generator)
      let values = (0..<shape.count).map { _ in Int.random(in: -128...127, using: &generator) }
      let packed = QS8DepthwiseWeights(
        shape.taps.weights(layer.weights, channels: shape.channels), taps: 12,
        channels: shape.channels, bias: layer.bias,
        multipliers: layer.multipliers, zeroPoint: layer.zeroPoint, output: layer.output,
        instructionSet: instructionSet)
      var output = [UInt8](repeating: 0, count: shape.pixels * shape.channels)
      Self.stored(values, instructionSet).withUnsafeBufferPointer { input in
        shape.taps.offsets(shape.tapOffsets).withUnsafeBufferPointer { offsets in
          output.withUnsafeMutableBufferPointer { output in
            packed.convolve(
              pixels: shape.pixels, input: input, pixelStride: shape.channels, tapOffsets: offsets,
              output: output, outputStride: shape.channels)
          }
        }
      }
      let expected = (0..<output.count).map { index in
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
      #expect(output == Self.stored(expected, instructionSet), "\(shape)")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `pools of bytes are maxima and means, rounded half away from zero`(
    instructionSet: InstructionSet
  ) {
    // The last one has more taps than fit 16-bit sums.
    for (channels, pixels, rows, columns) in [
      (1, 3, 3, 3), (7, 2, 2, 2), (16, 1, 1, 1), (31, 2, 3, 5), (64, 2, 3, 3), (65, 5, 2, 3),
      (96, 1, 7, 7), (130, 2, 3, 3), (3, 1, 30, 19), (70, 2, 128, 127),
    ] {
      var generator = SeededGenerator(seed: UInt64(channels))
      let pitch = (columns + pixels - 1) * channels
      // One channel of extremes.
      let values = (0..<rows * pitch).map {
        $0 % channels == 0 ? -128 : Int.random(in: -128...127, using: &generator)
      }
      let window = ImageWindow(rows: rows, columns: columns, rowStep: pitch, columnStep: channels)
      for (isMaximum, isUnsigned) in [(true, false), (false, false), (false, true)] {
        var output = [UInt8](repeating: 0, count: pixels * channels)
        Self.stored(values, instructionSet).withUnsafeBufferPointer { input in
          output.withUnsafeMutableBufferPointer {
            IntegerPool(instructionSet).pool(
              isMaximum: isMaximum, pixels: pixels, channels: channels, window: window,
              input: input, pixelStride: channels,
              IntegerPool.Results(range: -120...110, isUnsigned: isUnsigned), into: $0)
          }
        }
        let offset = isUnsigned ? 128 : 0
        let expected = (0..<output.count).map { index in
          let seen = (0..<rows * columns).map { tap in
            values[tap / columns * pitch + tap % columns * channels + index]
          }
          let mean = Double(seen.reduce(0, +)) / Double(seen.count) + Double(offset)
          let value =
            isMaximum ? seen.max()! : Int(mean.rounded(.toNearestOrAwayFromZero)) - offset
          return min(max(value, -120), 110)
        }
        #expect(
          output == Self.stored(expected, instructionSet),
          "\(channels) \(rows) \(columns) \(isMaximum) \(isUnsigned)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `functions of two bytes walk over rows of any length`(
    instructionSet: InstructionSet
  ) throws {
    let kernels = IntegerElementwise(instructionSet)
    let sum = try #require(
      IntegerElementwise.Sum(
        scales: (0.5, -0.25), zeroPoints: (3, 7), zeroPoint: -2, range: -128...127))
    let product = IntegerElementwise.Product(
      zeroPoints: (3, 7), scale: 0.01, QS8Output(zeroPoint: -2))
    for (rows, columns) in [(1, 1), (5, 1), (700, 4), (3, 63), (4, 64), (3, 65), (33, 31)] {
      var generator = SeededGenerator(seed: UInt64(rows + columns))
      // Dense rows, rows with a gap, one row for all, and one value for each row.
      for (strideA, stepA, strideB, stepB) in [
        (columns, 1, 1, 0), (columns + 3, 1, 0, 1), (0, 0, columns, 1), (1, 0, columns + 1, 1),
      ] {
        func integers(_ stride: Int) -> [Int] {
          (0..<rows * (stride + 1) + columns).map { _ in
            Int.random(in: -128...127, using: &generator)
          }
        }
        let (a, b) = (integers(strideA), integers(strideB))
        for outputStride in [columns, columns + 2] {
          for function in [IntegerElementwise.Binary.sum(sum), .product(product)] {
            var output = Self.stored(
              [Int](repeating: 77, count: rows * outputStride), instructionSet)
            Self.stored(a, instructionSet).withUnsafeBufferPointer { a in
              Self.stored(b, instructionSet).withUnsafeBufferPointer { b in
                output.withUnsafeMutableBufferPointer {
                  kernels.apply(
                    function, rows: rows, columns: columns,
                    Operand(a, stride: strideA, step: stepA),
                    Operand(b, stride: strideB, step: stepB), into: $0,
                    outputStride: outputStride)
                }
              }
            }
            var expected = [Int](repeating: 77, count: rows * outputStride)
            for row in 0..<rows {
              for column in 0..<columns {
                let x = a[row * strideA + column * stepA] - 3
                let y = b[row * strideB + column * stepB] - 7
                expected[row * outputStride + column] =
                  if case .sum = function {
                    min(max(((2 * x - y + 2) >> 2) - 2, -128), 127)
                  } else {
                    Self.requantized(Float(x * y) * 0.01, -2, -128...127)
                  }
              }
            }
            #expect(
              output == Self.stored(expected, instructionSet),
              "\(rows) \(columns) \(strideA) \(strideB) \(outputStride)")
          }
        }
      }
    }
  }

  /// TensorFlow Lite's product of a whole number with one below 1: rounded after 31 bits, halves up,
  /// and to a whole number, halves away from zero.
  static func scaled(_ value: Int, _ factor: Double) -> Int {
    let shift = -Int(factor.exponent) - 1
    let multiplier = Int((factor * pow(2, Double(31 + shift))).rounded())
    let high = (value * multiplier + 1 << 30) >> 31
    return Int((Double(high) / pow(2, Double(shift))).rounded(.toNearestOrAwayFromZero))
  }

  @Test func `numbers outside of 2^-32 to 1 are no fixed-point numbers`() {
    #expect(FixedPoint(1) == nil && FixedPoint(0x1p-33) == nil && FixedPoint(.nan) == nil)
    #expect(FixedPoint(1 - 0x1p-40) == nil, "it would be rounded to 1")
    #expect(FixedPoint(0x1p-32) != nil && FixedPoint(1 - 0x1p-31) != nil)
  }

  @Test(arguments: InstructionSet.available, [1, 3, 16, 31, 32, 33, 100, 300])
  func `sums, products, tables and conversions equal their formulas`(
    instructionSet: InstructionSet, count: Int
  ) throws {
    var generator = SeededGenerator(seed: UInt64(count))
    func integers() -> [Int] {
      (0..<count).map { _ in Int.random(in: -128...127, using: &generator) }
    }
    let (a, b) = (integers(), integers())
    let storedA = Self.stored(a, instructionSet)
    let storedB = Self.stored(b, instructionSet)
    let kernels = IntegerElementwise(instructionSet)
    func result(
      _ body: (
        UnsafeBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>, UnsafeMutableBufferPointer<UInt8>
      ) -> Void
    ) -> [UInt8] {
      var y = storedB
      storedA.withUnsafeBufferPointer { a in
        storedB.withUnsafeBufferPointer { b in y.withUnsafeMutableBufferPointer { body(a, b, $0) } }
      }
      return y
    }

    let sum = try #require(
      IntegerElementwise.Sum(
        scales: (0.7, -0.25), zeroPoints: (5, -9), zeroPoint: 11, range: -128...100))
    let added = result { kernels.apply(.sum(sum), $0, $1, into: $2) }
    // 0.7 has 20 fraction bits more than its exponent of -1.
    let (p, q) = (Int((0.7 as Float * 0x1p21).rounded()), -(1 << 19))
    #expect(
      added
        == Self.stored(
          zip(a, b).map { a, b in
            min(max((((a - 5) * p + (b + 9) * q + 1 << 20) >> 21) + 11, -128), 100)
          }, instructionSet))

    let output = QS8Output(zeroPoint: -7, range: -128...60)
    let product = IntegerElementwise.Product(zeroPoints: (5, -9), scale: 0.01, output)
    #expect(
      result { kernels.apply(.product(product), $0, $1, into: $2) }
        == Self.stored(
          zip(a, b).map { Self.requantized(Float(($0 - 5) * ($1 + 9)) * 0.01, -7, -128...60) },
          instructionSet))
    let difference = try #require(
      IntegerElementwise.SquaredDifference(
        scales: (0.02, 0.05), zeroPoints: (5, -9), scale: 0.3, zeroPoint: -100))
    #expect(
      result { kernels.apply(.squaredDifference(difference), $0, $1, into: $2) }
        == Self.stored(
          zip(a, b).map { a, b in
            let difference =
              Self.scaled((a - 5) << 7, Double(0.02 as Float) / Double(0.1 as Float))
              - Self.scaled((b + 9) << 7, 0.5)
            let factor = 4 * pow(Double(0.05 as Float), 2) / 0x1p14 / Double(0.3 as Float)
            let square = Self.scaled(difference * difference, factor)
            return min(max(square - 100, -128), 127)
          }, instructionSet))
    #expect(
      result { a, _, y in kernels.flip(a, into: y) } == storedA.map { $0 ^ 0x80 })

    // In place.
    let table = (0..<256).map { UInt8(truncatingIfNeeded: $0 * 167 + 41) }
    var looked = storedA
    table.withUnsafeBufferPointer { table in
      looked.withUnsafeMutableBufferPointer {
        kernels.look(up: UnsafeBufferPointer($0), in: table, into: $0)
      }
    }
    #expect(looked == storedA.map { table[Int($0)] })

    var reals = [Float](repeating: 0, count: count)
    storedA.withUnsafeBufferPointer { a in
      reals.withUnsafeMutableBufferPointer {
        kernels.dequantize(a, zeroPoint: 5, scale: 0.3, into: $0)
      }
    }
    #expect(reals == a.map { Float($0 - 5) * 0.3 })
    let scale = try #require(FixedPoint(0.0123))
    let wholes = a.indices.map { Float(a[$0] * b[$0] * ($0 % 3 == 0 ? 100 : 1)) }
    let scaled = result { _, _, y in
      wholes.withUnsafeBufferPointer { kernels.quantize($0, scale: scale, zeroPoint: 3, into: y) }
    }
    #expect(
      scaled
        == Self.stored(
          wholes.map { min(max(Self.scaled(Int($0), 0.0123) + 3, -128), 127) }, instructionSet))
    reals[0] = .nan
    let odd: [Float] = [.infinity, -.infinity, 1e30]
    for (index, value) in odd.enumerated() where index + 1 < count {
      reals[index + 1] = value
    }
    let bytes = result { _, _, y in
      reals.withUnsafeBufferPointer {
        kernels.quantize($0, inverseScale: 2, output, into: y)
      }
    }
    let expected = reals.map { value -> Int in
      value.isNaN ? -128 : Self.requantized(value * 2, -7, -128...60)
    }
    #expect(bytes == Self.stored(expected, instructionSet))
    var wide = [Int16](repeating: 0, count: count)
    reals.withUnsafeBufferPointer { reals in
      wide.withUnsafeMutableBufferPointer { kernels.quantize(reals, inverseScale: 2, into: $0) }
    }
    #expect(
      wide
        == reals.map { value in
          value.isNaN
            ? -32768 : Int16(min(max((value * 2).rounded(.toNearestOrEven), -32768), 32767))
        })
  }
}
