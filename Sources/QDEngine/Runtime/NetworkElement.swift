/// A Swift type for elements of inputs and outputs.
public protocol NetworkElement: BitwiseCopyable {
  /// The element type of a graph's tensor.
  static var elementType: ElementType { get }
}

extension Float: NetworkElement { public static var elementType: ElementType { .float32 } }
extension Float16: NetworkElement { public static var elementType: ElementType { .float16 } }
extension Double: NetworkElement { public static var elementType: ElementType { .float64 } }
extension Bool: NetworkElement { public static var elementType: ElementType { .bool } }
extension Int8: NetworkElement { public static var elementType: ElementType { .int8 } }
extension UInt8: NetworkElement { public static var elementType: ElementType { .uint8 } }
extension Int16: NetworkElement { public static var elementType: ElementType { .int16 } }
extension UInt16: NetworkElement { public static var elementType: ElementType { .uint16 } }
extension Int32: NetworkElement { public static var elementType: ElementType { .int32 } }
extension UInt32: NetworkElement { public static var elementType: ElementType { .uint32 } }
extension Int64: NetworkElement { public static var elementType: ElementType { .int64 } }
extension UInt64: NetworkElement { public static var elementType: ElementType { .uint64 } }

extension Network {
  /// Where the caller writes an input before `run`, as elements of its type; stable for the
  /// network's life, and kept between runs.
  ///
  ///     let ids = unsafe try network.input(named: "ids", as: Int32.self)
  ///
  /// - Throws: if there is no such input, or its elements have another type.
  @unsafe public func input<Element: NetworkElement>(
    named name: String, as _: Element.Type
  ) throws(EngineError) -> UnsafeMutableBufferPointer<Element> {
    let place = try inputPlace(name)
    try require(place.type, Element.elementType, name, "input")
    return unsafe elements(Element.self, place.address, place.count)
  }

  /// The same for an output, which the caller reads after `run`.
  @unsafe public func output<Element: NetworkElement>(
    named name: String, as _: Element.Type
  ) throws(EngineError) -> UnsafeBufferPointer<Element> {
    let place = try outputPlace(name)
    try require(place.type, Element.elementType, name, "output")
    return unsafe UnsafeBufferPointer(elements(Element.self, place.address, place.count))
  }

  private func require(
    _ type: ElementType, _ wanted: ElementType, _ name: String, _ kind: String
  ) throws(EngineError) {
    guard type != wanted else { return }
    throw .otherType(graph: self.name, name: name, kind: kind, type: type, wanted: wanted)
  }
}
