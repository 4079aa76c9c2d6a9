internal import Kernels

/// A kernel that slides over images [images, height, width, channels] and counts only what lies on
/// them.
struct SlidingWindow {
  let images: Int
  let height: Int
  let width: Int
  let channels: Int
  let outputHeight: Int
  let outputWidth: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let window: Window
  let padTop: Int
  let padBefore: Int

  init(_ placement: KernelPlacement, image: [Int]) {
    images = image[0]
    height = image[1]
    width = image[2]
    channels = placement.channels
    outputHeight = placement.outputHeight
    outputWidth = placement.outputWidth
    kernelHeight = placement.kernelHeight
    kernelWidth = placement.kernelWidth
    window = placement.window
    padTop = placement.padding.top
    padBefore = placement.padding.before
  }

  var inputCount: Int { images * height * width * channels }
  var outputCount: Int { images * outputHeight * outputWidth * channels }
  var pixelStride: Int { window.strideWidth * channels }

  /// Output pixels side by side that see the same part of the kernel.
  struct Stretch {
    /// The number of the first one.
    var pixel: Int
    var count: Int
    /// The taps of the kernel that lie on the image.
    var rows: Range<Int>
    var columns: Range<Int>
    /// The number of the input pixel under the first of them.
    var input: Int
  }

  /// Calls `body` for all output pixels, row by row.
  @inline(__always)
  func forEachStretch(_ body: (Stretch) -> Void) {
    for image in 0..<images {
      for outputRow in 0..<outputHeight {
        let top = outputRow * window.strideHeight - padTop
        let rows = taps(from: top, of: kernelHeight, window.dilationHeight, extent: height)
        let row = top + rows.lowerBound * window.dilationHeight
        let first = (image * outputHeight + outputRow) * outputWidth
        var column = 0
        while column < outputWidth {
          let left = column * window.strideWidth - padBefore
          let columns = taps(from: left, of: kernelWidth, window.dilationWidth, extent: width)
          var count = 1
          if columns.count == kernelWidth {
            let room = width - 1 - (kernelWidth - 1) * window.dilationWidth - left
            count = min(room / window.strideWidth + 1, outputWidth - column)
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

  /// Those of `count` taps, `dilation` apart from `first` on, that lie within 0..<extent.
  @inline(__always)
  private func taps(from first: Int, of count: Int, _ dilation: Int, extent: Int) -> Range<Int> {
    let before = first < 0 ? min((-first + dilation - 1) / dilation, count) : 0
    let within = first < extent ? min((extent - 1 - first) / dilation + 1, count) : 0
    return before..<max(before, within)
  }

  /// What a stretch sees, in values.
  @inline(__always)
  func part(_ stretch: Stretch) -> ImageWindow {
    ImageWindow(
      rows: stretch.rows.count, columns: stretch.columns.count,
      rowStep: window.dilationHeight * width * channels,
      columnStep: window.dilationWidth * channels)
  }
}

extension Network {
  func perform(_ step: Step.FloatDepthwise) {
    let sliding = step.sliding
    let source = unsafe UnsafeBufferPointer(floats(step.source, sliding.inputCount))
    let target = unsafe floats(step.destination, sliding.outputCount)
    sliding.forEachStretch { stretch in
      let first = stretch.input * sliding.channels
      unsafe weights.floatDepthwise[step.weights].convolve(
        pixels: stretch.count, window: sliding.part(stretch),
        first: (stretch.rows.lowerBound, stretch.columns.lowerBound),
        input: source.part(first, source.count - first), pixelStride: sliding.pixelStride,
        output: target.part(stretch.pixel * sliding.channels, stretch.count * sliding.channels),
        outputStride: sliding.channels, minimum: step.range.lowerBound,
        maximum: step.range.upperBound)
    }
  }

  /// Maxima or means; what lies outside of the image does not count.
  func perform(_ pool: Step.Pool) {
    let sliding = pool.sliding
    let source = unsafe UnsafeBufferPointer(floats(pool.source, sliding.inputCount))
    let target = unsafe floats(pool.destination, sliding.outputCount)
    sliding.forEachStretch { stretch in
      let first = stretch.input * sliding.channels
      unsafe pools.pool(
        isMaximum: pool.isMaximum, pixels: stretch.count, channels: sliding.channels,
        window: sliding.part(stretch), input: source.part(first, source.count - first),
        pixelStride: sliding.pixelStride,
        factor: 1 / Float(stretch.rows.count * stretch.columns.count),
        into: target.part(stretch.pixel * sliding.channels, stretch.count * sliding.channels),
        minimum: pool.range.lowerBound, maximum: pool.range.upperBound)
    }
  }
}
