internal import Glibc
internal import QDKernels

extension OperatorProperties {
  /// Binary functions.
  static let binaries: [OperatorProperties] = [
    binary(0, "ADD", .add, .pairs, versions: (2, 3), options: 11),
    binary(42, "DIV", .divide, options: 29),
    binary(55, "MAXIMUM", .maximum, versions: (2, nil), scales: .same, options: 39),
    binary(57, "MINIMUM", .minimum, versions: (2, nil), scales: .same, options: 39),
    binary(18, "MUL", .multiply, .pairs, versions: (2, 2), options: 21),
    binary(99, "SQUARED_DIFFERENCE", .squaredDifference, .pairs, versions: (2, nil), options: 76),
    binary(41, "SUB", .subtract, .pairs, versions: (2, 2), options: 28),
    OperatorProperties(
      54, "PRELU", .none, .takesClampsInPlace, versions: (1, nil), kind: .prelu,
      lower: { lowering, index throws(EngineError) in
        try lowering.lowerBinary(index, .prelu, .none)
      }),
    pairs(78, "POW", options: 56, { pow($0, $1) }) { power($0, $1) },
    pairs(90, "FLOOR_DIV", options: 65, { ($0 / $1).rounded(.down) }) {
      $1 == 0 ? 0 : flooredQuotient($0, $1)
    },
    pairs(95, "FLOOR_MOD", options: 72, { flooredRemainder($0, $1) }) {
      $1 == 0 ? 0 : $0 &- flooredQuotient($0, $1) &* $1
    },
  ]

  /// Binary functions without a kernel.
  private static func pairs(
    _ code: Int, _ name: String, options: UInt8,
    _ floats: @escaping @Sendable (Float, Float) -> Float,
    _ integers: @escaping @Sendable (Int, Int) -> Int
  ) -> OperatorProperties {
    .builtin(
      code, name, types: .any, options: OptionLayout(options),
      lower: { lowering, index, _ throws(EngineError) in
        if lowering.isPlain(try lowering.output(index)) {
          try lowering.lowerIntegerPairs(index, integers)
        } else {
          try lowering.lowerFloatPairs(index, floats)
        }
      })
  }

  private static func binary(
    _ code: Int, _ name: String, _ function: BinaryFunction, _ integers: Integers = .none,
    versions: (int8: Int, int16: Int?)? = nil, scales: IntegerRules.Scales? = nil, options: UInt8
  ) -> OperatorProperties {
    OperatorProperties(
      code, name, integers, .takesClampsInPlace, types: .any, versions: versions, scales: scales,
      options: OptionLayout(options, function.hasActivation ? [.byte] : []),
      match: { if case .binary(function, let activation) = $0 { activation } else { nil } },
      read: { fields in
        guard function.hasActivation else { return .binary(function, .none) }
        return fields.activation(0).map { .binary(function, $0) }
      },
      write: { activation in
        function.hasActivation ? OptionFields([0: .activation(activation)]) : OptionFields()
      },
      lower: { lowering, index, activation throws(EngineError) in
        try lowering.lowerBinary(index, function.kernel, activation)
      })
  }

  /// The row of a binary function.
  static func with(_ function: BinaryFunction) -> OperatorProperties? { byFunction[function] }

  private static let byFunction = Dictionary(
    uniqueKeysWithValues: binaries.compactMap { row in
      if case .binary(let function, _)? = row.read(OptionFields()) { (function, row) } else { nil }
    })
}

public enum BinaryFunction: String, Sendable, CaseIterable {
  case add, subtract, multiply, divide, squaredDifference, maximum, minimum
}

extension BinaryFunction {
  /// Whether the schema gives the operator a fused activation.
  public var hasActivation: Bool {
    switch self {
    case .add, .subtract, .multiply, .divide: true
    case .squaredDifference, .maximum, .minimum: false
    }
  }

  var kernel: Elementwise.Binary {
    switch self {
    case .add: .add
    case .subtract: .subtract
    case .multiply: .multiply
    case .divide: .divide
    case .squaredDifference: .squaredDifference
    case .maximum: .maximum
    case .minimum: .minimum
    }
  }
}

extension Lowering {
  /// A binary function of integers, with an activation that only clamps.
  mutating func lowerPlainBinary(
    _ index: Int, _ function: Elementwise.Binary, _ activation: Activation
  ) throws(EngineError) {
    guard activation != .tanh else { throw unsupported(index, "it has an activation") }
    let reals = activation.range
    let lower = reals.lowerBound == -.infinity ? Int.min : Int(reals.lowerBound)
    let upper = reals.upperBound == .infinity ? Int.max : Int(reals.upperBound)
    let compute: @Sendable (Int, Int) -> Int
    switch function {
    case .add: compute = { $0 &+ $1 }
    case .subtract: compute = { $0 &- $1 }
    case .multiply: compute = { $0 &* $1 }
    case .divide: compute = { $1 == 0 ? 0 : $0.dividedReportingOverflow(by: $1).partialValue }
    case .squaredDifference: compute = { ($0 &- $1) &* ($0 &- $1) }
    case .minimum: compute = { min($0, $1) }
    case .maximum: compute = { max($0, $1) }
    case .prelu: throw unsupported(index, "it does not take integers")
    }
    try lowerIntegerPairs(index) { min(max(compute($0, $1), lower), upper) }
  }
}

/// base^exponent for a whole exponent; 0 for one below 0.
private func power(_ base: Int, _ exponent: Int) -> Int {
  var (result, factor, rest) = (1, base, exponent)
  if exponent < 0 { return 0 }
  while rest > 0 {
    if rest & 1 == 1 { result = result &* factor }
    factor = factor &* factor
    rest >>= 1
  }
  return result
}

private func flooredQuotient(_ a: Int, _ b: Int) -> Int {
  let (quotient, remainder) = (
    a.dividedReportingOverflow(by: b).partialValue, a.remainderReportingOverflow(dividingBy: b)
  )
  return remainder.partialValue != 0 && (remainder.partialValue < 0) != (b < 0)
    ? quotient - 1 : quotient
}

private func flooredRemainder(_ a: Float, _ b: Float) -> Float {
  let remainder = fmod(a, b)
  return remainder != 0 && (remainder < 0) != (b < 0) ? remainder + b : remainder
}
