internal import QDKernels

/// A kernel that slides over images [images, height, width, channels]; only taps on the image
/// count.
struct SlidingWindow {
  let placement: KernelPlacement
  let images: Int
  let height: Int
  let width: Int

  init(_ placement: KernelPlacement, image: [Int]) {
    self.placement = placement
    images = image[0]
    height = image[1]
    width = image[2]
  }

  var channels: Int { placement.channels }
  var inputCount: Int { images * height * width * channels }
  var outputCount: Int { images * placement.outputHeight * placement.outputWidth * channels }
  var pixelStride: Int { placement.window.strideWidth * channels }

  /// Adjacent output pixels with the same part of the kernel on the image.
  struct Stretch {
    /// The index of the first one.
    var pixel: Int
    var count: Int
    /// The taps of the kernel that lie on the image.
    var rows: Range<Int>
    var columns: Range<Int>
    /// The index of the input pixel under the first of them.
    var input: Int
  }

  /// Calls `body` for the output pixels of a part, row by row.
  @inline(__always)
  func forEachStretch(_ part: StepPart, _ body: (Stretch) -> Void) {
    let (window, kernelWidth) = (placement.window, placement.kernelWidth)
    let allRows = part.range(of: images * placement.outputHeight)
    for image in 0..<images {
      let firstRow = image * placement.outputHeight
      let own = allRows.clamped(to: firstRow..<firstRow + placement.outputHeight)
      for outputRow in own.lowerBound - firstRow..<own.upperBound - firstRow {
        let top = outputRow * window.strideHeight - placement.padding.top
        let rows = taps(
          from: top, of: placement.kernelHeight, window.dilationHeight, extent: height)
        let row = top + rows.lowerBound * window.dilationHeight
        let first = (image * placement.outputHeight + outputRow) * placement.outputWidth
        var column = 0
        while column < placement.outputWidth {
          let left = column * window.strideWidth - placement.padding.before
          let columns = taps(from: left, of: kernelWidth, window.dilationWidth, extent: width)
          var count = 1
          if columns.count == kernelWidth {
            let room = width - 1 - (kernelWidth - 1) * window.dilationWidth - left
            count = min(room / window.strideWidth + 1, placement.outputWidth - column)
          }
          let isEmpty = rows.isEmpty || columns.isEmpty
          let across = left + columns.lowerBound * window.dilationWidth
          body(
            Stretch(
              pixel: first + column, count: count, rows: rows, columns: columns,
              input: isEmpty ? 0 : (image * height + row) * width + across))
          column += count
        }
      }
    }
  }

  /// Those of `count` taps, starting at `first` with distances of `dilation`, that lie within
  /// 0..<extent.
  @inline(__always)
  private func taps(from first: Int, of count: Int, _ dilation: Int, extent: Int) -> Range<Int> {
    let before = first < 0 ? min((-first + dilation - 1) / dilation, count) : 0
    let within = first < extent ? min((extent - 1 - first) / dilation + 1, count) : 0
    return before..<max(before, within)
  }

  /// The part of the image under a stretch, in values.
  @inline(__always)
  func part(_ stretch: Stretch) -> ImageWindow {
    ImageWindow(
      rows: stretch.rows.count, columns: stretch.columns.count,
      rowStep: placement.window.dilationHeight * width * channels,
      columnStep: placement.window.dilationWidth * channels)
  }
}

extension Network {
  func performDepthwise(_ slide: Step.Slide, _ layer: LayerReference, _ part: StepPart) {
    switch unsafe layers.depthwise[layer.index] {
    case .f32(let layer):
      let sliding = slide.sliding
      unsafe forEachStretch(of: slide, part, Float.self) { stretch, source, target in
        unsafe layer.convolve(
          pixels: stretch.count, window: sliding.part(stretch),
          first: (stretch.rows.lowerBound, stretch.columns.lowerBound), input: source,
          pixelStride: sliding.pixelStride, output: target, outputStride: sliding.channels,
          minimum: slide.range.lowerBound, maximum: slide.range.upperBound)
      }
    default: preconditionFailure("its layer is not f32")
    }
  }

  /// Maxima or means over the taps on the image.
  func performPool(_ slide: Step.Slide, isMaximum: Bool, _ part: StepPart) {
    let sliding = slide.sliding
    unsafe forEachStretch(of: slide, part, Float.self) { stretch, source, target in
      let window = sliding.part(stretch)
      if isMaximum {
        return unsafe pools.maximum(
          pixels: stretch.count, channels: sliding.channels, window: window, input: source,
          pixelStride: sliding.pixelStride, into: target, minimum: slide.range.lowerBound,
          maximum: slide.range.upperBound)
      }
      unsafe pools.mean(
        pixels: stretch.count, channels: sliding.channels, window: window,
        kernelRows: sliding.placement.kernelHeight,
        first: (stretch.rows.lowerBound, stretch.columns.lowerBound), input: source,
        pixelStride: sliding.pixelStride, factor: 1 / Float(window.rows * window.columns),
        into: target, minimum: slide.range.lowerBound, maximum: slide.range.upperBound)
    }
  }

  /// The same for stored bytes.
  func performPool(
    _ slide: Step.Slide, isMaximum: Bool, _ results: IntegerPool.Results, _ part: StepPart
  ) {
    let sliding = slide.sliding
    unsafe forEachStretch(of: slide, part, UInt8.self) { stretch, source, target in
      unsafe integerPools.pool(
        isMaximum: isMaximum, pixels: stretch.count, channels: sliding.channels,
        window: sliding.part(stretch), input: source, pixelStride: sliding.pixelStride, results,
        into: target)
    }
  }

  /// Calls `body` with every stretch of pixels, its inputs from the first tap on, and its results.
  @inline(__always)
  private func forEachStretch<Element: BitwiseCopyable>(
    of slide: Step.Slide, _ part: StepPart, _: Element.Type,
    _ body: (
      SlidingWindow.Stretch, UnsafeBufferPointer<Element>, UnsafeMutableBufferPointer<Element>
    ) -> Void
  ) {
    let sliding = slide.sliding
    let channels = sliding.channels
    let source = unsafe UnsafeBufferPointer(
      elements(Element.self, slide.source, sliding.inputCount))
    let target = unsafe elements(Element.self, slide.destination, sliding.outputCount)
    sliding.forEachStretch(part) { stretch in
      let first = stretch.input * channels
      unsafe body(
        stretch, source.part(first, source.count - first),
        target.part(stretch.pixel * channels, stretch.count * channels))
    }
  }
}
