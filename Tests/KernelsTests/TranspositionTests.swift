import QDKernels
import Testing

@Suite struct TranspositionTests {
  @Test(arguments: [1, 3, 4, 5, 24, 31], [1, 2, 4, 7, 48])
  func `columns become rows, and nothing else is written`(rows: Int, columns: Int) {
    let (inputStride, outputStride) = (columns + 2, rows + 3)
    let input = (0..<rows * inputStride).map(Float.init)
    var output = [Float](repeating: -1, count: columns * outputStride)
    input.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        transpose(
          rows: rows, columns: columns, input: input, inputStride: inputStride, output: output,
          outputStride: outputStride)
      }
    }
    for j in 0..<columns {
      for i in 0..<outputStride {
        let expected = i < rows ? Float(i * inputStride + j) : -1
        #expect(output[j * outputStride + i] == expected)
      }
    }
  }
}
