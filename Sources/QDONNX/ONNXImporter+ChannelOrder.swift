internal import QDEngine

/// Conversion of values between TFLite's order of dimensions, with channels last, and ONNX's.
extension ONNXImporter {
  /// [N, C, H, W] as [N, H, W, C], [N, C, W] as [N, 1, W, C].
  static func lastShape(_ shape: [Int]) -> [Int] {
    shape.count == 3
      ? [shape[0], 1, shape[2], shape[1]] : [shape[0], shape[2], shape[3], shape[1]]
  }

  /// The dimension of the stored tensor that an axis of ONNX is.
  func storedAxis(_ axis: Int, of value: Activation) -> Int {
    guard value.isChannelsLast else { return axis }
    return value.shape.count == 3 ? [0, 3, 2][axis] : [0, 3, 1, 2][axis]
  }

  /// The value with its channels last; it has three or four dimensions.
  mutating func channelsLast(_ value: Activation) throws(ONNXError) -> Activation {
    if value.isChannelsLast { return value }
    let shape = value.shape
    guard shape.count == 3 || shape.count == 4 else {
      throw unsupported("its input has \(shape.count) dimensions, not 3 or 4")
    }
    let stored = Self.lastShape(shape)
    var result: Activation
    // With one channel, or one pixel, the order is the same.
    if shape[1] == 1 || shape[2...].allSatisfy({ $0 == 1 }) {
      result = emit(.reshape, [value.tensor, counts(stored)], shape: stored)
    } else if shape.count == 4 {
      result = emit(.transpose, [value.tensor, counts([0, 2, 3, 1])], shape: stored)
    } else {
      let moved = emit(
        .transpose, [value.tensor, counts([0, 2, 1])], shape: [shape[0], shape[2], shape[1]])
      result = emit(.reshape, [moved.tensor, counts(stored)], shape: stored)
    }
    result.shape = shape
    result.isChannelsLast = true
    return result
  }

  /// The value in ONNX's order.
  mutating func plain(_ value: Activation) -> Activation {
    guard value.isChannelsLast else { return value }
    let shape = value.shape
    if shape[1] == 1 || shape[2...].allSatisfy({ $0 == 1 }) {
      return emit(.reshape, [value.tensor, counts(shape)], shape: shape)
    }
    if shape.count == 4 {
      return emit(.transpose, [value.tensor, counts([0, 3, 1, 2])], shape: shape)
    }
    let flat = emit(
      .reshape, [value.tensor, counts([shape[0], shape[2], shape[1]])],
      shape: [shape[0], shape[2], shape[1]])
    return emit(.transpose, [flat.tensor, counts([0, 2, 1])], shape: shape)
  }

  /// A constant's values in the order of a value with its channels last.
  func channelsLast(_ constant: ONNXModel.Constant, rank: Int) -> (values: [Float], shape: [Int]) {
    let shape = Array(repeating: 1, count: max(0, rank - constant.shape.count)) + constant.shape
    let order = rank == 3 ? [0, 2, 1] : [0, 2, 3, 1]
    return (
      permuted(constant.floats, shape, order), Self.lastShape(shape)
    )
  }
}

/// The elements of an array with its dimensions permuted.
func permuted<T>(_ values: [T], _ shape: [Int], _ order: [Int]) -> [T] {
  let strides = shape.indices.map { shape[($0 + 1)...].reduce(1, *) }
  let extents = order.map { shape[$0] }
  var result: [T] = []
  result.reserveCapacity(values.count)
  var index = Array(repeating: 0, count: order.count)
  for _ in 0..<values.count {
    var offset = 0
    for (place, dimension) in order.enumerated() { offset += index[place] * strides[dimension] }
    result.append(values[offset])
    for place in order.indices.reversed() {
      index[place] += 1
      if index[place] < extents[place] { break }
      index[place] = 0
    }
  }
  return result
}
