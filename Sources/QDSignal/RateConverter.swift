internal import CQDSampleRate

/// Changes the sample rate of one channel with libsamplerate.
///
/// Output sample m has the time of input sample m / ratio: there is no delay to compensate, but the
/// last samples are output only at the end of the input. Only `init` allocates.
@safe public struct RateConverter: ~Copyable, @unchecked Sendable {
  public enum Quality: Sendable {
    /// 97 % of the bandwidth, 145 dB; for files.
    case best
    /// 90 % of the bandwidth, 121 dB.
    case medium
    /// 80 % of the bandwidth, 97 dB, the shortest filter; for streams.
    case fastest

    fileprivate var converter: Int32 {
      switch self {
      case .best: Int32(SRC_SINC_BEST_QUALITY)
      case .medium: Int32(SRC_SINC_MEDIUM_QUALITY)
      case .fastest: Int32(SRC_SINC_FASTEST)
      }
    }
  }

  /// The samples that one conversion consumed and produced.
  public struct Progress: Equatable, Sendable {
    public var used: Int
    public var made: Int
  }

  /// Output rates may be 1/256 to 256 times the input's.
  public static func supports(ratio: Double) -> Bool { src_is_valid_ratio(ratio) != 0 }

  private let state: OpaquePointer

  public init(_ quality: Quality) {
    var error: Int32 = 0
    guard let state = unsafe src_new(quality.converter, 1, &error) else {
      fatalError(
        "libsamplerate cannot make a converter: \(unsafe String(cString: src_strerror(error)))")
    }
    unsafe self.state = state
  }

  deinit { unsafe _ = src_delete(state) }

  /// Converts as much of `input` as `output` has room for. Between calls the ratio (output rate
  /// over input rate) glides from the last to the new one. With `isLast` it also outputs the tail:
  /// call it until it produces nothing.
  public mutating func convert(
    _ input: UnsafeBufferPointer<Float>, into output: UnsafeMutableBufferPointer<Float>,
    ratio: Double, isLast: Bool = false
  ) -> Progress {
    precondition(RateConverter.supports(ratio: ratio))
    // libsamplerate requires addresses even of empty buffers.
    var nothing: Float = 0
    return unsafe withUnsafeMutablePointer(to: &nothing) { empty in
      var data = unsafe SRC_DATA(
        data_in: input.baseAddress ?? UnsafePointer(empty),
        data_out: output.baseAddress ?? empty,
        input_frames: input.count, output_frames: output.count, input_frames_used: 0,
        output_frames_gen: 0, end_of_input: isLast ? 1 : 0, src_ratio: ratio)
      let error = unsafe src_process(state, &data)
      precondition(error == 0)
      return unsafe Progress(used: data.input_frames_used, made: data.output_frames_gen)
    }
  }

  /// Clears all earlier samples.
  public mutating func reset() {
    unsafe _ = src_reset(state)
  }
}
