/// A colour of three bytes.
struct Colour: Equatable {
  var red: UInt8
  var green: UInt8
  var blue: UInt8

  init(_ code: UInt32) {
    red = UInt8(truncatingIfNeeded: code >> 16)
    green = UInt8(truncatingIfNeeded: code >> 8)
    blue = UInt8(truncatingIfNeeded: code)
  }

  /// A mix of this colour (0) and another one (1).
  func mixed(with other: Colour, _ share: Float) -> Colour {
    func mix(_ a: UInt8, _ b: UInt8) -> UInt8 {
      UInt8((Float(a) + (Float(b) - Float(a)) * share).rounded())
    }
    var result = self
    result.red = mix(red, other.red)
    result.green = mix(green, other.green)
    result.blue = mix(blue, other.blue)
    return result
  }

  /// 0xRRGGBB.
  var packed: UInt32 { UInt32(red) << 16 | UInt32(green) << 8 | UInt32(blue) }

  static let paper = Colour(0xffffff)
  static let ink = Colour(0x22262e)
  static let faintInk = Colour(0x6b7280)
  static let line = Colour(0xc4c9d2)

  /// The colour of a level from 0 (quiet) to 1 (loud): night blue, violet, orange, pale yellow,
  /// evenly getting lighter.
  static func level(_ value: Float) -> Colour {
    let position = min(max(value, 0), 1) * Float(levels.count - 1)
    let index = min(Int(position), levels.count - 2)
    return levels[index].mixed(with: levels[index + 1], position - Float(index))
  }

  private static let levels: [Colour] = [
    0x05060f, 0x141239, 0x30135f, 0x54176d, 0x791f6c, 0x9e2a62, 0xc23b50, 0xe0553a, 0xf37922,
    0xfba50f, 0xf7d340, 0xfcfdbf,
  ].map(Colour.init)
}
