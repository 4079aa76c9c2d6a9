internal import QDEngine

/// A constant without its zeros, and the DENSIFY that restores them, whose output every operator of
/// LiteRT accepts.
struct SparseTensor {
  static let code = OperatorCode(builtin: 124, custom: "", version: 1)

  /// The constant; its buffer has the nonzero values.
  let tensor: FlatTable
  /// The dense tensor, without data.
  let dense: FlatTable
  private let place: Int

  /// `nil` if the zeros take fewer bytes than the indices of the other values.
  /// - Parameter place: the constant's index among the tensors of its subgraph.
  init?(_ constant: Tensor, at place: Int, _ buffers: inout BufferTable) {
    let size = constant.type.size
    guard constant.isSparseInFile, !constant.isPackedInFile, let data = constant.data,
      let columns = constant.shape.last, columns > 0, !data.isEmpty
    else { return nil }
    self.place = place
    var segments = [0]
    var indices: [Int] = []
    var values: [UInt8] = []
    for row in 0..<data.count / size / columns {
      for column in 0..<columns {
        let first = (row * columns + column) * size
        let element = data[first..<first + size]
        if element.allSatisfy({ $0 == 0 }) { continue }
        indices.append(column)
        values += element
      }
      segments.append(indices.count)
    }
    let indexSize = columns <= 256 ? 1 : columns <= 65_536 ? 2 : 4
    guard values.count + indices.count * indexSize + 4 * segments.count < data.count else {
      return nil
    }
    var metadata: [FlatTable] = constant.shape.dropLast().map { [0: .uint8(0), 1: .int($0)] }
    metadata.append([
      0: .uint8(1), 2: .uint8(1), 3: .table([0: .int32s(segments.map(Int32.init))]),
      4: .uint8(UInt8([4: 1, 2: 2, 1: 3][indexSize] ?? 1)),
      5: .table([0: Self.vector(indices, size: indexSize)]),
    ])
    var stored = constant
    stored.name += "/sparse"
    stored.data = values
    var table = TFLiteFile.encode(stored, &buffers)
    table[6] = .table([
      0: .int32s(constant.shape.indices.map(Int32.init)), 2: .tables(metadata),
    ])
    tensor = table
    var empty = constant
    empty.data = nil
    dense = TFLiteFile.encode(empty, &buffers)
  }

  /// - Parameter stored: the index of the appended constant.
  func densify(_ stored: Int, _ codes: inout [OperatorCode]) -> FlatTable {
    [
      0: .int(codes.position(Self.code)), 1: .int32s([Int32(stored)]),
      2: .int32s([Int32(place)]),
    ]
  }

  private static func vector(_ values: [Int], size: Int) -> FlatValue {
    switch size {
    case 1: .bytes(values.map(UInt8.init), alignment: 4)
    case 2: .uint16s(values.map(UInt16.init))
    default: .int32s(values.map(Int32.init))
    }
  }
}
