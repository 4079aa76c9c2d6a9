internal import CQDPulse

/// A float stream from a source, in small fragments. Thread: the loop's.
@safe public final class PulseRecordStream {
  /// Samples (-1...1, interleaved channels) as they arrive, in pieces of any length, and their
  /// number per channel. A nil pointer is a hole: this many samples were lost.
  public typealias Receiver = (_ samples: UnsafePointer<Float>?, _ count: Int) -> Void

  private let stream: PulseStream
  private let channels: Int
  private let receiver: Receiver
  /// Called when the stream was started, failed, was moved to another source, or was suspended or
  /// resumed.
  public var onChange: (() -> Void)? {
    get { stream.onChange }
    set { stream.onChange = newValue }
  }

  /// Requests a stream of `sampleRate` in fragments of `fragment` samples from the named source. If
  /// `positions` are those of the source, the server does not remix its channels.
  /// - Parameters:
  ///   - role: the stream's `media.role`, such as "phone".
  ///   - staysThere: whether it ends with its source instead of being moved to another one.
  public init(
    _ connection: PulseConnection, name: String, source: String, positions: [String] = ["mono"],
    sampleRate: Int, fragment: Int, role: String? = nil, staysThere: Bool = false,
    receiver: @escaping Receiver
  ) throws(PulseError) {
    channels = positions.count
    stream = try PulseStream(
      connection, name: name, sampleRate: sampleRate, positions: positions,
      properties: role.map { [PA_PROP_MEDIA_ROLE: $0] } ?? [:], doing: "making a record stream")
    unsafe self.receiver = unsafe receiver
    listen()
    var attributes = pa_buffer_attr(
      maxlength: .max, tlength: .max, prebuf: .max, minreq: .max,
      fragsize: UInt32(fragment * channels * MemoryLayout<Float>.stride))
    let flags = PA_STREAM_ADJUST_LATENCY.rawValue | (staysThere ? PA_STREAM_DONT_MOVE.rawValue : 0)
    let status = unsafe pa_stream_connect_record(
      stream.raw, source, &attributes, pa_stream_flags_t(flags))
    guard status >= 0 else { throw stream.error(doing: "recording from \(source)") }
  }

  deinit { close() }

  /// Ends the stream on the server. It cannot be used any more.
  public func close() { stream.close() }

  public var isReady: Bool { stream.isReady }

  public var hasFailed: Bool { stream.hasFailed }

  /// Why the stream failed.
  public var failure: PulseError { stream.error(doing: "recording") }

  /// The name of the source that it records from, which the server or the user may have changed.
  public var source: String? {
    guard isReady else { return nil }
    return unsafe string(pa_stream_get_device_name(stream.raw))
  }

  public var isSuspended: Bool {
    guard isReady else { return false }
    return unsafe pa_stream_is_suspended(stream.raw) == 1
  }

  /// Samples in a fragment, as granted by the server.
  public var fragment: Int? {
    guard isReady, let attributes = unsafe pa_stream_get_buffer_attr(stream.raw) else { return nil }
    return unsafe PulseStream.samples(Int(attributes.pointee.fragsize)) / channels
  }

  private func listen() {
    unsafe pa_stream_set_read_callback(
      stream.raw,
      { _, _, data in
        guard let data = unsafe data else { return }
        unsafe Unmanaged<PulseRecordStream>.fromOpaque(data).takeUnretainedValue().read()
      }, Unmanaged.passUnretained(self).toOpaque())
  }

  /// Passes all samples that have arrived to the receiver. Allocates nothing itself.
  private func read() {
    let raw = unsafe stream.raw
    while unsafe pa_stream_readable_size(raw) > 0 {
      var data: UnsafeRawPointer?
      var bytes = 0
      guard unsafe pa_stream_peek(raw, &data, &bytes) >= 0, bytes > 0 else { return }
      let samples = unsafe data?.assumingMemoryBound(to: Float.self)
      unsafe receiver(samples, PulseStream.samples(bytes) / channels)
      unsafe pa_stream_drop(raw)
    }
  }
}
