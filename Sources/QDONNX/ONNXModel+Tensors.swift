/// Constant tensors, in the file or external.
extension ONNXModel {
  /// A tensor with its name.
  static func tensor(_ message: ProtobufReader) throws(ONNXError) -> (String, Constant) {
    var message = message
    var (name, type, raw) = ("", 0, [UInt8]())
    var (isExternal, external) = (false, Constant.External())
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
      case 13:
        let (key, value) = try entry(try message.message(field))
        external.take(key, value)
      case 14: isExternal = try message.integer(field) == 1
      default: break
      }
    }
    var constant = Constant(shape: shape, values: .integers(integers), elementType: type)
    guard shape.allSatisfy({ $0 >= 0 && $0 < 1 << 31 }), shape.count <= 16 else {
      throw message.damaged()
    }
    if isExternal {
      constant.external = external
      return (name, constant)
    }
    switch type {
    case 1 where raw.isEmpty: constant.values = .floats(floats)
    case 11 where raw.isEmpty: constant.values = .floats(doubles.map { Float($0) })
    case 10 where raw.isEmpty:
      constant.values = .floats(
        integers.map { Float(Float16(bitPattern: UInt16(truncatingIfNeeded: $0))) })
    case 16 where raw.isEmpty:
      constant.values = .floats(
        integers.map { Float(bitPattern: UInt32(truncatingIfNeeded: $0) << 16) })
    case _ where raw.isEmpty && Constant.isInteger(type): break
    default:
      guard let values = Constant.values(raw, type: type) else {
        throw .unusable(name: name, reason: "a constant has the element type \(type)")
      }
      constant.values = values
    }
    guard constant.fits else { throw message.damaged() }
    return (name, constant)
  }

  private static func entry(
    _ message: ProtobufReader
  ) throws(ONNXError) -> (String, String) {
    var message = message
    var result = ("", "")
    while let field = try message.next() {
      if field.number == 1 { result.0 = try message.string(field) }
      if field.number == 2 { result.1 = try message.string(field) }
    }
    return result
  }
}

extension ONNXModel.Constant {
  /// A part of an external file.
  struct External {
    var location = ""
    var offset = 0
    /// `nil` if it extends to the end.
    var length: Int?

    mutating func take(_ key: String, _ value: String) {
      switch key {
      case "location": location = value
      case "offset": offset = Int(value) ?? -1
      case "length": length = Int(value) ?? -1
      default: break
      }
    }
  }

  /// Whether the number of values matches the shape.
  var fits: Bool { shape.reduce(1.0, { $0 * Double($1) }) == Double(count) }

  static func isInteger(_ type: Int) -> Bool { [2, 3, 4, 5, 6, 7, 9, 12, 13].contains(type) }

  /// The elements of little-endian bytes; `nil` for an unknown type.
  static func values(_ raw: [UInt8], type: Int) -> Values? {
    switch type {
    case 1: .floats(raw.words(UInt32.self).map(Float.init(bitPattern:)))
    case 11: .floats(raw.words(UInt64.self).map { Float(Double(bitPattern: $0)) })
    case 10: .floats(raw.words(UInt16.self).map { Float(Float16(bitPattern: $0)) })
    case 16: .floats(raw.words(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) })
    case 7, 13: .integers(raw.words(UInt64.self).map { Int(Int64(bitPattern: $0)) })
    case 6: .integers(raw.words(UInt32.self).map { Int(Int32(bitPattern: $0)) })
    case 12: .integers(raw.words(UInt32.self).map { Int($0) })
    case 9, 2: .integers(raw.map(Int.init))
    case 3: .integers(raw.map { Int(Int8(bitPattern: $0)) })
    case 5: .integers(raw.words(UInt16.self).map { Int(Int16(bitPattern: $0)) })
    case 4: .integers(raw.words(UInt16.self).map { Int($0) })
    default: nil
    }
  }
}

/// The external files of a model, each read once.
struct ExternalFiles {
  var model: String
  var read: ExternalReader?
  private var files: [String: [UInt8]] = [:]

  init(model: String, read: ExternalReader?) {
    self.model = model
    self.read = read
  }

  /// Whether a location names a file in the model's folder or below.
  static func isInside(_ location: String) -> Bool {
    let parts = location.split(separator: "/", omittingEmptySubsequences: false)
    return !location.isEmpty && !location.utf8.contains(0)
      && parts.allSatisfy { !$0.isEmpty && $0 != ".." && $0 != "." }
  }

  mutating func bytes(_ place: ONNXModel.Constant.External) throws(ONNXError) -> [UInt8] {
    func unusable(_ reason: String) -> ONNXError { .unusable(name: model, reason: reason) }
    guard Self.isInside(place.location) else {
      throw unusable(
        "it wants weights from '\(place.location)', outside of its folder; export it again")
    }
    guard let read else {
      throw unusable("its weights are in '\(place.location)'; save it with all of them inside")
    }
    if files[place.location] == nil { files[place.location] = try read(place.location) }
    let file = files[place.location] ?? []
    let length = place.length ?? file.count - place.offset
    guard place.offset >= 0, length >= 0, place.offset <= file.count,
      length <= file.count - place.offset
    else {
      throw unusable(
        "'\(place.location)' has \(file.count) bytes, too few for it; copy both files again")
    }
    return Array(file[place.offset..<place.offset + length])
  }
}

extension ONNXModel.Body {
  /// Reads external data.
  mutating func resolve(_ files: inout ExternalFiles) throws(ONNXError) {
    for name in constants.keys.sorted() { try constants[name]?.resolve(&files) }
    for index in nodes.indices {
      for (name, attribute) in nodes[index].attributes {
        switch attribute {
        case .constant(var constant):
          try constant.resolve(&files)
          nodes[index].attributes[name] = .constant(constant)
        case .body(var body):
          try body.resolve(&files)
          nodes[index].attributes[name] = .body(body)
        default: break
        }
      }
    }
  }
}

extension ONNXModel.Constant {
  fileprivate mutating func resolve(_ files: inout ExternalFiles) throws(ONNXError) {
    guard let place = external else { return }
    external = nil
    let raw = try files.bytes(place)
    guard let read = Self.values(raw, type: elementType) else {
      throw .unusable(name: files.model, reason: "a constant has the element type \(elementType)")
    }
    values = read
    guard fits else {
      throw .unusable(
        name: files.model,
        reason: "'\(place.location)' does not hold \(shape) where it should; copy it again")
    }
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
