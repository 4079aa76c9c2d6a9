import Foundation

/// Sounds that the tests play.
public enum Sound {
  /// Seeded noise, so that a failure can be had again.
  public static func noise(seconds: Double, level: Float, seed: UInt64 = 1) -> [Float] {
    var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    return (0..<Int(seconds * 48000)).map { _ in
      state ^= state << 13
      state ^= state >> 7
      state ^= state << 17
      // Uniform noise of amplitude a has the level a / sqrt(3).
      return (Float(state >> 40) / 8_388_608 - 1) * level * 1.732
    }
  }

  public static func sine(_ frequency: Double, seconds: Double, amplitude: Float) -> [Float] {
    (0..<Int(seconds * 48000)).map {
      amplitude * Float(sin(2 * .pi * frequency * Double($0) / 48000))
    }
  }

  /// Single loud samples in silence, `interval` seconds apart; the first comes after one interval.
  public static func clicks(_ count: Int, interval: Double) -> [Float] {
    let step = Int(interval * 48000)
    var samples = [Float](repeating: 0, count: step * (count + 1))
    for click in 1...count { samples[click * step] = 0.9 }
    return samples
  }

  public static func silence(seconds: Double) -> [Float] {
    [Float](repeating: 0, count: Int(seconds * 48000))
  }

  /// A 16-bit mono file as `scripts/make-samples` leaves it.
  public static func wave(_ path: String) throws(SupportError) -> [Float] {
    let file = try bytes(of: path)
    guard let data = file.firstIndex(of: Array("data".utf8)) else {
      throw SupportError("\(path): no data")
    }
    return stride(from: data + 8, to: file.count - 1, by: 2).map {
      Float(Int16(bitPattern: UInt16(file[$0]) | UInt16(file[$0 + 1]) << 8)) / 32768
    }
  }
}

extension [UInt8] {
  func firstIndex(of pattern: [UInt8]) -> Int? {
    indices.dropLast(pattern.count - 1).first {
      self[$0..<($0 + pattern.count)].elementsEqual(pattern)
    }
  }
}
