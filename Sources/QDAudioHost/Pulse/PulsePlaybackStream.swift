internal import CQDPulse

/// A mono float stream into a sink. Thread: the loop's.
@safe public final class PulsePlaybackStream {
  private let stream: PulseStream
  /// The pending query.
  private var question: OpaquePointer?
  private var answer: Answer?
  private var ranDry = false
  /// Called when the stream was started, failed, was moved, suspended or resumed.
  public var onChange: (() -> Void)? {
    get { stream.onChange }
    set { stream.onChange = newValue }
  }

  /// Requests a stream whose buffer on the server holds `target` samples, which requests at least
  /// `request` samples at a time, and which starts when it has as much, also after an underrun.
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
    let flags = PA_STREAM_ADJUST_LATENCY.rawValue | PA_STREAM_DONT_MOVE.rawValue
    unsafe pa_stream_set_underflow_callback(
      stream.raw, { _, data in unsafe PulsePlaybackStream.behind(data)?.ranDry = true }, me)
    let status = unsafe pa_stream_connect_playback(
      stream.raw, sink, &attributes, pa_stream_flags_t(flags), nil, nil)
    guard status >= 0 else { throw stream.error(doing: "playing to \(sink)") }
  }

  deinit { close() }

  /// Ends the stream on the server. It cannot be used any more.
  public func close() {
    forgetQuestion()
    stream.close()
  }

  public var isReady: Bool { stream.isReady }

  public var hasFailed: Bool { stream.hasFailed }

  /// Samples that the server requests beyond those it has.
  public var writable: Int {
    guard isReady else { return 0 }
    return unsafe PulseStream.samples(pa_stream_writable_size(stream.raw))
  }

  /// The server's answer about the fill.
  public struct Answer: Equatable, Sendable {
    /// Samples written until `time` that the server had not played then.
    public var fill: Int
    /// Microseconds of the monotonic clock.
    public var time: UInt64
  }

  /// Asks the server how much it has not played yet, unless a query is pending; `takeAnswer`
  /// returns the answer. False if it cannot be asked.
  public func askFill() -> Bool {
    guard isReady, unsafe question == nil else { return false }
    unsafe question = pa_stream_update_timing_info(
      stream.raw,
      { _, success, data in unsafe PulsePlaybackStream.behind(data)?.answered(success != 0) }, me)
    return unsafe question != nil
  }

  private func answered(_ success: Bool) {
    forgetQuestion()
    guard success, isReady, let timing = unsafe pa_stream_get_timing_info(stream.raw) else {
      return
    }
    // The library adds to the index what was written since the query.
    let bytes = unsafe timing.pointee.write_index - timing.pointee.read_index
    answer = Answer(fill: Int(bytes) / MemoryLayout<Float>.stride, time: pa_rtclock_now())
  }

  /// Whether a query is pending.
  public var isAsked: Bool { unsafe question != nil }

  /// The answer that arrived since the last call, if any.
  public func takeAnswer() -> Answer? {
    defer { answer = nil }
    return answer
  }

  /// Whether there was an underrun since the last call.
  public func takeUnderflow() -> Bool {
    defer { ranDry = false }
    return ranDry
  }

  private func forgetQuestion() {
    if let question = unsafe question {
      unsafe pa_operation_cancel(question)
      unsafe pa_operation_unref(question)
    }
    unsafe question = nil
  }

  private var me: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }

  private static func behind(_ data: UnsafeMutableRawPointer?) -> PulsePlaybackStream? {
    guard let data = unsafe data else { return nil }
    return unsafe Unmanaged<PulsePlaybackStream>.fromOpaque(data).takeUnretainedValue()
  }

  /// Appends samples. False if the stream cannot take them.
  public func write(_ samples: UnsafePointer<Float>, _ count: Int) -> Bool {
    guard isReady else { return false }
    return unsafe pa_stream_write(
      stream.raw, samples, count * MemoryLayout<Float>.stride, nil, 0, PA_SEEK_RELATIVE) >= 0
  }

  /// Drops the samples that the server has not played yet.
  public func flush() {
    guard isReady, let operation = unsafe pa_stream_flush(stream.raw, nil, nil) else { return }
    unsafe pa_operation_unref(operation)
  }
}
