internal import QDKernels

/// How steps are split into parts. Parts have the bits of the whole: no sum is split.
extension Step {
  /// The minimum work, in nanoseconds, that is worth a second thread, which costs one or two
  /// thousand. A step that is not shared fetches what other threads wrote from their caches.
  static let leastSharedWork = 5000.0

  /// The number of parts of each step: 1 for all if no step is long enough that threads gain
  /// anything for the whole network.
  ///
  /// - Parameter least: the minimum work in nanoseconds of a step that is split.
  static func parts(of steps: [Step], threads: Int, least: Double) -> [Int] {
    let longest = steps.reduce(0) { max($0, $1.units?.work ?? 0) }
    return steps.map { longest >= 4 * least ? $0.parts(threads: threads, least: least) : 1 }
  }

  private func parts(threads: Int, least: Double) -> Int {
    guard threads > 1, let (units, work) = units, work >= least else { return 1 }
    // Long steps get more parts, so that a late thread does less; but each part reads all weights.
    // No part of a short one has less than half of the least work.
    let most = Int(min(Double(threads), 2 * work / max(least, 1)))
    let wanted = work >= 200 * least ? 3 * threads : most
    return max(min(wanted, units), 1)
  }

  /// The maximum number of parts of the step, and its duration in nanoseconds, roughly, on a
  /// processor with AVX2. nil if it cannot be split.
  private var units: (count: Int, work: Double)? {
    switch self {
    case .product(let product) where product.layer.type != .f16:
      let macs = Double(product.rows * product.repeats) * Double(product.inputs * product.outputs)
      let count =
        product.isCutAlongOutputs
        ? product.outputs / Product.outputGranule : product.rows * product.repeats
      return (count, macs / product.layer.type.macsPerNanosecond)
    case .depthwise(let step):
      let values = step.images * step.outputHeight * step.outputWidth * step.pixelStride
      return (step.images * step.outputHeight, Double(values) / 2)
    case .f32Depthwise(let slide, _): return slide.units(perNanosecond: 8)
    case .pool(let slide, _), .integerPool(let slide, _, _): return slide.units(perNanosecond: 4)
    case .quantizeRows(let rows): return (rows.rows, Double(rows.rows * rows.columns) / 4)
    case .copy(let copy): return copy.units
    case .padImage(let images, _):
      let rows = images.images * images.height
      return (rows, Double(rows * images.rowLength) / 16)
    case .fill(_, let count, _): return (count / Step.valueGranule, Double(count) / 32)
    case .binary(let binary, _, _), .integerBinary(let binary, _): return binary.units
    case .unary(let unary): return (unary.count / Step.valueGranule, Double(unary.count))
    case .lookUp(let conversion, _), .quantize(let conversion), .dequantize(let conversion):
      return (conversion.count / Step.valueGranule, Double(conversion.count) / 2)
    default: return nil
    }
  }

  /// Parts of elementwise steps begin at multiples of this.
  static let valueGranule = 64
}

extension LayerType {
  fileprivate var macsPerNanosecond: Double {
    switch self {
    case .f32, .f16: 25
    case .qd8, .qs8: 60
    case .qs16: 30
    }
  }
}

extension Step.Product {
  /// The columns of a kernel's tile divide this.
  static let outputGranule = 64
  /// The rows of most kernels' tiles divide the first, for long products; those of many the second.
  static let rowGranules = (24, 6)
  /// From here on threads share the rows whatever the weights are: then each finds in its own cache
  /// what it computed in the layer before.
  static let enoughRows = 128

  /// Whether threads share the outputs instead of the rows: all of them then read the inputs, which
  /// are fewer than the weights.
  var isCutAlongOutputs: Bool {
    @inline(__always) get {
      let rows = rows * repeats
      return outputs > rows && rows < Step.Product.enoughRows
        && outputs >= 2 * Step.Product.outputGranule && !layer.isSparse
    }
  }

  /// The outputs of a part; all of them if the parts are rows.
  @inline(__always)
  func outputs(_ part: StepPart, _ tile: Int) -> Range<Int> {
    part.count > 1 && isCutAlongOutputs
      ? part.range(of: outputs, granule: tile) : 0..<outputs
  }

  /// The rows of a part; those of repeated products are consecutive.
  @inline(__always)
  func rows(_ part: StepPart) -> Range<Int> {
    let all = rows * repeats
    if part.count == 1 || isCutAlongOutputs { return 0..<all }
    let granules = Step.Product.rowGranules
    let dense = all >= 8 * part.count * granules.0 ? granules.0 : granules.1
    let granule =
      repeats >= 2 * part.count ? rows : layer.isSparse ? Step.Product.outputGranule : dense
    return part.range(of: all, granule: all >= 2 * part.count * granule ? granule : 1)
  }
}

extension Step.Slide {
  fileprivate func units(perNanosecond: Double) -> (count: Int, work: Double) {
    let placement = sliding.placement
    let taps = placement.kernelHeight * placement.kernelWidth
    return (
      sliding.images * placement.outputHeight, Double(sliding.outputCount * taps) / perNanosecond
    )
  }
}

extension Step.Copy {
  /// Along the outermost loop.
  fileprivate var units: (count: Int, work: Double) {
    (nest.rank > 0 ? nest.extents[0] : rows.extent, Double(nest.count * rows.extent * block) / 16)
  }

  @inline(__always)
  func part(_ part: StepPart) -> Step.Copy {
    if part.count == 1 { return self }
    var result = self
    if nest.rank > 0 {
      let range = part.range(of: nest.extents[0])
      result.source.offset += Int32(range.lowerBound * nest.a[0])
      result.destination.offset += Int32(range.lowerBound * nest.y[0])
      result.nest.narrow(to: range.count)
    } else {
      let range = part.range(of: rows.extent)
      result.source.offset += Int32(range.lowerBound * rows.a)
      result.destination.offset += Int32(range.lowerBound * rows.y)
      result.rows.extent = range.count
    }
    return result
  }
}

extension Step.Binary {
  /// Along the outermost loop.
  fileprivate var units: (count: Int, work: Double) {
    let count = nest.rank > 0 ? nest.extents[0] : rows.extent > 1 ? rows.extent : columns.extent
    return (count, Double(nest.count * rows.extent * columns.extent) / 4)
  }

  /// - Parameter size: bytes of an element.
  @inline(__always)
  func part(_ part: StepPart, size: Int) -> Step.Binary {
    if part.count == 1 { return self }
    var result = self
    func move(_ first: Int, _ dimension: Nest.Dimension) {
      result.a.offset += Int32(first * dimension.a * size)
      result.b.offset += Int32(first * dimension.b * size)
      result.destination.offset += Int32(first * dimension.y * size)
    }
    if nest.rank > 0 {
      let range = part.range(of: nest.extents[0])
      move(
        range.lowerBound,
        Nest.Dimension(extent: 0, a: nest.a[0], b: nest.b[0], y: nest.y[0]))
      result.nest.narrow(to: range.count)
    } else if rows.extent > 1 {
      let range = part.range(of: rows.extent)
      move(range.lowerBound, rows)
      result.rows.extent = range.count
    } else {
      let range = part.range(of: columns.extent)
      move(range.lowerBound, columns)
      result.columns.extent = range.count
    }
    return result
  }
}

extension Step.Unary {
  func part(_ part: StepPart) -> Step.Unary {
    if part.count == 1 { return self }
    let range = part.range(of: count, granule: Step.valueGranule)
    var result = self
    result.source.offset += Int32(range.lowerBound * MemoryLayout<Float>.size)
    result.destination.offset += Int32(range.lowerBound * MemoryLayout<Float>.size)
    result.count = range.count
    return result
  }
}

extension Step.Conversion {
  /// - Parameters:
  ///   - sourceSize: bytes of an element.
  ///   - targetSize: the same of the result.
  func part(_ part: StepPart, _ sourceSize: Int, _ targetSize: Int) -> Step.Conversion {
    if part.count == 1 { return self }
    let range = part.range(of: count, granule: Step.valueGranule)
    var result = self
    result.source.offset += Int32(range.lowerBound * sourceSize)
    result.destination.offset += Int32(range.lowerBound * targetSize)
    result.count = range.count
    return result
  }
}
