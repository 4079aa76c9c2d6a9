import QDKernels
import QDMemory

/// What a quantization gave, as qd8 values whichever way the instruction set stores its bytes.
struct Quantized: Equatable {
  var bytes: [UInt8]
  var parameters: [QuantizationParameters]
  var rows: [Reference.Row]

  static func == (left: Quantized, right: Quantized) -> Bool {
    left.rows.count == right.rows.count
      && zip(left.rows, right.rows).allSatisfy {
        $0.bytes == $1.bytes && $0.zeroPoint == $1.zeroPoint
          && $0.inverseScale.bitPattern == $1.inverseScale.bitPattern
      }
  }

  init(
    rowsOf input: [Float], _ rows: Int, columns: Int, stride: Int? = nil,
    with instructionSet: InstructionSet
  ) {
    var bytes = [UInt8](repeating: 0, count: rows * columns)
    var parameters = [QuantizationParameters](repeating: .init(), count: rows)
    input.withUnsafeBufferPointer { input in
      bytes.withUnsafeMutableBufferPointer { bytes in
        parameters.withUnsafeMutableBufferPointer { parameters in
          DynamicQuantization(instructionSet).quantizeRows(
            rows, columns: columns, input: input, inputStride: stride ?? columns, output: bytes,
            outputStride: columns, parameters: parameters)
        }
      }
    }
    self.init(bytes, parameters, rows: rows, columns: columns, instructionSet)
  }

  init(
    imageOf input: [Float], _ rows: Int, columns: Int, stride: Int? = nil,
    with instructionSet: InstructionSet
  ) {
    var bytes = [UInt8](repeating: 0, count: rows * columns)
    let parameters = input.withUnsafeBufferPointer { input in
      bytes.withUnsafeMutableBufferPointer { bytes in
        DynamicQuantization(instructionSet).quantizeImage(
          rows: rows, columns: columns, input: input, inputStride: stride ?? columns,
          output: bytes, outputStride: columns)
      }
    }
    self.init(bytes, [parameters], rows: rows, columns: columns, instructionSet)
  }

  /// Rows that lie in up to four parts of `counts` values.
  init(partsOf parts: [[Float]], _ counts: [Int], rows: Int, with instructionSet: InstructionSet) {
    let columns = counts.reduce(0, +)
    let owned = AlignedBuffer(parts.flatMap { $0 })
    var bytes = [UInt8](repeating: 0, count: rows * columns)
    var parameters = [QuantizationParameters](repeating: .init(), count: rows)
    let all = UnsafeBufferPointer(owned.elements)
    let none = DynamicQuantization.RowPart(UnsafeBufferPointer(rebasing: all[0..<0]), count: 0)
    var rowParts = InlineArray<4, DynamicQuantization.RowPart>(repeating: none)
    var first = 0
    for (index, count) in counts.enumerated() {
      rowParts[index] = DynamicQuantization.RowPart(
        UnsafeBufferPointer(rebasing: all[first..<first + rows * count]), count: count)
      first += rows * count
    }
    bytes.withUnsafeMutableBufferPointer { bytes in
      parameters.withUnsafeMutableBufferPointer { parameters in
        DynamicQuantization(instructionSet).quantizeGatheredRows(
          rows, parts: rowParts, partCount: counts.count, output: bytes, parameters: parameters)
      }
    }
    self.init(bytes, parameters, rows: rows, columns: columns, instructionSet)
    withExtendedLifetime(owned) {}
  }

  private init(
    _ bytes: [UInt8], _ parameters: [QuantizationParameters], rows: Int, columns: Int,
    _ instructionSet: InstructionSet
  ) {
    let isUnsigned = instructionSet.storesUnsigned
    self.bytes = bytes
    self.parameters = parameters
    self.rows = (0..<rows).map { row in
      let own = parameters[parameters.count == 1 ? 0 : row]
      return Reference.Row(
        bytes: bytes[row * columns..<(row + 1) * columns].map {
          isUnsigned ? Int($0) - 128 : Int(Int8(bitPattern: $0))
        },
        zeroPoint: Int(own.zeroPoint) - (isUnsigned ? 128 : 0), inverseScale: own.inverseScale)
    }
  }
}
