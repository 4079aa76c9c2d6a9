internal import QDEngine

/// Operators and their options, in the schema's numbers and as values of the graph.
enum OperatorOptions {
  /// The kind for an operator code with its table of options, which may be missing.
  static func read(
    _ code: OperatorCode, _ options: Table?
  ) throws(TFLiteError) -> OperatorKind {
    guard let row = OperatorProperties.with(code: code.builtin),
      let kind = row.read(try fields(row.options, options))
    else {
      return .unsupported(
        name: code.custom.isEmpty ? builtinName(code.builtin) : "CUSTOM \(code.custom)")
    }
    return kind
  }

  /// Types of options that refer to text, vectors or subgraphs: of CALL, RESHAPE, SQUEEZE, IF, WHILE,
  /// CALL_ONCE, VAR_HANDLE and BUCKETIZE.
  private static let referring: Set<UInt8> = [16, 17, 30, 92, 93, 103, 111, 115]

  /// An unsupported operator as a conversion writes it; `nil` if its options are more than numbers.
  /// - Parameter more: the type of the second table of options, which StableHLO's operators have.
  static func stored(
    _ code: OperatorCode, type: UInt8, _ options: Table?, more: UInt8
  ) throws(TFLiteError) -> StoredOperator? {
    guard code.builtin != OperatorCode.custom, more == 0, !referring.contains(type),
      let values = options == nil ? [:] : try options?.numbers()
    else { return nil }
    return StoredOperator(
      code: code.builtin, optionsType: type,
      options: OptionFields(values, isPresent: options != nil))
  }

  /// The fields of a table of options with a layout.
  static func fields(
    _ layout: OptionLayout, _ table: Table?
  ) throws(TFLiteError) -> OptionFields {
    guard let table else { return OptionFields(isPresent: false) }
    var values: [Int: OptionFields.Value] = [:]
    for (id, form) in layout.fields.enumerated() where try table.holds(id) {
      switch form {
      case .byte: values[id] = .byte(try table.scalar(id, default: 0))
      case .int: values[id] = .int(try table.scalar(id, default: 0))
      case .float: values[id] = .float(try table.float(id))
      case .ints: values[id] = .ints(try table.integers(id, as: Int32.self) ?? [])
      case .text: values[id] = .text(try table.bytes(id) ?? [])
      }
    }
    return OptionFields(values)
  }

  /// An operator code, and the union type and fields of its options.
  struct Encoded {
    var code: Int
    var options: (type: UInt8, fields: FlatTable)?
  }

  /// The inverse of `read`; `nil` for an unsupported operator.
  static func encode(_ kind: OperatorKind, outputShape: [Int]) -> Encoded? {
    guard let row = kind.knownProperties else { return nil }
    guard row.options.type != 0 else { return Encoded(code: row.code) }
    // Old readers take the new shape from the options.
    let fields: FlatTable =
      kind == .reshape
      ? [0: .int32s(outputShape.map(Int32.init))]
      : row.write(kind).values.mapValues { value in
        switch value {
        case .byte(let value): .uint8(value)
        case .int(let value): .int32(value)
        case .float(let value): .float(value)
        case .ints(let values): .int32s(values)
        case .text(let bytes): .bytes(bytes, alignment: 0)
        }
      }
    return Encoded(code: row.code, options: (row.options.type, fields))
  }

  /// The inverse of `stored`.
  static func encode(_ stored: StoredOperator) -> Encoded {
    guard stored.options.isPresent else { return Encoded(code: stored.code) }
    func littleEndian(_ bits: UInt32) -> [UInt8] {
      (0..<4).map { UInt8(truncatingIfNeeded: bits >> (8 * $0)) }
    }
    let fields: FlatTable = stored.options.values.mapValues { value in
      switch value {
      case .byte(let value): .stored([value])
      case .int(let value): .stored(littleEndian(UInt32(bitPattern: value)))
      case .float(let value): .stored(littleEndian(value.bitPattern))
      case .ints(let values): .int32s(values)
      case .text(let bytes): .bytes(bytes, alignment: 0)
      }
    }
    return Encoded(code: stored.code, options: (stored.optionsType, fields))
  }
}
