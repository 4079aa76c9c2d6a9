#if canImport(Glibc)
  internal import Glibc
#endif

/// Operations on known values.
extension ONNXModel.Constant {
  static func integers(_ values: [Int], _ shape: [Int]? = nil) -> Self {
    .init(shape: shape ?? [values.count], values: .integers(values), elementType: 7)
  }

  static func floats(_ values: [Float], _ shape: [Int]? = nil) -> Self {
    .init(shape: shape ?? [values.count], values: .floats(values), elementType: 1)
  }

  static func booleans(_ values: [Bool], _ shape: [Int]) -> Self {
    .init(shape: shape, values: .integers(values.map { $0 ? 1 : 0 }), elementType: 9)
  }

  func reshaped(_ shape: [Int]) -> Self {
    var result = self
    result.shape = shape
    return result
  }

  /// The elements at indices in row-major order.
  private func picking(_ places: [Int], _ shape: [Int]) -> Self {
    var result = self
    result.shape = shape
    result.steps = []
    switch values {
    case .floats(let values): result.values = .floats(places.map { values[$0] })
    case .integers(let values): result.values = .integers(places.map { values[$0] })
    }
    return result
  }

  /// The elements at the given indices of each axis.
  func taking(_ indices: [[Int]]) -> Self {
    var places = [0]
    for (axis, list) in indices.enumerated() {
      let stride = shape[(axis + 1)...].reduce(1, *)
      places = places.flatMap { place in list.map { place + $0 * stride } }
    }
    return picking(places, indices.map(\.count))
  }

  /// The elements at the given indices of one axis.
  func taking(_ list: [Int], axis: Int) -> Self {
    taking(shape.indices.map { $0 == axis ? list : Array(0..<shape[$0]) })
  }

  func transposed(_ order: [Int]) -> Self {
    picking(permuted(Array(0..<count), shape, order), order.map { shape[$0] })
  }

  static func concatenated(_ parts: [Self], axis: Int) throws(ONNXError) -> Self? {
    guard var result = parts.first,
      parts.allSatisfy({ part in
        part.shape.count == result.shape.count
          && part.shape.indices.allSatisfy { $0 == axis || part.shape[$0] == result.shape[$0] }
      })
    else { return nil }
    let outer = result.shape[..<axis].reduce(1, *)
    func joined<T>(_ lists: [[T]]) -> [T] {
      var all: [T] = []
      for index in 0..<outer {
        for list in lists {
          let size = list.count / max(outer, 1)
          all.append(contentsOf: list[(index * size)..<((index + 1) * size)])
        }
      }
      return all
    }
    let lists = parts.compactMap(\.integers)
    result.values =
      lists.count == parts.count
      ? .integers(joined(lists)) : .floats(joined(parts.map(\.floats)))
    result.shape[axis] = parts.reduce(0) { $0 + $1.shape[axis] }
    result.steps = []
    return result
  }

  /// Selects elements of `self` where the choice is true, else of `other`, which has the same
  /// shape.
  func choosing(_ choice: [Bool], _ other: Self) -> Self {
    var result = self
    result.steps = []
    if let left = integers, let right = other.integers {
      result.values = .integers(choice.indices.map { choice[$0] ? left[$0] : right[$0] })
    } else {
      let (left, right) = (floats, other.floats)
      result.values = .floats(choice.indices.map { choice[$0] ? left[$0] : right[$0] })
    }
    return result
  }

  func cast(to type: Int) -> Self {
    var result = self
    result.elementType = type
    result.steps = []
    switch type {
    case 9:
      result.values = .integers(integers?.map { $0 != 0 ? 1 : 0 } ?? floats.map { $0 != 0 ? 1 : 0 })
    case _ where Self.isInteger(type):
      result.values = .integers(
        integers ?? floats.map { Int(min(max($0.isNaN ? 0 : $0, -9e18), 9e18)) })
    default: result.values = .floats(floats)
    }
    return result
  }
}

/// Functions of known values, by the name of the operator.
enum ConstantFunctions {
  static let integers1: [String: @Sendable (Int) -> Int] = [
    "Neg": { 0 &- $0 },
    "Abs": { $0 < 0 ? 0 &- $0 : $0 },
    "Not": { $0 == 0 ? 1 : 0 },
    "Sign": { $0.signum() },
  ]

  static let floats1: [String: @Sendable (Float) -> Float] = [
    "Neg": { -$0 }, "Abs": { abs($0) }, "Sqrt": { $0.squareRoot() }, "Reciprocal": { 1 / $0 },
    "Floor": { $0.rounded(.down) }, "Ceil": { $0.rounded(.up) },
    "Round": { $0.rounded(.toNearestOrEven) }, "Exp": { expf($0) }, "Log": { logf($0) },
    "Sign": { $0 > 0 ? 1 : $0 < 0 ? -1 : $0 },
    "Sin": { sinf($0) }, "Cos": { cosf($0) }, "Tan": { tanf($0) }, "Asin": { asinf($0) },
    "Acos": { acosf($0) }, "Atan": { atanf($0) }, "Sinh": { sinhf($0) }, "Cosh": { coshf($0) },
  ]

  static let integers2: [String: @Sendable (Int, Int) -> Int] = [
    "Add": { $0 &+ $1 }, "Sub": { $0 &- $1 }, "Mul": { $0 &* $1 },
    "Div": { $1 == 0 ? 0 : $1 == -1 ? 0 &- $0 : $0 / $1 },
    "Mod": { a, b in
      guard b != 0, b != -1 else { return 0 }
      let rest = a % b
      return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest
    },
    "Min": { min($0, $1) }, "Max": { max($0, $1) },
    "Pow": { Int(min(max(pow(Double($0), Double($1)), -9e18), 9e18)) },
    "And": { $0 != 0 && $1 != 0 ? 1 : 0 }, "Or": { $0 != 0 || $1 != 0 ? 1 : 0 },
    "Xor": { ($0 != 0) != ($1 != 0) ? 1 : 0 },
  ]

  static let floats2: [String: @Sendable (Float, Float) -> Float] = [
    "Add": { $0 + $1 }, "Sub": { $0 - $1 }, "Mul": { $0 * $1 }, "Div": { $0 / $1 },
    "Min": { min($0, $1) }, "Max": { max($0, $1) }, "Pow": { powf($0, $1) },
    "Mod": { fmodf($0, $1) },
  ]

  /// Binary operators.
  static let binary = Set(integers2.keys).union(floats2.keys).union(comparisons.keys)

  static let comparisons: [String: @Sendable (Double, Double) -> Bool] = [
    "Equal": { $0 == $1 }, "Greater": { $0 > $1 }, "GreaterOrEqual": { $0 >= $1 },
    "Less": { $0 < $1 }, "LessOrEqual": { $0 <= $1 },
  ]
}
