/// The options of an operator as the schema has them: values by field number.
public struct OptionFields: Sendable, Equatable {
  public enum Value: Sendable, Equatable {
    /// One byte: a boolean or an enumeration.
    case byte(UInt8)
    case int(Int32)
    case float(Float)
    case ints([Int32])
    case text([UInt8])
  }

  /// The form of a field.
  public enum Form: Sendable {
    case byte, int, float, ints, text
  }

  public private(set) var values: [Int: Value]
  /// Whether there is a table of options at all.
  public var isPresent: Bool

  public init(_ values: [Int: Value] = [:], isPresent: Bool = true) {
    self.values = values
    self.isPresent = isPresent
  }

  public func byte(_ id: Int) -> UInt8 {
    if case .byte(let value)? = values[id] { value } else { 0 }
  }

  public func bool(_ id: Int) -> Bool { byte(id) != 0 }

  public func int(_ id: Int, default value: Int = 0) -> Int {
    if case .int(let value)? = values[id] { Int(value) } else { value }
  }

  public func float(_ id: Int) -> Float {
    if case .float(let value)? = values[id] { value } else { 0 }
  }

  public func ints(_ id: Int) -> [Int] {
    if case .ints(let values)? = values[id] { values.map(Int.init) } else { [] }
  }

  public func text(_ id: Int) -> String {
    if case .text(let bytes)? = values[id] { String(decoding: bytes, as: UTF8.self) } else { "" }
  }

  /// `nil` for an unknown activation function.
  func activation(_ id: Int) -> Activation? { Activation(rawValue: byte(id)) }

  /// Padding, stride width and stride height are fields 0, 1 and 2 in every table of this kind.
  func window() -> Window? {
    guard isPresent, let padding = Window.Padding(rawValue: byte(0)) else { return nil }
    return Window(padding: padding, strideHeight: int(2), strideWidth: int(1))
  }

  /// A window with the horizontal dilation in field `id` and the vertical one in the next field.
  func window(dilation id: Int) -> Window? {
    guard var window = window() else { return nil }
    window.dilationWidth = int(id, default: 1)
    window.dilationHeight = int(id + 1, default: 1)
    return window
  }

  /// The fields of a window, an activation and others.
  static func window(
    _ window: Window, activation: (id: Int, value: Activation), dilation: Int? = nil,
    _ others: [Int: Value] = [:]
  ) -> OptionFields {
    var values = others
    values[0] = .byte(window.padding.rawValue)
    values[1] = .integer(window.strideWidth)
    values[2] = .integer(window.strideHeight)
    values[activation.id] = .byte(activation.value.rawValue)
    if let dilation {
      values[dilation] = .integer(window.dilationWidth)
      values[dilation + 1] = .integer(window.dilationHeight)
    }
    return OptionFields(values)
  }

  /// The same without fields that are zero, which files omit.
  var withoutZeros: OptionFields {
    OptionFields(values.filter { !$0.value.isZero })
  }
}

extension OptionFields.Value {
  public static func integer(_ value: Int) -> Self { .int(Int32(clamping: value)) }
  public static func bool(_ value: Bool) -> Self { .byte(value ? 1 : 0) }
  static func activation(_ value: Activation) -> Self { .byte(value.rawValue) }

  fileprivate var isZero: Bool {
    switch self {
    case .byte(let value): value == 0
    case .int(let value): value == 0
    case .float(let value): value == 0
    case .ints, .text: false
    }
  }
}
