/// The properties of an operator, in one row: the reader and writer of files, the passes, lowering,
/// the quantizer and docs/engine.md use it. This folder has the rows by family.
public struct OperatorProperties: Sendable, Equatable {
  /// Its name in the schema.
  public let name: String
  /// The builtin operator code of the schema.
  public let code: Int
  /// How it computes with integer activations.
  public let integers: Integers
  /// Its weights, if it has any.
  public let weights: Weights?
  /// Whether a constant second operand in int8 is multiplied in dynamic range.
  public let multipliesConstants: Bool
  /// How it fuses with neighbouring operators.
  public let fusion: Fusion
  /// The types of the values that it computes with.
  public let types: Types
  /// `nil` for an operator without an integer form.
  public let integerRules: IntegerRules?
  /// Layout of its options in a file.
  public let options: OptionLayout
  /// Makes the kind from a file's options; `nil` if an option has an unknown value.
  public let read: @Sendable (OptionFields) -> OperatorKind?
  /// The options of an operator of this row.
  public let write: @Sendable (OperatorKind) -> OptionFields
  /// Appends its steps.
  let lower: Lower
  /// Its result, if that depends only on the shape of its input.
  private(set) var ofShape: (@Sendable ([Int]) -> [Int])?
  /// Its unary function, if it is only that and has no kernel.
  private(set) var function: (@Sendable (OptionFields) -> @Sendable (Float) -> Float)?
  /// The inputs that it moves, if any.
  private(set) var moved: Set<Int> = [0]

  typealias Lower = @Sendable (inout Lowering, Int, OperatorKind) throws(EngineError) -> Void

  public enum Integers: String, Sendable {
    /// In floats: dequantized before, quantized after.
    case none
    /// Moves elements, so all tensors have the same scale.
    case moves
    /// A product of int8 and int8, or of int16 and int8.
    case products
    /// A binary function of bytes.
    case pairs
    /// A look-up table of all 256 bytes.
    case table
    /// The maximum or the mean of several bytes.
    case pools
    /// Sums of bytes, or of their products, as integers in floats.
    case sums
  }

  /// Element types besides float32, float16 and quantized activations, which every operator
  /// supports.
  public enum Types: String, Sendable {
    /// Nothing else.
    case reals
    /// Integers without a scale, and booleans.
    case any
  }

  /// Weights are input 1, their bias is input 2 (for TRANSPOSE_CONV 3).
  public struct Weights: Sendable, Equatable {
    /// The dimension of the outputs, which may have a scale per index.
    public let axis: Int
    /// The operator version that allows int8 weights with float activations; `nil` if the engine
    /// converts these weights to floats.
    public let dynamicRangeVersion: Int?
  }

  public enum Fusion: String, Sendable {
    case none
    /// A following clamp becomes the limits of its result.
    case takesClamps
    /// Overwrites its input if nothing else reads it.
    case inPlace
    /// Both.
    case takesClampsInPlace
    /// Its result is a view of its input if it is contiguous.
    case view
    /// Its inputs are computed in the memory of its result if they are contiguous there.
    case gathers

    var takesClamps: Bool { self == .takesClamps || self == .takesClampsInPlace }
    var isInPlace: Bool { self == .inPlace || self == .takesClampsInPlace }
  }

  /// A row of an operator whose options are the payload of a case of `OperatorKind`.
  /// - Parameters:
  ///   - versions: the operator versions for int8 and int16 activations.
  ///   - scales: the relation of the scales of integer activations; by default that of `integers`.
  ///   - match: the options of an operator of this row.
  init<Payload>(
    _ code: Int, _ name: String, _ integers: Integers = .none, _ fusion: Fusion = .none,
    types: Types = .reals, weights: Weights? = nil, multipliesConstants: Bool = false,
    versions: (int8: Int, int16: Int?)? = nil, scales: IntegerRules.Scales? = nil,
    options: OptionLayout = .none,
    match: @escaping @Sendable (OperatorKind) -> Payload?,
    read: @escaping @Sendable (OptionFields) -> OperatorKind?,
    write: @escaping @Sendable (Payload) -> OptionFields,
    lower: @escaping @Sendable (inout Lowering, Int, Payload) throws(EngineError) -> Void
  ) {
    self.code = code
    self.name = name
    self.integers = integers
    self.fusion = fusion
    self.types = types
    self.weights = weights
    self.multipliesConstants = multipliesConstants
    let usual: IntegerRules.Scales = integers == .moves || integers == .pools ? .same : .free
    integerRules = versions.map {
      IntegerRules(scales: scales ?? usual, int8Version: $0.int8, int16Version: $0.int16)
    }
    self.options = options
    self.read = read
    self.write = { kind in match(kind).map(write) ?? OptionFields() }
    self.lower = { lowering, index, kind throws(EngineError) in
      guard let payload = match(kind) else { throw lowering.unsupported(index) }
      try lower(&lowering, index, payload)
    }
  }

  /// A row of an operator whose kind has no payload.
  init(
    _ code: Int, _ name: String, _ integers: Integers = .none, _ fusion: Fusion = .none,
    types: Types = .reals, versions: (int8: Int, int16: Int?)? = nil,
    scales: IntegerRules.Scales? = nil, options: OptionLayout = .none, kind: OperatorKind,
    write: @escaping @Sendable () -> OptionFields = { OptionFields() },
    lower: @escaping @Sendable (inout Lowering, Int) throws(EngineError) -> Void
  ) {
    self.init(
      code, name, integers, fusion, types: types, versions: versions, scales: scales,
      options: options, match: { $0 == kind ? () : nil }, read: { _ in kind },
      write: { _ in write() },
      lower: { lowering, index, _ throws(EngineError) in try lower(&lowering, index) })
  }

  /// A row of an operator that keeps its options as in the schema, and so needs no case of
  /// `OperatorKind`.
  static func builtin(
    _ code: Int, _ name: String, _ integers: Integers = .none, _ fusion: Fusion = .none,
    types: Types = .reals, versions: (int8: Int, int16: Int?)? = nil,
    scales: IntegerRules.Scales? = nil, options: OptionLayout = .none,
    lower: @escaping @Sendable (inout Lowering, Int, OptionFields) throws(EngineError) -> Void
  ) -> OperatorProperties {
    OperatorProperties(
      code, name, integers, fusion, types: types, versions: versions, scales: scales,
      options: options,
      match: { if case .builtin(code, let fields) = $0 { fields } else { nil } },
      read: { .builtin(code: code, $0.withoutZeros) }, write: { $0 }, lower: lower)
  }

  /// A row of a unary function without a kernel, in floats and as a look-up table of bytes.
  static func mapping(
    _ code: Int, _ name: String, versions: (int8: Int, int16: Int?)? = nil,
    options: OptionLayout = .none,
    _ function: @escaping @Sendable (OptionFields) -> @Sendable (Float) -> Float
  ) -> OperatorProperties {
    var row = builtin(
      code, name, .table, .inPlace, versions: versions, options: options,
      lower: { lowering, index, fields throws(EngineError) in
        try lowering.lowerMapping(index, function(fields))
      })
    row.function = function
    return row
  }

  /// The row with a result that depends only on the shape of its input.
  func of(shape result: @escaping @Sendable ([Int]) -> [Int]) -> OperatorProperties {
    var row = self
    row.ofShape = result
    return row
  }

  /// The row with other moved inputs than the first.
  func moving(_ positions: Set<Int>) -> OperatorProperties {
    var row = self
    row.moved = positions
    return row
  }

  public static func == (a: OperatorProperties, b: OperatorProperties) -> Bool { a.code == b.code }

  /// Every operator that a graph can contain, by name.
  public static let all: [OperatorProperties] =
    ([products, elementwise, binaries, comparisons, reductions, selections, pools, resizing]
    + [slices, joins, shapes, rearrangements, gathers, sequences, conversions, recurrent]
    + [filters, spectra])
    .flatMap { $0 }.sorted { $0.name < $1.name }

  private static let byCode = Dictionary(uniqueKeysWithValues: all.map { ($0.code, $0) })
  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  /// The operator with a code of the schema, if a graph can contain it.
  public static func with(code: Int) -> OperatorProperties? { byCode[code] }

  /// The operator with a name of the schema, if a graph can contain it.
  public static func with(name: String) -> OperatorProperties? { byName[name] }

  /// The table of docs/engine.md.
  public static var markdown: String {
    let rows = all.map { row in
      let weights = row.weights.map { $0.dynamicRangeVersion == nil ? "in float32" : "int8" }
      let dynamic = weights ?? (row.multipliesConstants ? "int8, if constant" : "")
      let plain = row.types == .any ? "yes" : ""
      return "| \(row.name) | \(row.integers.text) | \(plain) | \(dynamic) | \(row.fusion.text) |"
    }
    return
      ([
        "| operator | quantized activations | int32, int64, bool | int8 weights, float activations "
          + "| fusion |",
        "| --- | --- | --- | --- | --- |",
      ] + rows).joined(separator: "\n") + "\n"
  }
}

/// Layout of an operator's options in a file.
public struct OptionLayout: Sendable, Equatable {
  /// The schema's number of their table in the union of options; 0 if there is none.
  public let type: UInt8
  /// The form of each field, by number.
  public let fields: [OptionFields.Form]

  public init(_ type: UInt8, _ fields: [OptionFields.Form] = []) {
    self.type = type
    self.fields = fields
  }

  public static let none = OptionLayout(0)
}

extension OperatorProperties {
  /// The requirements of TensorFlow Lite's kernels for integer activations: the schema's operator
  /// versions, and the quantization specification of the kernels.
  public struct IntegerRules: Sendable, Equatable {
    /// Scales of an operator's activations.
    public enum Scales: Sendable, Equatable {
      /// Every activation has its own scale.
      case free
      /// Inputs and outputs have the same scale.
      case same
      /// The outputs have this range whatever the data are; the inputs have their own.
      case fixed(ClosedRange<Float>)
    }

    public let scales: Scales
    /// The operator version that takes int8 activations.
    public let int8Version: Int
    /// The operator version that takes int16 activations; `nil` if there is no such form.
    public let int16Version: Int?
  }
}

extension OperatorProperties.Integers {
  fileprivate var text: String {
    switch self {
    case .none: "through float32"
    case .moves: "moved as they are"
    case .products: "int8 or 16x8 product"
    case .pairs: "int8 pairs"
    case .table: "table of 256"
    case .pools: "int8 pools"
    case .sums: "whole numbers in float32"
    }
  }
}

extension OperatorProperties.Fusion {
  fileprivate var text: String {
    switch self {
    case .none: ""
    case .takesClamps: "takes over clamps"
    case .inPlace: "in place"
    case .takesClampsInPlace: "takes over clamps, in place"
    case .view: "a view"
    case .gathers: "its parts are computed in place"
    }
  }
}

extension OperatorKind {
  /// The operator's row of the table; `nil` for an unknown one.
  public var knownProperties: OperatorProperties? { code.flatMap(OperatorProperties.with(code:)) }

  /// Its name in the schema.
  public var name: String {
    if case .unsupported(let name) = self { return name }
    if case .custom(let name, _) = self { return "CUSTOM \(name)" }
    return knownProperties?.name ?? "?"
  }

  var integers: OperatorProperties.Integers { knownProperties?.integers ?? .none }
  var fusion: OperatorProperties.Fusion { knownProperties?.fusion ?? .none }
  var types: OperatorProperties.Types {
    if case .custom = self { return .any }
    return knownProperties?.types ?? .reals
  }
}

extension OperatorKind {
  /// Whether an input is moved, and is not a count, an axis or an index.
  func moves(_ position: Int) -> Bool {
    switch self {
    case .split: position == 1
    case .concatenation, .pack: true
    default: knownProperties?.moved.contains(position) == true
    }
  }
}
