internal import CQDPulse

/// Common part of record and playback streams: the life and the state of a stream of floats.
/// Thread: the loop's.
@safe final class PulseStream {
  let raw: OpaquePointer
  /// Called when the stream was started, failed, was moved, suspended or resumed.
  var onChange: (() -> Void)?
  private let connection: PulseConnection
  private var isClosed = false

  /// - Parameters:
  ///   - positions: those of the channels, in the server's terms.
  ///   - properties: the stream's properties, such as its `media.role`.
  init(
    _ connection: PulseConnection, name: String, sampleRate: Int, positions: [String] = ["mono"],
    properties: [String: String], doing: String
  ) throws(PulseError) {
    var format = pa_sample_spec(
      format: PA_SAMPLE_FLOAT32LE, rate: UInt32(sampleRate), channels: UInt8(positions.count))
    var map = pa_channel_map()
    let list = unsafe Self.propertyList(properties)
    defer { unsafe pa_proplist_free(list) }
    guard unsafe pa_channel_map_parse(&map, positions.joined(separator: ",")) != nil,
      let stream = unsafe pa_stream_new_with_proplist(connection.raw, name, &format, &map, list)
    else {
      throw unsafe PulseError.current(of: connection.raw, doing: doing)
    }
    self.connection = connection
    unsafe raw = stream
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    let changed: pa_stream_notify_cb_t = { _, data in
      guard let data = unsafe data else { return }
      unsafe Unmanaged<PulseStream>.fromOpaque(data).takeUnretainedValue().onChange?()
    }
    unsafe pa_stream_set_state_callback(raw, changed, me)
    unsafe pa_stream_set_moved_callback(raw, changed, me)
    unsafe pa_stream_set_suspended_callback(raw, changed, me)
  }

  deinit { close() }

  /// Ends the stream on the server. Its owner must be alive: callbacks end here.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    unsafe pa_stream_set_read_callback(raw, nil, nil)
    unsafe pa_stream_set_underflow_callback(raw, nil, nil)
    unsafe pa_stream_set_state_callback(raw, nil, nil)
    unsafe pa_stream_set_moved_callback(raw, nil, nil)
    unsafe pa_stream_set_suspended_callback(raw, nil, nil)
    unsafe pa_stream_disconnect(raw)
    unsafe pa_stream_unref(raw)
  }

  var isReady: Bool {
    guard !isClosed else { return false }
    return unsafe pa_stream_get_state(raw) == PA_STREAM_READY
  }

  var hasFailed: Bool {
    guard !isClosed else { return true }
    let state = unsafe pa_stream_get_state(raw)
    return state == PA_STREAM_FAILED || state == PA_STREAM_TERMINATED
  }

  /// A property list of the library, to be freed by the caller.
  static func propertyList(_ properties: [String: String]) -> OpaquePointer {
    guard let list = unsafe pa_proplist_new() else { fatalError("out of memory") }
    for (name, value) in properties { unsafe pa_proplist_sets(list, name, value) }
    return unsafe list
  }

  /// The last error of the connection.
  func error(doing: String) -> PulseError {
    unsafe PulseError.current(of: connection.raw, doing: doing)
  }

  /// The number of samples in a number of bytes, which the library gives as -1 if it has none.
  static func samples(_ bytes: Int) -> Int {
    bytes == Int.max || bytes < 0 ? 0 : bytes / MemoryLayout<Float>.stride
  }
}
