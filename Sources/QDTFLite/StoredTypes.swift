internal import QDEngine
import QDMessages

/// Types of constants that graphs lack; such constants are converted when a file is read.
enum StoredType: UInt8 {
  case int4 = 17
  case bfloat16 = 18
  case int2 = 19

  /// The type after the conversion.
  var restored: ElementType { self == .bfloat16 ? .float32 : .int8 }

  /// Little-endian elements of the converted type; `nil` if the bytes are not `count` elements. The
  /// first of several in a byte has its lowest bits.
  func restore(_ data: [UInt8], count: Int) -> [UInt8]? {
    switch self {
    case .bfloat16:
      guard data.count.isMultiple(of: 2), data.count / 2 == count else { return nil }
      return (0..<count).flatMap { [0, 0, data[2 * $0], data[2 * $0 + 1]] }
    case .int4: return Self.signed(data, count: count, bits: 4)
    case .int2: return Self.signed(data, count: count, bits: 2)
    }
  }

  private static func signed(_ data: [UInt8], count: Int, bits: Int) -> [UInt8]? {
    let perByte = 8 / bits
    guard count <= 8 * data.count, data.count == (count + perByte - 1) / perByte else {
      return nil
    }
    return (0..<count).map { index in
      let high = data[index / perByte] << UInt8(8 - bits - index % perByte * bits)
      return UInt8(bitPattern: Int8(bitPattern: high) >> Int8(8 - bits))
    }
  }

  /// The schema's name of a type, for messages.
  static func name(_ code: UInt8) -> String {
    let names: [UInt8: String] = [
      5: "STRING", 11: "COMPLEX128", 13: "RESOURCE", 14: "VARIANT", 17: "INT4", 18: "BFLOAT16",
      19: "INT2", 20: "UINT4", 21: "FLOAT8_E4M3FN", 22: "FLOAT8_E5M2",
    ]
    return names[code] ?? "number \(code)"
  }
}

/// Weights with a scale for every `size` of them along their last dimension.
struct BlockwiseQuantization {
  /// Tensors of the subgraph.
  let scales: Int
  let zeroPoints: Int
  let size: Int

  /// From a tensor's quantization; `nil` if it has no blocks.
  init?(_ quantization: Table) throws(TFLiteError) {
    guard try quantization.scalar(4, default: UInt8(0)) == 2,
      let table = try quantization.table(5)
    else { return nil }
    scales = Int(try table.scalar(0, default: Int32(0)))
    zeroPoints = Int(try table.scalar(1, default: Int32(0)))
    size = Int(try table.scalar(2, default: Int32(0)))
  }

  /// Converts a constant to floats.
  func restore(_ index: Int, in graph: inout Graph, _ table: Table) throws(TFLiteError) {
    let tensor = graph.tensors[index]
    func damaged(_ what: UserMessage.Literal) -> TFLiteError {
      table.buffer.damaged(
        "the scales of '\(tensor.name)' in blocks: \(UserMessage(what))", at: table.start)
    }
    guard tensor.type == .int8, let data = tensor.data, let columns = tensor.shape.last else {
      throw .unsupported(
        name: graph.name,
        what: UserMessage(
          "tensor '\(tensor.name)', \(String(describing: tensor.type)) with scales in blocks,"))
    }
    guard size > 0, columns.isMultiple(of: size) else {
      throw damaged("\(columns) weights do not come in blocks of \(size)")
    }
    guard graph.tensors.indices.contains(scales), scales != index else {
      throw damaged("there is no tensor \(scales)")
    }
    guard let values = graph.tensors[scales].floats, values.count == data.count / size else {
      throw damaged(
        "'\(graph.tensors[scales].name)' is no constant of \(data.count / size) numbers")
    }
    let zeros =
      zeroPoints == 0 || !graph.tensors.indices.contains(zeroPoints)
      ? nil : graph.tensors[zeroPoints].wholeNumbers.flatMap { $0.count == values.count ? $0 : nil }
    try table.buffer.spend(4 * data.count / 8, at: table.start)
    graph.tensors[index].data = data.indices.flatMap { place in
      let block = place / size
      let whole = Int(Int8(bitPattern: data[place])) - (zeros?[block] ?? 0)
      let bits = (Float(whole) * values[block]).bitPattern
      return (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * UInt32($0))) }
    }
    graph.tensors[index].type = .float32
    graph.tensors[index].quantization = nil
    let stored = tensor.isPackedInFile ? "int4" : "int8"
    graph.tensors[index].restoredFrom = "\(stored) in blocks of \(size)"
    graph.tensors[index].isPackedInFile = false
  }
}

extension Tensor {
  /// A constant of float32 or float16 as floats.
  fileprivate var floats: [Float]? {
    guard let data else { return nil }
    func bits(_ index: Int, _ size: Int) -> UInt32 {
      (0..<size).reduce(0) { $0 | UInt32(data[size * index + $1]) << (8 * UInt32($1)) }
    }
    switch type {
    case .float32: return (0..<data.count / 4).map { Float(bitPattern: bits($0, 4)) }
    case .float16:
      return (0..<data.count / 2).map { Float(Float16(bitPattern: UInt16(bits($0, 2)))) }
    default: return nil
    }
  }

  /// A constant of int8 or int32.
  fileprivate var wholeNumbers: [Int]? {
    guard let data else { return nil }
    switch type {
    case .int8: return data.map { Int(Int8(bitPattern: $0)) }
    case .int32:
      return (0..<data.count / 4).map { index in
        Int(
          Int32(
            bitPattern: (0..<4).reduce(0) { $0 | UInt32(data[4 * index + $1]) << (8 * UInt32($1)) }
          ))
      }
    default: return nil
    }
  }
}

extension Graph {
  /// Replaces a DEQUANTIZE of a constant that was converted to float32 by that constant.
  mutating func replaceRestored(_ node: Operator) -> Bool {
    guard node.kind == .dequantize, let input = node.inputs.first, let input,
      let output = node.outputs.first, tensors.indices.contains(input),
      tensors.indices.contains(output), tensors[input].restoredFrom != nil,
      let data = tensors[input].data, tensors[output].type == .float32,
      tensors[output].shape == tensors[input].shape
    else { return false }
    tensors[output].data = data
    tensors[output].restoredFrom = tensors[input].restoredFrom
    return true
  }
}
