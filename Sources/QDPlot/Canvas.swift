internal import CQDPNG

/// A pixel buffer, with 0, 0 at its top left.
struct Canvas {
  let width: Int
  let height: Int
  private var bytes: [UInt8]

  init(width: Int, height: Int) {
    self.width = width
    self.height = height
    bytes = [UInt8](repeating: 255, count: 3 * width * height)
  }

  subscript(x: Int, y: Int) -> Colour {
    get {
      let index = 3 * (y * width + x)
      var colour = Colour.paper
      (colour.red, colour.green, colour.blue) = (bytes[index], bytes[index + 1], bytes[index + 2])
      return colour
    }
    set {
      guard x >= 0, x < width, y >= 0, y < height else { return }
      let index = 3 * (y * width + x)
      bytes[index] = newValue.red
      bytes[index + 1] = newValue.green
      bytes[index + 2] = newValue.blue
    }
  }

  mutating func fill(x: Range<Int>, y: Range<Int>, _ colour: Colour) {
    for row in y {
      for column in x { self[column, row] = colour }
    }
  }

  enum Alignment { case left, centre, right }

  /// Writes a line of text; `y` is the top of its capital letters.
  mutating func write(
    _ text: String, x: Int, y: Int, font: Font, colour: Colour = .ink, align: Alignment = .left
  ) {
    // A blank column follows the last letter.
    let span = text.count * font.advance - Int(font.pitch)
    var left =
      switch align {
      case .left: x
      case .centre: x - span / 2
      case .right: x - span
      }
    for letter in text {
      let mask = font.coverage(of: letter)
      for (index, share) in mask.enumerated() where share > 0 {
        let (column, row) = (left + index % font.advance, y + index / font.advance)
        guard column >= 0, column < width, row >= 0, row < height else { continue }
        self[column, row] = self[column, row].mixed(with: colour, share)
      }
      left += font.advance
    }
  }

  /// The picture as a PNG file, encoded by libpng.
  func png() throws(PlotError) -> [UInt8] {
    var image = unsafe png_image()
    unsafe image.version = png_uint_32(PNG_IMAGE_VERSION)
    unsafe image.width = png_uint_32(width)
    unsafe image.height = png_uint_32(height)
    unsafe image.format = png_uint_32(PNG_FORMAT_FLAG_COLOR)
    defer { unsafe png_image_free(&image) }
    // A generous bound: a PNG is never much larger than its pixels.
    var size = bytes.count + bytes.count / 8 + 4096
    var file = [UInt8](repeating: 0, count: size)
    guard unsafe png_image_write_to_memory(&image, &file, &size, 0, bytes, 0, nil) != 0 else {
      throw .cannotEncode(width: width, height: height)
    }
    file.removeLast(file.count - size)
    return file
  }
}
