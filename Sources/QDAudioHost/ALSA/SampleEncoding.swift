internal import CQDALSA

/// The sample formats of a PCM, best first.
enum SampleEncoding: CaseIterable {
  case float
  case int32
  case int16

  var format: snd_pcm_format_t {
    switch self {
    case .float: SND_PCM_FORMAT_FLOAT_LE
    case .int32: SND_PCM_FORMAT_S32_LE
    case .int16: SND_PCM_FORMAT_S16_LE
    }
  }

  var bytes: Int { self == .int16 ? 2 : 4 }

  func decode(
    _ encoded: UnsafePointer<UInt8>, into samples: UnsafeMutablePointer<Float>, _ count: Int
  ) {
    for index in 0..<count {
      let raw = unsafe UnsafeRawPointer(encoded + index * bytes)
      let value =
        switch self {
        case .float: unsafe raw.loadUnaligned(as: Float.self)
        case .int32: Float(unsafe raw.loadUnaligned(as: Int32.self))
        case .int16: Float(unsafe raw.loadUnaligned(as: Int16.self))
        }
      unsafe samples[index] = value / scale
    }
  }

  /// Encodes samples for every channel, clipped to full scale.
  func encode(
    _ mono: UnsafePointer<Float>, _ count: Int, channels: Int,
    into interleaved: UnsafeMutablePointer<UInt8>
  ) {
    for index in 0..<count {
      let sample = unsafe max(-1, min(1, mono[index]))
      for channel in 0..<channels {
        let offset = (index * channels + channel) * bytes
        let raw = unsafe UnsafeMutableRawPointer(interleaved + offset)
        switch self {
        case .float: unsafe raw.storeBytes(of: sample, as: Float.self)
        case .int32: unsafe raw.storeBytes(of: Int32(sample * largest), as: Int32.self)
        case .int16: unsafe raw.storeBytes(of: Int16((sample * largest).rounded()), as: Int16.self)
        }
      }
    }
  }

  private var scale: Float {
    switch self {
    case .float: 1
    case .int32: 2_147_483_648
    case .int16: 32768
    }
  }

  /// The largest sample that Float can represent.
  private var largest: Float {
    switch self {
    case .float: 1
    case .int32: 2_147_483_520
    case .int16: 32767
    }
  }
}
