internal import CPulse

/// A mono float stream into a sink. Thread: the loop's.
@safe public final class PulsePlaybackStream {
  private let stream: PulseStream
  /// Called when the stream came up, failed, was moved, suspended or resumed.
  public var onChange: (() -> Void)? {
    get { stream.onChange }
    set { stream.onChange = newValue }
  }

  /// Asks for a stream whose server-side buffer holds `target` samples and which asks for at least
  /// `request` at a time and starts, also after it ran dry, when it has as much.
  public init(
    _ connection: PulseConnection, name: String, sink: String, sampleRate: Int, target: Int,
    request: Int
  ) throws(PulseError) {
    stream = try PulseStream(
      connection, name: name, sampleRate: sampleRate, properties: [:],
      doing: "making a playback stream")
    let bytes = MemoryLayout<Float>.stride
    // With a prebuf of 0, everything after the first underrun would be silence.
    var attributes = pa_buffer_attr(
      maxlength: .max, tlength: UInt32(target * bytes), prebuf: UInt32(request * bytes),
      minreq: UInt32(request * bytes), fragsize: .max)
    let flags =
      PA_STREAM_ADJUST_LATENCY.rawValue | PA_STREAM_DONT_MOVE.rawValue
      | PA_STREAM_AUTO_TIMING_UPDATE.rawValue | PA_STREAM_INTERPOLATE_TIMING.rawValue
    let status = unsafe pa_stream_connect_playback(
      stream.raw, sink, &attributes, pa_stream_flags_t(flags), nil, nil)
    guard status >= 0 else { throw stream.error(doing: "playing to \(sink)") }
  }

  deinit { close() }

  /// Ends the stream on the server. It is not to be used after that.
  public func close() { stream.close() }

  public var isReady: Bool { stream.isReady }

  public var hasFailed: Bool { stream.hasFailed }

  /// Samples that the server asks for beyond those it has.
  public var writable: Int {
    guard isReady else { return 0 }
    return unsafe PulseStream.samples(pa_stream_writable_size(stream.raw))
  }

  /// Microseconds from a sample written now to its leaving the sink, as the server estimates.
  public var latencyMicroseconds: Int? {
    var latency: pa_usec_t = 0
    var negative: Int32 = 0
    guard isReady, unsafe pa_stream_get_latency(stream.raw, &latency, &negative) >= 0 else {
      return nil
    }
    return negative != 0 ? -Int(clamping: latency) : Int(clamping: latency)
  }

  /// Samples written that the server has not played yet, by its last report.
  public var fill: Int? {
    guard isReady, let timing = unsafe pa_stream_get_timing_info(stream.raw) else { return nil }
    let bytes = unsafe timing.pointee.write_index - timing.pointee.read_index
    return Int(bytes) / MemoryLayout<Float>.stride
  }

  /// Appends samples. False if the stream is not there to take them.
  public func write(_ samples: UnsafePointer<Float>, _ count: Int) -> Bool {
    guard isReady else { return false }
    return unsafe pa_stream_write(
      stream.raw, samples, count * MemoryLayout<Float>.stride, nil, 0, PA_SEEK_RELATIVE) >= 0
  }

  /// Throws away what the server has not played yet.
  public func flush() {
    guard isReady, let operation = unsafe pa_stream_flush(stream.raw, nil, nil) else { return }
    unsafe pa_operation_unref(operation)
  }
}
