/// Where the kernel of a convolution is applied to an image, and the padding that this needs.
struct KernelPlacement {
  let window: Window
  let channels: Int
  let kernelHeight: Int
  let kernelWidth: Int
  let outputHeight: Int
  let outputWidth: Int
  let padding: ImagePadding
  /// Elements of one row of the padded image.
  let rowCount: Int
  /// Elements of the padded image.
  let imageCount: Int

  init(
    _ window: Window, image: [Int], kernel: (height: Int, width: Int), _ dataflow: Dataflow,
    _ index: Int
  ) throws(EngineError) {
    let steps = [
      window.strideHeight, window.strideWidth, window.dilationHeight, window.dilationWidth,
    ]
    guard steps.allSatisfy({ (1...Storage.limit).contains($0) }) else {
      throw dataflow.invalid(index, "its strides and dilations are \(steps)")
    }
    let vertical = Placement(
      extent: image[1], kernel: kernel.height, stride: window.strideHeight,
      dilation: window.dilationHeight, window.padding)
    let horizontal = Placement(
      extent: image[2], kernel: kernel.width, stride: window.strideWidth,
      dilation: window.dilationWidth, window.padding)
    guard vertical.outputs > 0, horizontal.outputs > 0 else {
      throw dataflow.invalid(index, "its kernel of \(kernel) is larger than \(image)")
    }
    self.window = window
    channels = image[3]
    kernelHeight = kernel.height
    kernelWidth = kernel.width
    outputHeight = vertical.outputs
    outputWidth = horizontal.outputs
    padding = ImagePadding(
      top: vertical.before, bottom: vertical.after, before: horizontal.before,
      after: horizontal.after)
    rowCount = try dataflow.checkedProduct([
      image[2] + horizontal.before + horizontal.after, channels,
    ])
    imageCount = try dataflow.checkedProduct([
      rowCount, image[1] + vertical.before + vertical.after,
    ])
  }

  /// The sizes of a padded image whose rows are split into columns of equal remainder: elements of
  /// these columns in a row, of a row, and of the image.
  var split: (columns: Int, rowCount: Int, imageCount: Int) {
    let (stride, width) = (window.strideWidth, rowCount / channels)
    let columns = ((width - 1) / stride + 1) * channels
    return (columns, columns * stride, columns * stride * (imageCount / rowCount))
  }

  /// Whether the inputs of an output pixel are contiguous.
  var isContiguous: Bool {
    kernelHeight == 1 && (kernelWidth == 1 || window.dilationWidth == 1)
  }

  /// Whether every output pixel reads one input pixel, a different one each.
  var isPointwise: Bool {
    kernelHeight == 1 && kernelWidth == 1 && window.strideHeight == 1 && window.strideWidth == 1
  }

  /// The placement along one dimension.
  private struct Placement {
    var outputs: Int
    var before = 0
    var after = 0

    init(extent: Int, kernel: Int, stride: Int, dilation: Int, _ padding: Window.Padding) {
      let reach = (kernel - 1) * dilation + 1
      switch padding {
      case .valid:
        outputs = extent < reach ? 0 : (extent - reach) / stride + 1
      case .same:
        outputs = (extent - 1) / stride + 1
        let missing = max((outputs - 1) * stride + reach - extent, 0)
        before = missing / 2
        after = missing - before
      }
    }
  }
}

extension Step.Depthwise {
  /// For a kernel placed on `images` padded images.
  init(
    _ placement: KernelPlacement, _ layer: LayerReference, source: Address, tapOffsets: Address,
    destination: Address, images: Int
  ) {
    self.init(
      layer: layer, source: source, tapOffsets: tapOffsets, destination: destination,
      images: images, imageStep: placement.imageCount, outputHeight: placement.outputHeight,
      rowStep: placement.rowCount * placement.window.strideHeight,
      outputWidth: placement.outputWidth,
      pixelStride: placement.channels * placement.window.strideWidth)
  }
}
