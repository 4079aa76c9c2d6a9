internal import CQDPulse

/// A connection to a PulseAudio server, or to PipeWire's pulse server.
///
/// Its queries run the loop until the answer arrives, at most for `answerTimeout`.
/// Thread: the loop's.
@safe public final class PulseConnection {
  public let loop: EventLoop
  private let address: String?
  let raw: OpaquePointer
  /// Called when the connection's state changed; see `isReady`, `hasFailed`.
  public var onStateChange: (() -> Void)?
  /// Called for each event after `subscribe`.
  public var onEvent: ((PulseEvent) -> Void)?
  /// The timeout for an answer of the server, in microseconds.
  public var answerTimeout = 3_000_000

  /// Creates an unconnected connection.
  /// - Parameters:
  ///   - server: the server's address; nil for the user's own (`$PULSE_SERVER`, else the one in
  ///     `$XDG_RUNTIME_DIR`).
  ///   - properties: properties of this client besides those that libpulse sets.
  public init(
    loop: EventLoop, name: String, server: String? = nil, properties: [String: String] = [:]
  ) {
    self.loop = loop
    address = server
    let list = unsafe PulseStream.propertyList(properties)
    defer { unsafe pa_proplist_free(list) }
    guard let context = unsafe pa_context_new_with_proplist(loop.api, name, list) else {
      fatalError("out of memory")
    }
    unsafe raw = context
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe pa_context_set_state_callback(
      raw,
      { _, data in
        guard let data = unsafe data else { return }
        unsafe Unmanaged<PulseConnection>.fromOpaque(data).takeUnretainedValue().onStateChange?()
      }, me)
    unsafe pa_context_set_subscribe_callback(
      raw,
      { _, type, index, data in
        guard let data = unsafe data, let event = PulseEvent(type, index) else { return }
        unsafe Unmanaged<PulseConnection>.fromOpaque(data).takeUnretainedValue().onEvent?(event)
      }, me)
  }

  deinit {
    unsafe pa_context_set_state_callback(raw, nil, nil)
    unsafe pa_context_set_subscribe_callback(raw, nil, nil)
    unsafe pa_context_disconnect(raw)
    unsafe pa_context_unref(raw)
  }

  public var isReady: Bool { unsafe pa_context_get_state(raw) == PA_CONTEXT_READY }

  /// Whether the server runs on this machine.
  public var isLocal: Bool { unsafe pa_context_is_local(raw) == 1 }

  public var hasFailed: Bool {
    let state = unsafe pa_context_get_state(raw)
    return state == PA_CONTEXT_FAILED || state == PA_CONTEXT_TERMINATED
  }

  /// Connects and waits until the server has accepted.
  public func connect() throws(PulseError) {
    try startConnecting()
    let deadline = pa_rtclock_now() + UInt64(answerTimeout)
    while !isReady {
      guard !hasFailed else { throw unsafe PulseError.current(of: raw, doing: "connecting") }
      let now = pa_rtclock_now()
      guard now < deadline else { throw .timedOut(during: "connecting") }
      loop.iterate(timeoutMicroseconds: Int(deadline - now))
    }
  }

  /// Starts to connect; `onStateChange` reports the result.
  public func startConnecting() throws(PulseError) {
    guard unsafe pa_context_connect(raw, address, PA_CONTEXT_NOAUTOSPAWN, nil) >= 0 else {
      throw unsafe PulseError.current(of: raw, doing: "connecting")
    }
  }

  /// Why the connection failed.
  public var failure: PulseError { unsafe PulseError.current(of: raw, doing: "connecting") }

  /// Runs the loop until the operation is done.
  func wait(for operation: OpaquePointer?, doing what: String) throws(PulseError) {
    guard let operation = unsafe operation else {
      throw unsafe PulseError.current(of: raw, doing: what)
    }
    defer { unsafe pa_operation_unref(operation) }
    let deadline = pa_rtclock_now() + UInt64(answerTimeout)
    while unsafe pa_operation_get_state(operation) == PA_OPERATION_RUNNING {
      let now = pa_rtclock_now()
      guard now < deadline else {
        unsafe pa_operation_cancel(operation)
        throw .timedOut(during: what)
      }
      loop.iterate(timeoutMicroseconds: Int(deadline - now))
    }
    guard isReady else { throw .connectionLost(during: what) }
  }
}

/// Storage for the answers of one operation, passed to libpulse while `wait` runs.
final class Reply<Value> {
  var values: [Value] = []
  /// The parameter of the query that the callback needs.
  let question: String

  init(_ question: String = "") { self.question = question }

  /// The reply behind a callback's user data.
  static func behind(_ data: UnsafeMutableRawPointer?) -> Reply<Value> {
    guard let data = unsafe data else { fatalError("a callback without its reply") }
    return unsafe Unmanaged<Reply<Value>>.fromOpaque(data).takeUnretainedValue()
  }

  var opaque: UnsafeMutableRawPointer { unsafe Unmanaged.passUnretained(self).toOpaque() }
}
