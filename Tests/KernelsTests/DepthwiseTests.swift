import QDKernels
import Seeded
import Testing

@Suite struct DepthwiseTests {
  /// 3 by 3 taps over an image of `pixels` + 2 columns and 3 rows.
  struct Shape {
    var channels: Int
    var pixels: Int
    var rowPitch: Int { (pixels + 2) * channels }
    var count: Int { 3 * rowPitch }
    /// How the kernels of bytes read them.
    let taps = DepthwiseTaps(height: 3, width: 3)
    var tapOffsets: [Int] {
      (0..<9).map { $0 / 3 * rowPitch + $0 % 3 * channels }
    }
  }

  static let shapes = [1, 3, 8, 16, 31, 32, 33, 64, 70, 144].map { Shape(channels: $0, pixels: 5) }

  @Test(arguments: InstructionSet.available)
  func `a float depthwise row equals the formula bit for bit`(instructionSet: InstructionSet) {
    for shape in DepthwiseTests.shapes {
      var generator = SeededGenerator(seed: UInt64(shape.channels))
      let weights = generator.floats(9 * shape.channels)
      let bias = generator.floats(shape.channels)
      let input = generator.floats(shape.count)
      let packed = F32DepthwiseWeights(
        weights, kernelRows: 3, kernelColumns: 3, channels: shape.channels, bias: bias,
        instructionSet: instructionSet)
      var output = [Float](repeating: 0, count: shape.pixels * shape.channels)
      input.withUnsafeBufferPointer { input in
        output.withUnsafeMutableBufferPointer { output in
          packed.convolve(
            pixels: shape.pixels,
            window: ImageWindow(
              rows: 3, columns: 3, rowStep: shape.rowPitch, columnStep: shape.channels),
            first: (0, 0), input: input, pixelStride: shape.channels, output: output,
            outputStride: shape.channels, minimum: -0.5, maximum: 6)
        }
      }
      for (index, y) in output.enumerated() {
        let (pixel, channel) = index.quotientAndRemainder(dividingBy: shape.channels)
        let values = shape.tapOffsets.map { input[pixel * shape.channels + $0 + channel] }
        let own = (0..<9).map { weights[$0 * shape.channels + channel] }
        let expected = Reference.product(
          values[...], own[...], bias: bias[channel], minimum: -0.5, maximum: 6,
          with: instructionSet)
        #expect(y == expected, "\(shape)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `a part of a float kernel applies the taps that it has`(instructionSet: InstructionSet) {
    let channels = 5
    let weights: [Float] = (1...9).flatMap { Array(repeating: Float($0), count: channels) }
    let packed = F32DepthwiseWeights(
      weights, kernelRows: 3, kernelColumns: 3, channels: channels,
      instructionSet: instructionSet)
    // The lower right quarter of the kernel, whose taps are 5, 6, 8 and 9.
    let input: [Float] = [1, 10, 100, 1000].flatMap { Array(repeating: $0, count: channels) }
    var output = [Float](repeating: 0, count: channels)
    input.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        packed.convolve(
          pixels: 1,
          window: ImageWindow(rows: 2, columns: 2, rowStep: 2 * channels, columnStep: channels),
          first: (1, 1), input: input, pixelStride: channels, output: output,
          outputStride: channels)
      }
    }
    #expect(output == Array(repeating: 9865, count: channels))
  }

  @Test(arguments: InstructionSet.available)
  func `maxima are of what the window sees`(instructionSet: InstructionSet) {
    for shape in DepthwiseTests.shapes {
      var generator = SeededGenerator(seed: UInt64(shape.channels))
      let input = generator.floats(shape.count)
      var output = [Float](repeating: 0, count: shape.pixels * shape.channels)
      input.withUnsafeBufferPointer { input in
        output.withUnsafeMutableBufferPointer {
          FloatPool(instructionSet).maximum(
            pixels: shape.pixels, channels: shape.channels,
            window: ImageWindow(
              rows: 3, columns: 3, rowStep: shape.rowPitch, columnStep: shape.channels),
            input: input, pixelStride: shape.channels, into: $0)
        }
      }
      for (index, y) in output.enumerated() {
        #expect(y == shape.tapOffsets.map { input[index + $0] }.max()!, "\(shape)")
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `means add nine taps at a time, column by column`(instructionSet: InstructionSet) {
    // Whole kernels and parts of them at an edge.
    for (rows, columns, kernelRows, firstRow, firstColumn) in [
      (3, 3, 3, 0, 0), (2, 3, 3, 1, 0), (2, 2, 3, 1, 1), (8, 8, 8, 0, 0), (1, 20, 1, 0, 0),
      (4, 3, 7, 2, 5),
    ] {
      for (channels, pixels) in [(1, 2), (3, 1), (16, 3), (33, 2)] {
        var generator = SeededGenerator(seed: UInt64(channels + rows))
        let pitch = (columns + pixels - 1) * channels
        let input = generator.floats(rows * pitch)
        var output = [Float](repeating: 0, count: pixels * channels)
        input.withUnsafeBufferPointer { input in
          output.withUnsafeMutableBufferPointer {
            FloatPool(instructionSet).mean(
              pixels: pixels, channels: channels,
              window: ImageWindow(
                rows: rows, columns: columns, rowStep: pitch, columnStep: channels),
              kernelRows: kernelRows, first: (firstRow, firstColumn), input: input,
              pixelStride: channels,
              factor: 0.3, into: $0)
          }
        }
        for (index, y) in output.enumerated() {
          var taps = [Float](
            repeating: 0, count: ((firstColumn + columns) * kernelRows + 8) / 9 * 9)
          for row in 0..<rows {
            for column in 0..<columns {
              let tap = (firstColumn + column) * kernelRows + firstRow + row
              taps[tap] = input[row * pitch + column * channels + index]
            }
          }
          var sum: Float = 0
          for start in stride(from: 0, to: taps.count, by: 9) {
            let v = Array(taps[start..<start + 9])
            let middle: Float = (v[2] + v[3]) + (v[4] + v[5])
            let ends: Float = (v[0] + v[1]) + v[8]
            let rest: Float = ends + (v[6] + v[7])
            sum += middle + rest
          }
          #expect(y == sum * 0.3, "\(rows) \(columns) \(kernelRows) \(channels)")
        }
      }
    }
  }

  @Test(arguments: InstructionSet.available)
  func `rows are added in their order`(instructionSet: InstructionSet) {
    for count in [1, 3, 16, 31, 64, 70] {
      var generator = SeededGenerator(seed: UInt64(count))
      let input = generator.floats(7 * count)
      var output = [Float](repeating: 0, count: count)
      input.withUnsafeBufferPointer { input in
        output.withUnsafeMutableBufferPointer {
          FloatPool(instructionSet).sumRows(input, factor: 0.3, into: $0)
        }
      }
      let sums = (0..<count).map { column in
        (0..<7).reduce(Float(0)) { $0 + input[$1 * count + column] }
      }
      #expect(output == sums.map { $0 * 0.3 })
    }
  }

  @Test(arguments: InstructionSet.available)
  func `an int8 depthwise row equals the formula bit for bit`(instructionSet: InstructionSet) {
    for shape in DepthwiseTests.shapes {
      var generator = SeededGenerator(seed: UInt64(shape.channels))
      let weights = generator.weights(9 * shape.channels)
      let scales = generator.floats(shape.channels, in: 0.001...0.01)
      let bias = generator.floats(shape.channels)
      let input = generator.floats(shape.count, in: -1...2)
      let quantized = Quantized(imageOf: input, 1, columns: shape.count, with: instructionSet)
      let packed = QD8DepthwiseWeights(
        shape.taps.weights(weights, channels: shape.channels), taps: 12,
        channels: shape.channels, scales: scales, bias: bias,
        instructionSet: instructionSet)
      var output = [Float](repeating: 0, count: shape.pixels * shape.channels)
      quantized.bytes.withUnsafeBufferPointer { input in
        shape.taps.offsets(shape.tapOffsets).withUnsafeBufferPointer { offsets in
          output.withUnsafeMutableBufferPointer { output in
            packed.convolve(
              pixels: shape.pixels, input: input, pixelStride: shape.channels,
              tapOffsets: offsets, parameters: quantized.parameters[0], output: output,
              outputStride: shape.channels)
          }
        }
      }
      for (index, y) in output.enumerated() {
        let (pixel, channel) = index.quotientAndRemainder(dividingBy: shape.channels)
        var row = quantized.rows[0]
        row.bytes = shape.tapOffsets.map {
          quantized.rows[0].bytes[pixel * shape.channels + $0 + channel]
        }
        let own = (0..<9).map { weights[$0 * shape.channels + channel] }
        let expected = Reference.product(
          row, own[...], scale: scales[channel], bias: bias[channel],
          with: instructionSet)
        #expect(y == expected, "\(shape)")
      }
    }
  }
}
