internal import CPulse

/// A mono float stream into a sink. Thread: the loop's.
@safe public final class PulsePlaybackStream {
  private let connection: PulseConnection
  private let raw: OpaquePointer
  private var isClosed = false
  /// Called when the stream came up, failed, was moved, suspended or resumed.
  public var onChange: (() -> Void)?

  /// Asks for a stream whose server-side buffer holds `target` samples and which asks for at least
  /// `request` at a time and starts, also after it ran dry, when it has as much.
  public init(
    _ connection: PulseConnection, name: String, sink: String, sampleRate: Int, target: Int,
    request: Int
  ) throws(PulseError) {
    var format = pa_sample_spec(
      format: PA_SAMPLE_FLOAT32LE, rate: UInt32(sampleRate), channels: 1)
    guard let stream = unsafe pa_stream_new(connection.raw, name, &format, nil) else {
      throw unsafe PulseError.current(of: connection.raw, doing: "making a playback stream")
    }
    self.connection = connection
    unsafe raw = stream
    setCallbacks()
    let bytes = MemoryLayout<Float>.stride
    // With a prebuf of 0, everything after the first underrun would be silence.
    var attributes = pa_buffer_attr(
      maxlength: .max, tlength: UInt32(target * bytes), prebuf: UInt32(request * bytes),
      minreq: UInt32(request * bytes), fragsize: .max)
    let flags =
      PA_STREAM_ADJUST_LATENCY.rawValue | PA_STREAM_DONT_MOVE.rawValue
      | PA_STREAM_AUTO_TIMING_UPDATE.rawValue | PA_STREAM_INTERPOLATE_TIMING.rawValue
    guard
      unsafe pa_stream_connect_playback(
        raw, sink, &attributes, pa_stream_flags_t(flags), nil, nil) >= 0
    else {
      let error = unsafe PulseError.current(of: connection.raw, doing: "playing to \(sink)")
      throw error
    }
  }

  deinit { close() }

  /// Ends the stream on the server. It is not to be used after that.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    unsafe pa_stream_set_state_callback(raw, nil, nil)
    unsafe pa_stream_set_moved_callback(raw, nil, nil)
    unsafe pa_stream_set_suspended_callback(raw, nil, nil)
    unsafe pa_stream_disconnect(raw)
    unsafe pa_stream_unref(raw)
  }

  public var isReady: Bool {
    guard !isClosed else { return false }
    return unsafe pa_stream_get_state(raw) == PA_STREAM_READY
  }

  public var hasFailed: Bool {
    guard !isClosed else { return true }
    let state = unsafe pa_stream_get_state(raw)
    return state == PA_STREAM_FAILED || state == PA_STREAM_TERMINATED
  }

  /// Samples that the server asks for beyond those it has.
  public var writable: Int {
    guard isReady else { return 0 }
    let bytes = unsafe pa_stream_writable_size(raw)
    return bytes == Int.max || bytes < 0 ? 0 : bytes / MemoryLayout<Float>.stride
  }

  /// Microseconds from a sample written now to its leaving the sink, as the server estimates.
  public var latencyMicroseconds: Int? {
    var latency: pa_usec_t = 0
    var negative: Int32 = 0
    guard isReady, unsafe pa_stream_get_latency(raw, &latency, &negative) >= 0 else { return nil }
    return negative != 0 ? -Int(clamping: latency) : Int(clamping: latency)
  }

  /// Samples written that the server has not played yet, by its last report.
  public var fill: Int? {
    guard isReady, let timing = unsafe pa_stream_get_timing_info(raw) else { return nil }
    let bytes = unsafe timing.pointee.write_index - timing.pointee.read_index
    return Int(bytes) / MemoryLayout<Float>.stride
  }

  /// Appends samples. False if the stream is not there to take them.
  public func write(_ samples: UnsafePointer<Float>, _ count: Int) -> Bool {
    guard isReady else { return false }
    return unsafe pa_stream_write(
      raw, samples, count * MemoryLayout<Float>.stride, nil, 0, PA_SEEK_RELATIVE) >= 0
  }

  /// Throws away what the server has not played yet.
  public func flush() {
    guard isReady, let operation = unsafe pa_stream_flush(raw, nil, nil) else { return }
    unsafe pa_operation_unref(operation)
  }

  private func setCallbacks() {
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    let changed: pa_stream_notify_cb_t = { _, data in
      unsafe PulsePlaybackStream.behind(data).onChange?()
    }
    unsafe pa_stream_set_state_callback(raw, changed, me)
    unsafe pa_stream_set_moved_callback(raw, changed, me)
    unsafe pa_stream_set_suspended_callback(raw, changed, me)
  }

  private static func behind(_ data: UnsafeMutableRawPointer?) -> PulsePlaybackStream {
    guard let data = unsafe data else { fatalError("a callback without its stream") }
    return unsafe Unmanaged<PulsePlaybackStream>.fromOpaque(data).takeUnretainedValue()
  }
}
