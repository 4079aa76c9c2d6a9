internal import QDEngine

extension ONNXImporter {
  /// Becomes a product and a sum per channel, which are merged into a preceding layer.
  mutating func convertBatchNormalization() throws(ONNXError) {
    let parts = [
      try constant(1).floats, try constant(2).floats, try constant(3).floats,
      try constant(4).floats,
    ]
    let x = try activation(0)
    guard x.shape.count >= 2, parts.allSatisfy({ $0.count == x.shape[1] }) else {
      throw unsupported("its input is \(x.shape) for \(parts[0].count) channels")
    }
    guard integer("training_mode", 0) == 0 else { throw unsupported("it is in training") }
    let epsilon = Double(float("epsilon", 1e-5))
    let gains = (0..<parts[0].count).map {
      Double(parts[0][$0]) / (Double(parts[3][$0]) + epsilon).squareRoot()
    }
    let offsets = gains.indices.map { Double(parts[1][$0]) - Double(parts[2][$0]) * gains[$0] }
    let scaled = try binary(
      .multiply, .activation(x), perChannel(gains.map { Float($0) }, x.shape))
    set(
      try binary(.add, .activation(scaled), perChannel(offsets.map { Float($0) }, x.shape)))
  }

  private func perChannel(_ values: [Float], _ shape: [Int]) -> Value {
    .constant(
      .floats(values, [1, values.count] + Array(repeating: 1, count: shape.count - 2)))
  }

  /// A value normalized to mean 0 and variance 1, with the original mean and variance.
  private mutating func normalized(
    _ x: Activation, _ axes: Set<Int>, epsilon: Float
  ) throws(ONNXError) -> (Activation, mean: Activation, inverse: Activation) {
    let mean = mean(x, axes, keepsDimensions: true)
    let centred = try binary(.subtract, .activation(x), .activation(mean))
    let variance = self.mean(apply(.square, centred), axes, keepsDimensions: true)
    let sum = try binary(.add, .activation(variance), number(epsilon))
    let inverse = apply(.reciprocalSquareRoot, sum)
    return (try binary(.multiply, .activation(centred), .activation(inverse)), mean, inverse)
  }

  mutating func convertLayerNormalization() throws(ONNXError) {
    let x = try activation(0)
    let first = try axis(integer("axis", -1), rank: x.shape.count)
    let (result, mean, inverse) = try normalized(
      x, Set(first..<x.shape.count), epsilon: float("epsilon", 1e-5))
    let scaled = try binary(.multiply, .activation(result), try value(1))
    set(has(2) ? try binary(.add, .activation(scaled), try value(2)) : scaled)
    set(mean, output: 1)
    set(inverse, output: 2)
  }

  mutating func convertInstanceNormalization() throws(ONNXError) {
    let x = try activation(0)
    let (gains, offsets) = (try constant(1).floats, try constant(2).floats)
    guard x.shape.count > 2, gains.count == x.shape[1], offsets.count == x.shape[1] else {
      throw unsupported("its input is \(x.shape) for \(gains.count) channels")
    }
    let (result, _, _) = try normalized(
      x, Set(2..<x.shape.count), epsilon: float("epsilon", 1e-5))
    let scaled = try binary(.multiply, .activation(result), perChannel(gains, x.shape))
    set(try binary(.add, .activation(scaled), perChannel(offsets, x.shape)))
  }

  mutating func convertGroupNormalization() throws(ONNXError) {
    let x = plain(try activation(0))
    var (gains, offsets) = (try constant(1).floats, try constant(2).floats)
    let groups = integer("num_groups", 1)
    guard x.shape.count > 2, groups > 0, x.shape[1] % groups == 0,
      gains.count == offsets.count, gains.count == x.shape[1] || gains.count == groups
    else { throw unsupported("its input is \(x.shape) for \(groups) groups") }
    if gains.count == groups {
      let size = x.shape[1] / groups
      gains = gains.flatMap { Array(repeating: $0, count: size) }
      offsets = offsets.flatMap { Array(repeating: $0, count: size) }
    }
    let rows = reshaped(x, [x.shape[0], groups, x.shape[1...].reduce(1, *) / groups])
    let (result, _, _) = try normalized(rows, [2], epsilon: float("epsilon", 1e-5))
    let image = reshaped(result, x.shape)
    let scaled = try binary(.multiply, .activation(image), perChannel(gains, x.shape))
    set(try binary(.add, .activation(scaled), perChannel(offsets, x.shape)))
  }
}
