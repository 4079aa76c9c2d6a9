internal import QDKernels

extension Lowering {
  /// Scales images [N, H, W, C] to another height and width.
  mutating func lowerResize(_ index: Int, _ resizing: Resizing) throws(EngineError) {
    let input = try input(index, 0)
    let output = try output(index)
    let image = shape(input)
    let size = try integers(try self.input(index, 1))
    if infersShapes, image.count == 4, size.count == 2 {
      try requireShape(output, [image[0], size[0], size[1], image[3]], index)
    }
    let result = shape(output)
    guard image.count == 4, result.count == 4, size == [result[1], result[2]],
      image[0] == result[0], image[3] == result[3]
    else { throw invalid(index, "\(image) is not resized from \(size) to \(result)") }
    guard !(resizing.alignsCorners && resizing.hasHalfPixelCenters) else {
      throw unsupported(index, "it aligns corners and has half-pixel centers")
    }
    let source = try value(of: input, for: index)
    let destination = try destination(output, for: index)
    let elementSize = elementSize(input, for: index)
    let taps = elementSize == 2 && resizing.isLinear ? resizing.taps10 : resizing.taps
    let rows = try constantStorage(taps(image[1], result[1]).flatMap(\.bytes))
    let columns = try constantStorage(taps(image[2], result[2]).flatMap(\.bytes))
    emit(
      .resize(
        Step.Resize(
          isLinear: resizing.isLinear, source: address(source), destination: address(destination),
          rows: address(rows), columns: address(columns), images: image[0], height: image[1],
          width: image[2], outputHeight: result[1], outputWidth: result[2], channels: image[3],
          elementSize: elementSize)),
      touching: [source.storage, destination.storage, rows, columns])
  }
}

/// The source of an output row or column: two rows or columns of the input, and the weight of the
/// second.
struct ResizeTap: BitwiseCopyable {
  var first: Int32
  var second: Int32
  var share: Float

  var bytes: [UInt8] {
    [UInt32(bitPattern: first), UInt32(bitPattern: second), share.bitPattern].flatMap { word in
      (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * $0)) }
    }
  }
}

extension Resizing {
  /// As in TensorFlow Lite.
  func taps(_ inputs: Int, _ outputs: Int) -> [ResizeTap] {
    let scale =
      alignsCorners && outputs > 1
      ? Float(inputs - 1) / Float(outputs - 1) : Float(inputs) / Float(outputs)
    return (0..<outputs).map { output in
      let position =
        hasHalfPixelCenters
        ? (Float(output) + 0.5) * scale - (isLinear ? 0.5 : 0) : Float(output) * scale
      guard isLinear else {
        let nearest = alignsCorners ? position.rounded() : position.rounded(.down)
        let bounded = Int32(min(max(nearest, 0), Float(inputs - 1)))
        return ResizeTap(first: bounded, second: bounded, share: 0)
      }
      let first = min(max(position.rounded(.down), 0), Float(inputs - 1))
      let second = max(min(position.rounded(.up), Float(inputs - 1)), 0)
      return ResizeTap(first: Int32(first), second: Int32(second), share: position - first)
    }
  }

  /// As in TensorFlow Lite's own kernel for integers: scales and positions have 10 bits behind the
  /// point.
  func taps10(_ inputs: Int, _ outputs: Int) -> [ResizeTap] {
    let unit = 1 << 10
    let (from, to) =
      alignsCorners && outputs > 1 ? (inputs - 1, outputs - 1) : (inputs, outputs)
    let scale = (unit * from + to / 2) / max(to, 1)
    return (0..<outputs).map { output in
      let position = output * scale + (hasHalfPixelCenters ? scale / 2 - unit / 2 : 0)
      // A scale that was rounded up leads beyond the last pixel.
      let first = min(max(position / unit, 0), inputs - 1)
      let second = min((position + unit - 1) / unit, inputs - 1)
      return ResizeTap(
        first: Int32(first), second: Int32(second),
        share: Float(position - unit * first) / Float(unit))
    }
  }
}

extension Network {
  func perform(_ step: Step.Resize) {
    if !step.isLinear {
      performNearest(step)
    } else if step.elementSize == 1 {
      performByteLinear(step)
    } else if step.elementSize == 2 {
      performInt16Linear(step)
    } else {
      performLinear(step)
    }
  }

  private func performNearest(_ step: Step.Resize) {
    let pixel = step.channels * step.elementSize
    let source = unsafe UnsafeBufferPointer(
      bytes(step.source, step.images * step.height * step.width * pixel))
    let target = unsafe bytes(
      step.destination, step.images * step.outputHeight * step.outputWidth * pixel)
    forEachPixel(of: step) { index, corners, _, _ in
      unsafe UnsafeMutableRawBufferPointer(target.part(index * pixel, pixel)).copyMemory(
        from: UnsafeRawBufferPointer(source.part(corners[0] * pixel, pixel)))
    }
  }

  private func performLinear(_ step: Step.Resize) {
    let channels = step.channels
    let source = unsafe UnsafeBufferPointer(
      floats(step.source, step.images * step.height * step.width * channels))
    let target = unsafe floats(
      step.destination, step.images * step.outputHeight * step.outputWidth * channels)
    forEachPixel(of: step) { index, corners, vertical, horizontal in
      let result = unsafe target.part(index * channels, channels)
      let topLeft = unsafe source.part(corners[0] * channels, channels)
      let bottomLeft = unsafe source.part(corners[1] * channels, channels)
      let topRight = unsafe source.part(corners[2] * channels, channels)
      let bottomRight = unsafe source.part(corners[3] * channels, channels)
      for channel in 0..<channels {
        let left = unsafe topLeft[channel] * (1 - vertical) + bottomLeft[channel] * vertical
        let right = unsafe topRight[channel] * (1 - vertical) + bottomRight[channel] * vertical
        unsafe result[channel] = left * (1 - horizontal) + right * horizontal
      }
    }
  }

  /// As in XNNPACK: weights of 11 bits, and sums of 22 bits that are rounded half up.
  private func performByteLinear(_ step: Step.Resize) {
    let channels = step.channels
    let flip: UInt8 = instructionSet.storesUnsigned ? 0x80 : 0
    let source = unsafe UnsafeBufferPointer(
      bytes(step.source, step.images * step.height * step.width * channels))
    let target = unsafe bytes(
      step.destination, step.images * step.outputHeight * step.outputWidth * channels)
    forEachPixel(of: step) { index, corners, vertical, horizontal in
      let down = Int32((2048 * vertical).rounded(.toNearestOrEven))
      let right = Int32((2048 * horizontal).rounded(.toNearestOrEven))
      let result = unsafe target.part(index * channels, channels)
      let topLeft = unsafe source.part(corners[0] * channels, channels)
      let bottomLeft = unsafe source.part(corners[1] * channels, channels)
      let topRight = unsafe source.part(corners[2] * channels, channels)
      let bottomRight = unsafe source.part(corners[3] * channels, channels)
      func value(_ stored: UInt8) -> Int32 { Int32(Int8(bitPattern: stored ^ flip)) }
      for channel in 0..<channels {
        let first = unsafe value(topLeft[channel])
        let top = unsafe first &* 2048 &+ (value(topRight[channel]) &- first) &* right
        let second = unsafe value(bottomLeft[channel])
        let bottom = unsafe second &* 2048 &+ (value(bottomRight[channel]) &- second) &* right
        let sum = top &* 2048 &+ (bottom &- top) &* down
        unsafe result[channel] = UInt8(truncatingIfNeeded: (sum &+ 1 << 21) >> 22) ^ flip
      }
    }
  }

  /// As in TensorFlow Lite's own kernel: weights of 10 bits, and sums of 20 bits that are rounded to
  /// the nearest, halves away from zero.
  private func performInt16Linear(_ step: Step.Resize) {
    let channels = step.channels
    let source = unsafe UnsafeBufferPointer(
      elements(Int16.self, step.source, step.images * step.height * step.width * channels))
    let target = unsafe elements(
      Int16.self, step.destination,
      step.images * step.outputHeight * step.outputWidth * channels)
    forEachPixel(of: step) { index, corners, vertical, horizontal in
      let (down, right) = (Int(1024 * vertical), Int(1024 * horizontal))
      let (up, left) = (1024 - down, 1024 - right)
      for channel in 0..<channels {
        func value(_ corner: Int) -> Int {
          unsafe Int(source[corners[corner] * channels + channel])
        }
        let sum =
          value(0) &* up &* left &+ value(1) &* down &* left &+ value(2) &* up &* right
          &+ value(3) &* down &* right
        let rounded = (sum &+ (sum > 0 ? 1 << 19 : -1 << 19)) / (1 << 20)
        unsafe target[index * channels + channel] = Int16(truncatingIfNeeded: rounded)
      }
    }
  }

  /// Calls `body` with the index of every output pixel, the indices of the input pixels around it
  /// (top left, bottom left, top right, bottom right), and the weights of the bottom and of the
  /// right.
  @inline(__always)
  private func forEachPixel(
    of step: Step.Resize, _ body: (Int, InlineArray<4, Int>, Float, Float) -> Void
  ) {
    let rows = unsafe elements(ResizeTap.self, step.rows, step.outputHeight)
    let columns = unsafe elements(ResizeTap.self, step.columns, step.outputWidth)
    for image in 0..<step.images {
      for row in 0..<step.outputHeight {
        let vertical = unsafe rows[row]
        let top = (image * step.height + Int(vertical.first)) * step.width
        let bottom = (image * step.height + Int(vertical.second)) * step.width
        let first = (image * step.outputHeight + row) * step.outputWidth
        for column in 0..<step.outputWidth {
          let across = unsafe columns[column]
          let (left, right) = (Int(across.first), Int(across.second))
          body(
            first + column, [top + left, bottom + left, top + right, bottom + right],
            vertical.share, across.share)
        }
      }
    }
  }
}
