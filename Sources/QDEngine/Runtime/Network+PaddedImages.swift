internal import QDKernels

extension Network {
  func perform(_ images: Step.PaddedImages, paddingWith byte: UInt8, _ part: StepPart) {
    let (height, length) = (images.height, images.rowLength)
    let source = unsafe UnsafeBufferPointer(
      bytes(images.source, images.images * height * length))
    let target = unsafe bytes(images.destination, images.images * images.paddedCount)
    let inner = images.inner
    for index in part.range(of: images.images * height) {
      let row = index % height
      let padded = unsafe target.part(index / height * images.paddedCount, images.paddedCount)
      let first = inner.lowerBound + row * images.stride
      let end = row == height - 1 ? padded.count : first + images.stride
      if row == 0 { unsafe padded.part(0, first).update(repeating: byte) }
      unsafe _ = padded.part(first, length).update(
        fromContentsOf: source.part(index * length, length))
      unsafe padded.part(first + length, end - first - length).update(repeating: byte)
    }
  }

  /// Of a layer with int16 activations.
  func perform(_ step: Step.SplitImage) {
    let image = step.images
    let count = image.height * image.rowLength
    let source = unsafe UnsafeBufferPointer(
      elements(Int16.self, image.source, image.images * count))
    let target = unsafe bytes(
      image.destination, step.planeStep + image.images * image.paddedCount)
    let zero = integers.splitZero
    // Contiguous rows are one row.
    let isDense = image.stride == image.rowLength
    let rows = isDense ? 1 : image.height
    let length = isDense ? count : image.rowLength
    for index in 0..<image.images {
      let first = index * image.paddedCount
      let high = unsafe target.part(first, image.paddedCount)
      let low = unsafe target.part(first + step.planeStep, image.paddedCount)
      for row in 0..<rows {
        let place = image.inner.lowerBound + row * image.stride
        unsafe integers.split(
          source.part(index * count + row * length, length), high: high.part(place, length),
          low: low.part(place, length))
      }
      unsafe image.fillPadding(of: high, with: zero.high)
      unsafe image.fillPadding(of: low, with: zero.low)
    }
  }
}

extension Step.PaddedImages {
  /// Fills the padding around the rows of a padded image.
  func fillPadding(of padded: UnsafeMutableBufferPointer<UInt8>, with zero: UInt8) {
    unsafe padded.part(0, inner.lowerBound).update(repeating: zero)
    // Between two rows lies the padding after one and before the next.
    let gap = padAfter + padBefore
    for row in 0..<height - 1 where gap > 0 {
      unsafe padded.part(inner.lowerBound + row * stride + rowLength, gap)
        .update(repeating: zero)
    }
    unsafe padded.part(inner.upperBound, padded.count - inner.upperBound).update(repeating: zero)
  }
}
