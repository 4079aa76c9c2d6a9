import QDKernels
import Testing

@Suite struct RowCopyTests {
  @Test(arguments: [1, 2, 3, 4, 6, 12, 16, 24, 40, 511, 512, 600], [1, 2, 5])
  func `rows are copied, and nothing else is written`(size: Int, rows: Int) {
    let (inputStride, outputStride) = (size + 3, size + 1)
    let input = (0..<rows * inputStride).map { UInt8(truncatingIfNeeded: $0 * 7 + 1) }
    var output = [UInt8](repeating: 0, count: rows * outputStride)
    input.withUnsafeBufferPointer { input in
      output.withUnsafeMutableBufferPointer { output in
        copyRows(
          rows, size: size, input: input, inputStride: inputStride, output: output,
          outputStride: outputStride)
      }
    }
    for row in 0..<rows {
      let (from, to) = (row * inputStride, row * outputStride)
      #expect(output[to..<to + size] == input[from..<from + size])
      #expect(output[to + size] == 0)
    }
  }
}
