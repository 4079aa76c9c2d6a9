import CQDPulse

/// A libpulse connection with a thread of its own, as an application has one.
final class PulseConnection: @unchecked Sendable {
  private let loop: OpaquePointer
  private let context: OpaquePointer

  init(_ address: String, name: String) throws(SupportError) {
    guard let loop = pa_threaded_mainloop_new(),
      let context = pa_context_new(pa_threaded_mainloop_get_api(loop), name)
    else { throw SupportError("libpulse gives no main loop") }
    self.loop = loop
    self.context = context
    guard pa_context_connect(context, address, PA_CONTEXT_NOAUTOSPAWN, nil) >= 0,
      pa_threaded_mainloop_start(loop) >= 0
    else { throw SupportError("\(address): \(failure)") }
    // What a test hears is what the server and the daemon give, not when the application wakes up.
    locked { pa_threaded_mainloop_once_unlocked(loop, { _, _ in becomeAudioThread() }, nil) }
    let ready = eventually {
      locked { pa_context_get_state(context) } != PA_CONTEXT_CONNECTING
        && locked { pa_context_get_state(context) } == PA_CONTEXT_READY
    }
    guard ready else { throw SupportError("\(address): \(failure)") }
  }

  deinit {
    locked { pa_context_disconnect(context) }
    pa_threaded_mainloop_stop(loop)
    pa_context_unref(context)
    pa_threaded_mainloop_free(loop)
  }

  /// Runs `body` while the connection's thread stands still.
  func locked<Result>(_ body: () -> Result) -> Result {
    pa_threaded_mainloop_lock(loop)
    defer { pa_threaded_mainloop_unlock(loop) }
    return body()
  }

  /// A 48 kHz float stream with channels at these positions. Call `locked`.
  func stream(_ name: String, positions: [String] = ["mono"]) -> OpaquePointer? {
    var format = pa_sample_spec(
      format: PA_SAMPLE_FLOAT32LE, rate: 48000, channels: UInt8(positions.count))
    var map = pa_channel_map()
    pa_channel_map_parse(&map, positions.joined(separator: ","))
    return pa_stream_new(context, name, &format, &map)
  }

  /// Waits until the stream is ready.
  func waitUntilReady(_ stream: OpaquePointer) throws(SupportError) {
    let ready = eventually { locked { pa_stream_get_state(stream) } == PA_STREAM_READY }
    guard ready else { throw SupportError("stream: \(failure)") }
  }

  /// Ends a stream; its callbacks run no more.
  func end(_ stream: OpaquePointer) {
    locked {
      pa_stream_set_read_callback(stream, nil, nil)
      pa_stream_set_write_callback(stream, nil, nil)
      pa_stream_set_underflow_callback(stream, nil, nil)
      pa_stream_disconnect(stream)
      pa_stream_unref(stream)
    }
  }

  private var failure: String { String(cString: pa_strerror(locked { pa_context_errno(context) })) }
}
