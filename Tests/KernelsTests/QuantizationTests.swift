import QDKernels
import Seeded
import Testing

@Suite struct QuantizationTests {
  static let lengths = [1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, 65, 96, 144, 255, 513]

  @Test(arguments: InstructionSet.available)
  func `rows are quantized by the formula`(instructionSet: InstructionSet) {
    for columns in QuantizationTests.lengths {
      let seed = UInt64(columns)
      var generator = SeededGenerator(seed: seed)
      let shift = Float.random(in: -2...2, using: &generator)
      let stride = columns + columns % 3
      let input = generator.floats(5 * stride, in: (shift - 1)...(shift + 1))
      let result = Quantized(
        rowsOf: input, 5, columns: columns, stride: stride, with: instructionSet)
      for row in 0..<5 {
        let expected = Reference.quantize(Array(input[row * stride..<row * stride + columns]))
        #expect(result.rows[row] == expected, "seed \(seed), row \(row)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `an image has one pair of parameters`(instructionSet: InstructionSet) {
    for columns in QuantizationTests.lengths {
      var generator = SeededGenerator(seed: UInt64(columns))
      for stride in [columns, columns + 5] {
        let input = generator.floats(3 * stride, in: -3...1)
        let result = Quantized(
          imageOf: input, 3, columns: columns, stride: stride, with: instructionSet)
        let dense = (0..<3).flatMap { input[$0 * stride..<$0 * stride + columns] }
        let expected = Reference.quantize(dense)
        #expect(result.rows.flatMap(\.bytes) == expected.bytes, "columns \(columns)")
        #expect(result.rows[2].zeroPoint == expected.zeroPoint)
        #expect(result.rows[2].inverseScale == expected.inverseScale)
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `ties go to the even byte`(instructionSet: InstructionSet) {
    // A range of exactly 255 makes the scale 1, so that halves are ties.
    let halves = (-100...100).map { Float($0) + 0.5 }
    let input = halves + [-128, 127]
    let result = Quantized(rowsOf: input, 1, columns: input.count, with: instructionSet)
    #expect(result.rows[0].inverseScale == 1)
    #expect(result.rows[0].zeroPoint == 0)
    #expect(
      result.rows[0].bytes.dropLast(2) == halves.map { Int($0.rounded(.toNearestOrEven)) }[...])
  }

  @Test(arguments: InstructionSet.available)
  func `a row of zeros is the zero byte with a scale of one`(instructionSet: InstructionSet) {
    let result = Quantized(rowsOf: [0, -0, 0], 1, columns: 3, with: instructionSet)
    #expect(result.rows[0].inverseScale == 1)
    #expect(result.bytes.allSatisfy { $0 == result.parameters[0].zeroByte })
  }

  @Test(arguments: InstructionSet.available)
  func `values without a number are the same bytes everywhere`(instructionSet: InstructionSet) {
    let odd: [Float] = [
      .nan, -.nan, .infinity, -.infinity, .leastNonzeroMagnitude, -.leastNormalMagnitude,
      .greatestFiniteMagnitude, -.greatestFiniteMagnitude, 0, -0, 1, -1,
    ]
    var generator = SeededGenerator(seed: 12)
    for length in [1, 5, 8, 16, 20, 33, 70] {
      for _ in 0..<50 {
        let input = (0..<length).map { _ in odd.randomElement(using: &generator)! }
        let expected = Quantized(rowsOf: input, 1, columns: length, with: .scalar)
        #expect(Quantized(rowsOf: input, 1, columns: length, with: instructionSet) == expected)
        #expect(Quantized(imageOf: input, 1, columns: length, with: instructionSet) == expected)
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `NaN is left out of the range and becomes the least byte`(instructionSet: InstructionSet) {
    let result = Quantized(rowsOf: [.nan, 1, -1, .nan], 1, columns: 4, with: instructionSet)
    #expect(result.rows[0].inverseScale == 1 / (255 / Float(2)))
    #expect(result.rows[0].bytes[0] == -128)
    #expect(result.rows[0].bytes[3] == -128)
  }

  @Test(arguments: InstructionSet.available)
  func `rows in parts are quantized as if they stood in one`(instructionSet: InstructionSet) {
    var generator = SeededGenerator(seed: 6)
    for (rows, counts) in [(1, [3]), (7, [32, 5]), (8, [1, 48, 31]), (21, [16, 9, 40, 2])] {
      let parts = counts.map { generator.floats(rows * $0, in: -1...2) }
      let whole = (0..<rows).flatMap { row in
        zip(parts, counts).flatMap { part, count in part[row * count..<(row + 1) * count] }
      }
      let columns = counts.reduce(0, +)
      let expected = Quantized(rowsOf: whole, rows, columns: columns, with: instructionSet)
      let result = Quantized(partsOf: parts, counts, rows: rows, with: instructionSet)
      #expect(result == expected, "\(counts)")
    }
  }
}
