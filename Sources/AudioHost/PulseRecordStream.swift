internal import CPulse

/// A mono float stream from a source, in small fragments. Thread: the loop's.
@safe public final class PulseRecordStream {
  /// Samples (mono, -1...1) as they arrive, in pieces of any length. A nil pointer is a hole: that
  /// many samples were lost.
  public typealias Receiver = (_ samples: UnsafePointer<Float>?, _ count: Int) -> Void

  private let connection: PulseConnection
  private let raw: OpaquePointer
  private var isClosed = false
  private let receiver: Receiver
  /// Called when the stream came up, failed, was moved to another source, or was suspended or
  /// resumed.
  public var onChange: (() -> Void)?

  /// Asks for a stream of `sampleRate` in fragments of `fragment` samples from the named source.
  public init(
    _ connection: PulseConnection, name: String, source: String, sampleRate: Int, fragment: Int,
    receiver: @escaping Receiver
  ) throws(PulseError) {
    var format = pa_sample_spec(
      format: PA_SAMPLE_FLOAT32LE, rate: UInt32(sampleRate), channels: 1)
    guard let stream = unsafe pa_stream_new(connection.raw, name, &format, nil) else {
      throw unsafe PulseError.current(of: connection.raw, doing: "making a record stream")
    }
    self.connection = connection
    unsafe raw = stream
    unsafe self.receiver = unsafe receiver
    setCallbacks()
    var attributes = pa_buffer_attr(
      maxlength: .max, tlength: .max, prebuf: .max, minreq: .max,
      fragsize: UInt32(fragment * MemoryLayout<Float>.stride))
    guard unsafe pa_stream_connect_record(raw, source, &attributes, PA_STREAM_ADJUST_LATENCY) >= 0
    else {
      let error = unsafe PulseError.current(of: connection.raw, doing: "recording from \(source)")
      throw error
    }
  }

  deinit { close() }

  /// Ends the stream on the server. It is not to be used after that.
  public func close() {
    guard !isClosed else { return }
    isClosed = true
    unsafe pa_stream_set_read_callback(raw, nil, nil)
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

  /// Why the stream failed.
  public var failure: PulseError {
    unsafe PulseError.current(of: connection.raw, doing: "recording")
  }

  /// The name of the source it records from, which the server or the user may have changed.
  public var source: String? {
    guard isReady else { return nil }
    return unsafe string(pa_stream_get_device_name(raw))
  }

  public var isSuspended: Bool {
    guard isReady else { return false }
    return unsafe pa_stream_is_suspended(raw) == 1
  }

  /// Samples in a fragment, as the server granted it.
  public var fragment: Int? {
    guard isReady, let attributes = unsafe pa_stream_get_buffer_attr(raw) else { return nil }
    return unsafe Int(attributes.pointee.fragsize) / MemoryLayout<Float>.stride
  }

  /// Samples that have arrived and have not been handed over, those of the running call included.
  public var readable: Int {
    let bytes = unsafe pa_stream_readable_size(raw)
    return bytes == Int.max || bytes < 0 ? 0 : bytes / MemoryLayout<Float>.stride
  }

  private func setCallbacks() {
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    let changed: pa_stream_notify_cb_t = { _, data in
      unsafe PulseRecordStream.behind(data).onChange?()
    }
    unsafe pa_stream_set_state_callback(raw, changed, me)
    unsafe pa_stream_set_moved_callback(raw, changed, me)
    unsafe pa_stream_set_suspended_callback(raw, changed, me)
    unsafe pa_stream_set_read_callback(
      raw, { _, _, data in unsafe PulseRecordStream.behind(data).read() }, me)
  }

  private static func behind(_ data: UnsafeMutableRawPointer?) -> PulseRecordStream {
    guard let data = unsafe data else { fatalError("a callback without its stream") }
    return unsafe Unmanaged<PulseRecordStream>.fromOpaque(data).takeUnretainedValue()
  }

  /// Hands everything that has arrived to the receiver. Allocates nothing of its own.
  private func read() {
    while unsafe pa_stream_readable_size(raw) > 0 {
      var data: UnsafeRawPointer?
      var bytes = 0
      guard unsafe pa_stream_peek(raw, &data, &bytes) >= 0, bytes > 0 else { return }
      let samples = unsafe data?.assumingMemoryBound(to: Float.self)
      unsafe receiver(samples, bytes / MemoryLayout<Float>.stride)
      unsafe pa_stream_drop(raw)
    }
  }
}
