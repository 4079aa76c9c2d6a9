import Glibc
import QDKernels
import Seeded
import Testing

@Suite struct ElementwiseTests {
  static let unary: [Elementwise.Unary] = [
    .clamp(minimum: -0.5, maximum: 0.75), .leakyRelu(slope: 0.1), .hardSwish, .elu, .logistic,
    .tanh, .exp, .absolute, .negate, .square, .squareRoot, .reciprocalSquareRoot,
  ]

  /// Values of every size, the special ones included.
  static func values(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    let special: [Float] = [
      0, -0, .nan, .infinity, -.infinity, 87, -87, 88.4, 89, -89, -104, 1e-30, -1e-30, 1e30,
      .leastNonzeroMagnitude,
    ]
    return (0..<count).map { index in
      index < special.count
        ? special[index] : Float.random(in: -12...12, using: &generator)
    }.shuffled(using: &generator)
  }

  static func apply(
    _ operation: Elementwise.Unary, _ input: [Float], _ instructionSet: InstructionSet
  ) -> [Float] {
    var output = input
    output.withUnsafeMutableBufferPointer { output in
      Elementwise(instructionSet).apply(operation, UnsafeBufferPointer(output), into: output)
    }
    return output
  }

  static func apply(
    _ operation: Elementwise.Binary, _ left: [Float], _ right: [Float],
    _ instructionSet: InstructionSet, limit: Float = .infinity
  ) -> [Float] {
    var output = [Float](repeating: 0, count: max(left.count, right.count))
    output.withUnsafeMutableBufferPointer { output in
      left.withUnsafeBufferPointer { left in
        right.withUnsafeBufferPointer { right in
          Elementwise(instructionSet).apply(
            operation, left, right, into: output, minimum: -limit, maximum: limit)
        }
      }
    }
    return output
  }

  @Test(arguments: InstructionSet.available)
  func `functions of one value have the same bits everywhere`(instructionSet: InstructionSet) {
    for operation in ElementwiseTests.unary {
      for count in [1, 7, 8, 9, 16, 17, 33, 64, 65, 200] {
        let input = ElementwiseTests.values(count, seed: UInt64(count))
        let result = ElementwiseTests.apply(operation, input, instructionSet)
        let expected = ElementwiseTests.apply(operation, input, .scalar)
        #expect(
          areEqual(result, expected, instructionSet), "\(operation), \(count) values")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `functions of two values have the same bits everywhere`(instructionSet: InstructionSet) {
    for operation in Elementwise.Binary.allCases {
      for count in [1, 7, 8, 9, 16, 17, 33, 64, 65, 200] {
        let left = ElementwiseTests.values(count, seed: UInt64(count))
        let right = ElementwiseTests.values(count, seed: UInt64(count) + 1000)
        for (a, b) in [(left, right), (left, [1.5]), ([-1.5], right)] {
          for limit in [Float.infinity, 2] {
            let result = ElementwiseTests.apply(operation, a, b, instructionSet, limit: limit)
            let expected = ElementwiseTests.apply(operation, a, b, .scalar, limit: limit)
            #expect(
              areEqual(result, expected, instructionSet), "\(operation), \(count) values")
          }
        }
      }
    }
  }

  @Test(arguments: [1, 2, 6, 7, 15, 16, 17], [1, 3, 64, 300])
  func `rows go with rows, with a value for each and with one for all`(columns: Int, rows: Int) {
    let values = ElementwiseTests.values(rows * columns, seed: 5)
    let few = ElementwiseTests.values(rows, seed: 6)
    typealias Side = (values: [Float], stride: Int, step: Int)
    let dense: Side = (values, columns, 1)
    let sides: [(Side, Side)] = [(dense, (few, 1, 0)), ((few, 1, 0), dense), (dense, (few, 0, 0))]
    for (a, b) in sides {
      for gap in [0, 3] {
        var output = [Float](repeating: 7, count: rows * (columns + gap))
        output.withUnsafeMutableBufferPointer { output in
          a.values.withUnsafeBufferPointer { x in
            b.values.withUnsafeBufferPointer { z in
              Elementwise().apply(
                .multiply, rows: rows, columns: columns,
                Operand(x, stride: a.stride, step: a.step),
                Operand(z, stride: b.stride, step: b.step), into: output,
                outputStride: columns + gap, minimum: -20)
            }
          }
        }
        var expected = [Float](repeating: 7, count: output.count)
        for row in 0..<rows {
          for column in 0..<columns {
            let product =
              a.values[row * a.stride + column * a.step]
              * b.values[row * b.stride + column * b.step]
            expected[row * (columns + gap) + column] = product < -20 ? -20 : product
          }
        }
        #expect(areEqual(output, expected, .scalar))
      }
    }
  }

  @Test func `two values are combined as the names say`() {
    let (a, b): ([Float], [Float]) = ([1, -2, 3], [4, 5, -6])
    let expected: [(Elementwise.Binary, [Float])] = [
      (.add, [5, 3, -3]), (.subtract, [-3, -7, 9]), (.multiply, [4, -10, -18]),
      (.divide, [0.25, -0.4, -0.5]), (.squaredDifference, [9, 49, 81]), (.minimum, [1, -2, -6]),
      (.maximum, [4, 5, 3]), (.prelu, [1, -10, 3]),
    ]
    for (operation, result) in expected {
      #expect(ElementwiseTests.apply(operation, a, b, .scalar) == result)
    }
    #expect(ElementwiseTests.apply(.subtract, [1], b, .scalar) == [-3, -4, 7])
    #expect(ElementwiseTests.apply(.add, a, b, .scalar, limit: 3) == [3, 3, -3])
  }

  @Test func `curves stay within a few units in the last place`() {
    let inputs = stride(from: Float(-30), through: 30, by: 0.0137).map { $0 }
    let tiny = inputs.map { $0 * 1e-4 }
    for x in [inputs, tiny] {
      let curves: [(Elementwise.Unary, (Double) -> Double)] = [
        (.exp, { exp($0) }), (.tanh, { tanh($0) }), (.logistic, { 1 / (1 + exp(-$0)) }),
        (.elu, { $0 < 0 ? expm1($0) : $0 }),
        (.hardSwish, { $0 * min(max($0 + 3, 0), 6) / 6 }),
        (.leakyRelu(slope: 0.25), { $0 < 0 ? 0.25 * $0 : $0 }),
        (.clamp(minimum: 0, maximum: 6), { min(max($0, 0), 6) }),
      ]
      for (operation, curve) in curves {
        let result = ElementwiseTests.apply(operation, x, .scalar)
        for (value, y) in zip(x, result) {
          let expected = curve(Double(value))
          #expect(
            abs(Double(y) - expected) <= abs(expected) * 4e-7 + 1e-30,
            "\(operation) of \(value)")
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a gated recurrence is its functions one after the other, bit for bit`(
    instructionSet: InstructionSet
  ) {
    for (rows, units) in [(1, 1), (3, 7), (2, 16), (1, 17), (24, 48), (2, 31), (1, 256)] {
      let input = ElementwiseTests.values(3 * rows * units, seed: 1)
      let past = ElementwiseTests.values(3 * rows * units, seed: 2)
      let old = ElementwiseTests.values(rows * units, seed: 3)
      var state = old
      input.withUnsafeBufferPointer { input in
        past.withUnsafeBufferPointer { past in
          state.withUnsafeMutableBufferPointer { state in
            Elementwise(instructionSet).gru(
              rows: rows, units: units, input: input, past: past, reset: 2, update: 0,
              candidate: 1, state: UnsafeBufferPointer(state), into: state)
          }
        }
      }
      func part(_ values: [Float], _ place: Int) -> [Float] {
        (0..<rows).flatMap { values[(3 * $0 + place) * units..<(3 * $0 + place + 1) * units] }
      }
      func both(_ operation: Elementwise.Binary, _ a: [Float], _ b: [Float]) -> [Float] {
        ElementwiseTests.apply(operation, a, b, instructionSet)
      }
      func gate(_ place: Int) -> [Float] {
        ElementwiseTests.apply(
          .logistic, both(.add, part(input, place), part(past, place)), instructionSet)
      }
      let kept = both(.add, part(input, 1), both(.multiply, gate(2), part(past, 1)))
      let new = ElementwiseTests.apply(.tanh, kept, instructionSet)
      let expected = both(.add, new, both(.multiply, gate(0), both(.subtract, old, new)))
      #expect(areEqual(state, expected, instructionSet), "\(rows) rows of \(units)")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a memory cell and its functions give the same bits`(instructionSet: InstructionSet) {
    for (rows, units) in [(1, 1), (3, 7), (2, 16), (1, 17), (5, 48), (1, 256)] {
      let input = ElementwiseTests.values(4 * rows * units, seed: 1)
      let past = ElementwiseTests.values(4 * rows * units, seed: 2)
      let bias = ElementwiseTests.values(4 * units, seed: 4)
      let old = ElementwiseTests.values(rows * units, seed: 3)
      var memory = old
      var output = old
      input.withUnsafeBufferPointer { input in
        past.withUnsafeBufferPointer { past in
          bias.withUnsafeBufferPointer { bias in
            memory.withUnsafeMutableBufferPointer { memory in
              output.withUnsafeMutableBufferPointer { output in
                Elementwise(instructionSet).lstm(
                  rows: rows, units: units, input: input, past: past, bias: bias,
                  gates: (input: 2, forget: 0, candidate: 1, output: 3),
                  memory: UnsafeBufferPointer(memory), newMemory: memory, into: output)
              }
            }
          }
        }
      }
      func both(_ operation: Elementwise.Binary, _ a: [Float], _ b: [Float]) -> [Float] {
        ElementwiseTests.apply(operation, a, b, instructionSet)
      }
      func apply(_ function: Elementwise.Unary, _ values: [Float]) -> [Float] {
        ElementwiseTests.apply(function, values, instructionSet)
      }
      let sums = both(
        .add, both(.add, input, past), Array((0..<rows).map { _ in bias }.joined()))
      func part(_ place: Int) -> [Float] {
        (0..<rows).flatMap { sums[(4 * $0 + place) * units..<(4 * $0 + place + 1) * units] }
      }
      let kept = both(.multiply, apply(.logistic, part(0)), old)
      let added = both(.multiply, apply(.logistic, part(2)), apply(.tanh, part(1)))
      let expected = both(.add, kept, added)
      let hidden = both(.multiply, apply(.logistic, part(3)), apply(.tanh, expected))
      #expect(areEqual(memory, expected, instructionSet), "\(rows) rows of \(units)")
      #expect(areEqual(output, hidden, instructionSet), "\(rows) rows of \(units)")
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a softmax sums to one and survives large values`(instructionSet: InstructionSet) {
    for count in [1, 5, 16, 37, 96] {
      var generator = SeededGenerator(seed: UInt64(count))
      let input = generator.floats(count, in: -500...500)
      func softmax(_ instructionSet: InstructionSet) -> [Float] {
        var output = input
        output.withUnsafeMutableBufferPointer { output in
          Elementwise(instructionSet).softmax(
            UnsafeBufferPointer(output), beta: 0.5, into: output)
        }
        return output
      }
      let result = softmax(instructionSet)
      #expect(areEqual(result, softmax(.scalar), instructionSet))
      #expect(abs(result.reduce(0, +) - 1) < 1e-5)
      let greatest = input.max()!
      let terms = input.map { exp(0.5 * Double($0 - greatest)) }
      let sum = terms.reduce(0, +)
      for (y, term) in zip(result, terms) { #expect(abs(Double(y) - term / sum) < 1e-6) }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `sums have the same bits everywhere`(instructionSet: InstructionSet) {
    for count in [0, 1, 15, 16, 17, 31, 32, 100] {
      var generator = SeededGenerator(seed: UInt64(count))
      let input = generator.floats(count)
      let (sum, expected) = input.withUnsafeBufferPointer {
        (Elementwise(instructionSet).sum($0), Elementwise(.scalar).sum($0))
      }
      #expect(sum.bitPattern == expected.bitPattern)
      #expect(abs(sum - input.reduce(0, +)) < 1e-5)
    }
  }

  /// Whether the bits are the same; where products are not fused, whether the values are within a
  /// few units in the last place. Which NaN an operation gives is not specified.
  private func areEqual(
    _ result: [Float], _ expected: [Float], _ instructionSet: InstructionSet
  ) -> Bool {
    zip(result, expected).allSatisfy { y, expected in
      if y.isNaN || expected.isNaN { return y.isNaN && expected.isNaN }
      if y.bitPattern == expected.bitPattern { return true }
      return !instructionSet.fusesMultiplyAdd && abs(y - expected) <= abs(expected) * 1e-6
    }
  }
}
