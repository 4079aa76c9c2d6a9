/// The type of a tensor's elements; the raw values are those of TFLite's schema.
public enum ElementType: UInt8, Sendable, CaseIterable {
  case float32 = 0
  case float16 = 1
  case int32 = 2
  case uint8 = 3
  case int64 = 4
  case bool = 6
  case int16 = 7
  /// Two float32: the real and the imaginary part.
  case complex64 = 8
  case int8 = 9
  case float64 = 10
  case uint64 = 12
  case uint32 = 15
  case uint16 = 16

  /// Size of one element in bytes.
  public var size: Int {
    switch self {
    case .uint8, .bool, .int8: 1
    case .float16, .int16, .uint16: 2
    case .float32, .int32, .uint32: 4
    case .int64, .float64, .uint64, .complex64: 8
    }
  }
}

/// Relation of integers to real values: `real = scale * (integer - zeroPoint)`.
public struct Quantization: Sendable, Equatable {
  /// One, or one per index of dimension `axis`.
  public var scales: [Float]
  /// As many as `scales`.
  public var zeroPoints: [Int64]
  /// The dimension that has a scale for each index, if there is more than one.
  public var axis: Int

  public init(scales: [Float], zeroPoints: [Int64], axis: Int) {
    self.scales = scales
    self.zeroPoints = zeroPoints
    self.axis = axis
  }
}

/// A tensor of a graph: a constant with its data, or a shape that a run fills.
public struct Tensor: Sendable, Equatable {
  public var name: String
  /// Row-major, batch first, channels last; empty for a scalar.
  public var shape: [Int]
  public var type: ElementType
  public var quantization: Quantization?
  /// Little-endian elements of a constant; `nil` for a computed tensor.
  public var constant: Constant?
  /// Whether it is a state of a recurrent operator: zero at first, kept between runs.
  public var isVariable = false
  /// The shape signature of the file: -1 for an open extent.
  public var shapeSignature: [Int]?
  /// Whether the file packs this int8 constant, with elements from -8 to 7, into 4 bits each.
  public var isPackedInFile = false
  /// Whether the file omits the zeros of this constant.
  public var isSparseInFile = false
  /// The type that the file has for this float32 constant, in words, if graphs lack that type.
  public var restoredFrom: String?

  public init(
    name: String, shape: [Int], type: ElementType, quantization: Quantization? = nil,
    data: [UInt8]? = nil
  ) {
    self.name = name
    self.shape = shape
    self.type = type
    self.quantization = quantization
    constant = data.map(Constant.init)
  }

  /// A float32 constant.
  public init(name: String, shape: [Int], values: [Float]) {
    self.init(name: name, shape: shape, type: .float32, data: values.littleEndianBytes)
  }

  /// An int32 constant, such as a shape or a permutation.
  public init(name: String, shape: [Int], integers: [Int32]) {
    self.init(
      name: name, shape: shape, type: .int32,
      data: integers.flatMap { UInt32(bitPattern: $0).bytes })
  }

  /// Number of elements, or `nil` if it overflows `Int`.
  public var count: Int? {
    var product = 1
    for extent in shape {
      let (next, overflow) = product.multipliedReportingOverflow(by: extent)
      if overflow || extent < 0 { return nil }
      product = next
    }
    return product
  }

  public var isConstant: Bool { constant != nil }

  /// The elements of `constant`, copied if they are mapped.
  public var data: [UInt8]? {
    get { constant?.bytes }
    set { constant = newValue.map(Constant.init) }
  }
}

extension UInt32 {
  fileprivate var bytes: [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: self >> (8 * $0)) } }
}
