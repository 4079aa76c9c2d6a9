import Kernels
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
      let packed = FloatDepthwiseWeights(
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
    let packed = FloatDepthwiseWeights(
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
  func `pools are maxima and means of what the window sees`(instructionSet: InstructionSet) {
    for shape in DepthwiseTests.shapes {
      var generator = SeededGenerator(seed: UInt64(shape.channels))
      let input = generator.floats(shape.count)
      let window = ImageWindow(
        rows: 3, columns: 3, rowStep: shape.rowPitch, columnStep: shape.channels)
      for isMaximum in [true, false] {
        var output = [Float](repeating: 0, count: shape.pixels * shape.channels)
        input.withUnsafeBufferPointer { input in
          output.withUnsafeMutableBufferPointer { output in
            FloatPool(instructionSet).pool(
              isMaximum: isMaximum, pixels: shape.pixels, channels: shape.channels,
              window: window, input: input, pixelStride: shape.channels, factor: 1 / 9,
              into: output)
          }
        }
        for (index, y) in output.enumerated() {
          let (pixel, channel) = index.quotientAndRemainder(dividingBy: shape.channels)
          let first = pixel * shape.channels + channel
          let values: [Float] = shape.tapOffsets.map { input[first + $0] }
          let mean: Float = values.reduce(0, +) * (1 / 9)
          #expect(y == (isMaximum ? values.max()! : mean), "\(shape)")
        }
      }
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
      let packed = DepthwiseWeights(
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
