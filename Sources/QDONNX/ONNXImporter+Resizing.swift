internal import QDEngine

extension ONNXImporter {
  /// The scaling of height and width by a resize.
  private struct Scaling {
    var shape: [Int]
    /// By dimension: the factor of its length.
    var scales: [Double]
    var transformation: String
  }

  mutating func convertResize() throws(ONNXError) {
    let x = try activation(0)
    guard x.shape.count == 4 || x.shape.count == 3 else {
      throw unsupported("its input has \(x.shape.count) dimensions")
    }
    let scaling = try scaling(x.shape)
    let (shape, transformation) = (scaling.shape, scaling.transformation)
    guard shape[0] == x.shape[0], shape[1] == x.shape[1], shape.allSatisfy({ $0 > 0 }) else {
      throw unsupported("it resizes \(x.shape) to \(shape)")
    }
    switch string("mode", "nearest") {
    case "nearest": set(try nearest(x, scaling))
    case "linear", "bilinear":
      let isExact = x.shape.indices.allSatisfy { axis in
        abs(Double(x.shape[axis]) * scaling.scales[axis] - Double(shape[axis])) < 1e-6
      }
      let resizing: Resizing
      switch transformation {
      case "asymmetric": resizing = Resizing(isLinear: true)
      case "half_pixel": resizing = Resizing(isLinear: true, hasHalfPixelCenters: true)
      case "pytorch_half_pixel" where zip(x.shape, shape).allSatisfy({ $1 > 1 || $0 == 1 }):
        resizing = Resizing(isLinear: true, hasHalfPixelCenters: true)
      case "align_corners": resizing = Resizing(isLinear: true, alignsCorners: true)
      default: throw unsupported("its mode is linear, \(transformation)")
      }
      guard isExact, integer("antialias", 0) == 0 else {
        throw unsupported("its scales are not those of its sizes, or it smooths")
      }
      set(try resized(x, resizing, shape))
    default: throw unsupported("its mode is \(string("mode", ""))")
    }
  }

  private mutating func resized(
    _ x: Activation, _ resizing: Resizing, _ shape: [Int]
  ) throws(ONNXError) -> Activation {
    let data = try channelsLast(x)
    let size = Self.lastShape(shape)[1...2]
    return emit(
      .resize(resizing), [data.tensor, counts(Array(size))], shape: shape, isChannelsLast: true,
      version: 3)
  }

  private func scaling(_ old: [Int]) throws(ONNXError) -> Scaling {
    let isOld = node.kind == "Upsample"
    let place = isOld || model.operatorSet < 11 ? 1 : 2
    var axes = Array(old.indices)
    if let listed = integers("axes") {
      axes = []
      for axis in listed { axes.append(try self.axis(axis, rank: old.count)) }
    }
    guard string("keep_aspect_ratio_policy", "stretch") == "stretch" else {
      throw unsupported("it keeps its aspect ratio")
    }
    var result = Scaling(
      shape: old, scales: old.map { _ in 1 },
      transformation: isOld || model.operatorSet < 11
        ? "asymmetric" : string("coordinate_transformation_mode", "half_pixel"))
    let sizes = !isOld && has(3) ? try integers(3) : []
    let scales = sizes.isEmpty ? try given(place) : []
    guard sizes.count == axes.count || scales.count == axes.count else {
      throw unsupported("its scales do not fit")
    }
    for (index, axis) in axes.enumerated() {
      if sizes.isEmpty {
        let scale = Double(scales[index])
        guard scale > 0, scale < 65536 else { throw unsupported("its scales are \(scales)") }
        result.scales[axis] = scale
        result.shape[axis] = Int((Double(old[axis]) * scale).rounded(.down))
      } else {
        guard (1...1 << 24).contains(sizes[index]) else {
          throw unsupported("its sizes are \(sizes)")
        }
        result.scales[axis] = Double(sizes[index]) / Double(old[axis])
        result.shape[axis] = sizes[index]
      }
    }
    return result
  }

  private func given(_ place: Int) throws(ONNXError) -> [Float] {
    if case .floats(let list)? = node.attributes["scales"] { return list }
    return try constant(place).floats
  }

  private mutating func nearest(_ x: Activation, _ scaling: Scaling) throws(ONNXError) -> Activation
  {
    let isOld = node.kind == "Upsample" || model.operatorSet < 11
    let rounding = isOld ? "floor" : string("nearest_mode", "round_prefer_floor")
    var indices: [[Int]] = []
    for (axis, extent) in x.shape.enumerated() {
      let (size, scale) = (scaling.shape[axis], scaling.scales[axis])
      var list: [Int] = []
      for place in 0..<size {
        let position: Double
        switch scaling.transformation {
        case "asymmetric": position = Double(place) / scale
        case "half_pixel": position = (Double(place) + 0.5) / scale - 0.5
        case "pytorch_half_pixel":
          position = size > 1 ? (Double(place) + 0.5) / scale - 0.5 : 0
        case "align_corners":
          position = size > 1 ? Double(place) * Double(extent - 1) / Double(size - 1) : 0
        default: throw unsupported("its mode is nearest, \(scaling.transformation)")
        }
        let index: Double
        switch rounding {
        case "floor": index = position.rounded(.down)
        case "ceil": index = position.rounded(.up)
        case "round_prefer_ceil": index = (position + 0.5).rounded(.down)
        default: index = (position - 0.5).rounded(.up)
        }
        list.append(min(max(Int(index), 0), extent - 1))
      }
      indices.append(list)
    }
    let isPlain = x.shape.indices.allSatisfy { axis in
      indices[axis] == (0..<scaling.shape[axis]).map { $0 * x.shape[axis] / scaling.shape[axis] }
    }
    if isPlain { return try resized(x, Resizing(isLinear: false), scaling.shape) }
    return try taking(x, indices)
  }
}
