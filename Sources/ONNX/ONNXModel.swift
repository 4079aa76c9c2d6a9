/// What a file says, by the field numbers of onnx.proto (ONNX 1.x, IR version 3 and later).
struct ONNXModel {
  var name: String
  /// The version of the default operator set.
  var operatorSet = 0
  var nodes: [Node] = []
  var constants: [String: Constant] = [:]
  var inputs: [Port] = []
  var outputs: [Port] = []

  struct Port {
    var name: String
    /// Extents; `nil` for one that only the caller knows.
    var shape: [Int?]
    var isFloat: Bool
  }

  struct Node {
    var name = ""
    var kind = ""
    var domain = ""
    /// "" where an optional one is left out.
    var inputs: [String] = []
    var outputs: [String] = []
    var attributes: [String: Attribute] = [:]
  }

  enum Attribute {
    case integer(Int)
    case float(Float)
    case string(String)
    case integers([Int])
    case floats([Float])
    case constant(Constant)
    /// A graph and the like.
    case other
  }

  /// A tensor of known values.
  struct Constant {
    var shape: [Int]
    var values: Values
    /// By the numbers of onnx.proto: 2 is uint8, 3 int8, 5 int16; 0 for what is computed here.
    var elementType = 0
    /// Of weights that stand in 8 bits: their steps, one for all or one per output channel.
    var steps: [Float] = []

    enum Values {
      case floats([Float])
      case integers([Int])
    }
  }
}

extension ONNXModel {
  init(_ bytes: [UInt8], name: String) throws(ONNXError) {
    self.name = name
    var reader = ProtobufReader(bytes, name: name)
    var hasGraph = false
    while let field = try reader.next() {
      switch field.number {
      case 7:
        try readGraph(try reader.message(field))
        hasGraph = true
      case 8:
        let (domain, version) = try Self.operatorSet(try reader.message(field))
        if domain.isEmpty || domain == "ai.onnx" { operatorSet = version }
      default: break
      }
    }
    guard hasGraph, operatorSet > 0 else { throw .notONNX(name: name) }
  }

  private static func operatorSet(
    _ message: ProtobufReader
  ) throws(ONNXError) -> (domain: String, version: Int) {
    var message = message
    var result = (domain: "", version: 0)
    while let field = try message.next() {
      if field.number == 1 { result.domain = try message.string(field) }
      if field.number == 2 { result.version = try message.integer(field) }
    }
    return result
  }

  private mutating func readGraph(_ message: ProtobufReader) throws(ONNXError) {
    var message = message
    while let field = try message.next() {
      switch field.number {
      case 1: nodes.append(try Self.node(try message.message(field)))
      case 5:
        let (name, constant) = try self.constant(try message.message(field))
        constants[name] = constant
      case 11: inputs.append(try Self.port(try message.message(field)))
      case 12: outputs.append(try Self.port(try message.message(field)))
      default: break
      }
    }
    // Older files list constants among the inputs.
    inputs.removeAll { constants[$0.name] != nil }
  }

  private static func node(_ message: ProtobufReader) throws(ONNXError) -> Node {
    var message = message
    var node = Node()
    while let field = try message.next() {
      switch field.number {
      case 1: node.inputs.append(try message.string(field))
      case 2: node.outputs.append(try message.string(field))
      case 3: node.name = try message.string(field)
      case 4: node.kind = try message.string(field)
      case 5:
        let (name, value) = try attribute(try message.message(field))
        node.attributes[name] = value
      case 7: node.domain = try message.string(field)
      default: break
      }
    }
    if node.name.isEmpty { node.name = node.outputs.first ?? "" }
    return node
  }

  private static func attribute(
    _ message: ProtobufReader
  ) throws(ONNXError) -> (String, Attribute) {
    var message = message
    var (name, kind) = ("", 0)
    var (integers, floats): ([Int], [Float]) = ([], [])
    var result: [Int: Attribute] = [:]
    while let field = try message.next() {
      switch field.number {
      case 1: name = try message.string(field)
      case 20: kind = try message.integer(field)
      case 2: result[1] = .float(try message.float(field))
      case 3: result[2] = .integer(try message.integer(field))
      case 4: result[3] = .string(try message.string(field))
      case 5:
        result[4] = .constant(try tensor(try message.message(field)).1)
      case 7: floats += try message.floats(field)
      case 8: integers += try message.integers(field)
      default: break
      }
    }
    result[6] = .floats(floats)
    result[7] = .integers(integers)
    // A value of 0 need not be written.
    if kind == 1 { result[1] = result[1] ?? .float(0) }
    if kind == 2 { result[2] = result[2] ?? .integer(0) }
    if kind == 3 { result[3] = result[3] ?? .string("") }
    return (name, result[kind] ?? .other)
  }

  private static func port(_ message: ProtobufReader) throws(ONNXError) -> Port {
    var message = message
    var port = Port(name: "", shape: [], isFloat: false)
    while let field = try message.next() {
      if field.number == 1 { port.name = try message.string(field) }
      guard field.number == 2 else { continue }
      var type = try message.message(field)
      while let field = try type.next() {
        guard field.number == 1 else { continue }
        var tensor = try type.message(field)
        while let field = try tensor.next() {
          if field.number == 1 { port.isFloat = try tensor.integer(field) == 1 }
          if field.number == 2 { port.shape = try shape(try tensor.message(field)) }
        }
      }
    }
    return port
  }

  private static func shape(_ message: ProtobufReader) throws(ONNXError) -> [Int?] {
    var message = message
    var result: [Int?] = []
    while let field = try message.next() {
      guard field.number == 1 else { continue }
      var dimension = try message.message(field)
      var extent: Int?
      while let field = try dimension.next() {
        if field.number == 1 { extent = try dimension.integer(field) }
      }
      result.append(extent)
    }
    return result
  }

  private func constant(_ message: ProtobufReader) throws(ONNXError) -> (String, Constant) {
    try Self.tensor(message)
  }

  /// A tensor with its name.
  private static func tensor(_ message: ProtobufReader) throws(ONNXError) -> (String, Constant) {
    var message = message
    var (name, type, raw) = ("", 0, [UInt8]())
    var (shape, integers): ([Int], [Int]) = ([], [])
    var floats: [Float] = []
    var doubles: [Double] = []
    while let field = try message.next() {
      switch field.number {
      case 1: shape += try message.integers(field)
      case 2: type = try message.integer(field)
      case 4: floats += try message.floats(field)
      case 5, 7: integers += try message.integers(field)
      case 8: name = try message.string(field)
      case 9: raw = try message.data(field)
      case 10:
        let words = try message.data(field)
        doubles += words.words(UInt64.self).map(Double.init(bitPattern:))
      case 14 where try message.integer(field) == 1:
        throw .unusable(
          name: name, reason: "its weights are in another file; save it with all of them inside")
      default: break
      }
    }
    let values: Constant.Values
    switch type {
    case 1:
      values = .floats(raw.isEmpty ? floats : raw.words(UInt32.self).map(Float.init(bitPattern:)))
    case 11:
      values = .floats(
        raw.isEmpty
          ? doubles.map { Float($0) }
          : raw.words(UInt64.self).map { Float(Double(bitPattern: $0)) })
    case 10:
      values = .floats(
        raw.isEmpty
          ? integers.map { Float(Float16(bitPattern: UInt16(truncatingIfNeeded: $0))) }
          : raw.words(UInt16.self).map { Float(Float16(bitPattern: $0)) })
    case 7:
      values = .integers(
        raw.isEmpty ? integers : raw.words(UInt64.self).map { Int(Int64(bitPattern: $0)) })
    case 6:
      values = .integers(
        raw.isEmpty ? integers : raw.words(UInt32.self).map { Int(Int32(bitPattern: $0)) })
    case 9, 2: values = .integers(raw.isEmpty ? integers : raw.map(Int.init))
    case 3: values = .integers(raw.isEmpty ? integers : raw.map { Int(Int8(bitPattern: $0)) })
    case 5:
      values = .integers(
        raw.isEmpty ? integers : raw.words(UInt16.self).map { Int(Int16(bitPattern: $0)) })
    default: throw .unusable(name: name, reason: "a constant has the element type \(type)")
    }
    let constant = Constant(shape: shape, values: values, elementType: type)
    guard shape.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }), shape.count <= 16,
      shape.reduce(1.0, { $0 * Double($1) }) == Double(constant.count)
    else { throw message.damaged() }
    return (name, constant)
  }
}

extension ONNXModel.Constant {
  var count: Int {
    switch values {
    case .floats(let values): values.count
    case .integers(let values): values.count
    }
  }

  var floats: [Float] {
    switch values {
    case .floats(let values): values
    case .integers(let values): values.map { Float($0) }
    }
  }

  /// `nil` for floats.
  var integers: [Int]? {
    if case .integers(let values) = values { values } else { nil }
  }
}

extension [UInt8] {
  /// The little-endian elements.
  fileprivate func words<T: FixedWidthInteger & UnsignedInteger>(_: T.Type) -> [T] {
    let size = MemoryLayout<T>.size
    return (0..<count / size).map { index in
      (0..<size).reduce(T(0)) { $0 | T(self[index * size + $1]) << T(8 * $1) }
    }
  }
}
