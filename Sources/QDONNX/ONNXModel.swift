/// The contents of a file, by the field numbers of onnx.proto (ONNX 1.x, IR version 3 and later).
struct ONNXModel {
  var name: String
  /// The version of the default operator set.
  var operatorSet = 0
  var body = Body()

  /// A graph: the main one, or a branch of a node.
  struct Body {
    var nodes: [Node] = []
    var constants: [String: Constant] = [:]
    var inputs: [Port] = []
    var outputs: [Port] = []
  }

  struct Port {
    var name: String
    /// Extents; `nil` for open ones.
    var shape: [Int?]
    /// By the numbers of onnx.proto: 1 is float32, 7 int64.
    var elementType: Int
  }

  struct Node {
    var name = ""
    var kind = ""
    var domain = ""
    /// "" for an omitted optional input.
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
    case strings([String])
    case constant(Constant)
    case body(Body)
    /// A sparse tensor or another unsupported attribute.
    case other
  }

  /// A constant tensor.
  struct Constant {
    var shape: [Int]
    var values: Values
    /// By the numbers of onnx.proto: 2 is uint8, 3 int8, 5 int16, 9 bool; 0 for a computed
    /// constant.
    var elementType = 0
    /// Where external values are.
    var external: External?
    /// The steps of weights that were stored in 8 bits, one for all or one per output channel.
    var steps: [Float] = []

    enum Values {
      case floats([Float])
      case integers([Int])
    }
  }
}

/// Reads the external file at a location, relative to the model's folder.
public typealias ExternalReader = (_ location: String) throws(ONNXError) -> [UInt8]

extension ONNXModel {
  init(
    _ bytes: [UInt8], name: String, external: ExternalReader? = nil
  ) throws(ONNXError) {
    self.name = name
    var reader = ProtobufReader(bytes, name: name)
    var hasGraph = false
    var domains: [String] = []
    while let field = try reader.next() {
      switch field.number {
      case 7:
        body = try Self.body(try reader.message(field))
        hasGraph = true
      case 8:
        let (domain, version) = try Self.operatorSet(try reader.message(field))
        if domain.isEmpty || domain == "ai.onnx" { operatorSet = version }
        domains.append(domain)
      default: break
      }
    }
    guard hasGraph, !domains.isEmpty else { throw .notONNX(name: name) }
    guard operatorSet > 0 else {
      let others = domains.filter { !$0.isEmpty && $0 != "ai.onnx" }
      throw .unusable(
        name: name,
        reason: others.isEmpty
          ? "it does not say which version of ONNX's operators it has"
          : "it imports operators of \(others.joined(separator: ", ")), none of ai.onnx")
    }
    var files = ExternalFiles(model: name, read: external)
    try body.resolve(&files)
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

  private static func body(_ message: ProtobufReader) throws(ONNXError) -> Body {
    var message = message
    var body = Body()
    while let field = try message.next() {
      switch field.number {
      case 1: body.nodes.append(try node(try message.message(field)))
      case 5:
        let (name, constant) = try tensor(try message.message(field))
        body.constants[name] = constant
      case 11: body.inputs.append(try port(try message.message(field)))
      case 12: body.outputs.append(try port(try message.message(field)))
      default: break
      }
    }
    // Older files list constants among the inputs.
    body.inputs.removeAll { [constants = body.constants] in constants[$0.name] != nil }
    return body
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
    var strings: [String] = []
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
      case 6: result[5] = .body(try body(try message.message(field)))
      case 9: strings.append(try message.string(field))
      case 7: floats += try message.floats(field)
      case 8: integers += try message.integers(field)
      default: break
      }
    }
    result[6] = .floats(floats)
    result[7] = .integers(integers)
    result[8] = .strings(strings)
    // A value of 0 may be omitted.
    if kind == 1 { result[1] = result[1] ?? .float(0) }
    if kind == 2 { result[2] = result[2] ?? .integer(0) }
    if kind == 3 { result[3] = result[3] ?? .string("") }
    return (name, result[kind] ?? .other)
  }

  private static func port(_ message: ProtobufReader) throws(ONNXError) -> Port {
    var message = message
    var port = Port(name: "", shape: [], elementType: 0)
    while let field = try message.next() {
      if field.number == 1 { port.name = try message.string(field) }
      guard field.number == 2 else { continue }
      var type = try message.message(field)
      while let field = try type.next() {
        guard field.number == 1 else { continue }
        var tensor = try type.message(field)
        while let field = try tensor.next() {
          if field.number == 1 { port.elementType = try tensor.integer(field) }
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
}
