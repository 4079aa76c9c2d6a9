internal import CQDPipeWire
import Glibc

/// A stream of floats in PipeWire's graph. Thread: the loop's, except for `process`, which the data
/// loop calls.
@safe final class PipeWireStream {
  /// The purpose of a stream.
  enum Direction { case capture, output }

  let raw: OpaquePointer
  private let hook: UnsafeMutablePointer<spa_hook>
  private let changed: () -> Void
  /// Called in each cycle of the graph with the stream. Thread: the data loop's.
  private let process: (OpaquePointer) -> Void
  private var isClosed = false
  /// Called when the server reports the latency of the stream's source.
  var onLatency: ((spa_latency_info) -> Void)?
  private(set) var isStreaming = false
  /// Why the stream has ended.
  private(set) var failure: PipeWireError?

  init(
    _ connection: PipeWireConnection, _ name: String, _ direction: Direction, sampleRate: Int,
    positions: [String], properties: [String: String], flags: UInt32,
    changed: @escaping () -> Void, process: @escaping (OpaquePointer) -> Void
  ) throws(PipeWireError) {
    self.changed = changed
    unsafe self.process = unsafe process
    let list = unsafe pw_properties_new_string("")
    for (key, value) in properties { unsafe pw_properties_set(list, key, value) }
    guard let stream = unsafe pw_stream_new(connection.core, name, list) else {
      throw .refused(what: name, reason: unsafe String(cString: strerror(errno)))
    }
    unsafe raw = stream
    unsafe hook = .allocate(capacity: 1)
    unsafe hook.initialize(to: spa_hook())
    unsafe pw_stream_add_listener(
      raw, hook, Self.events, Unmanaged.passUnretained(self).toOpaque())
    let channels = positions.map(Self.position)
    let result = unsafe pipewire_stream_connect(
      raw, direction == .capture ? SPA_DIRECTION_INPUT : SPA_DIRECTION_OUTPUT,
      flags | PW_STREAM_FLAG_MAP_BUFFERS.rawValue | PW_STREAM_FLAG_RT_PROCESS.rawValue,
      UInt32(sampleRate), UInt32(channels.count), channels)
    guard result >= 0 else {
      throw .refused(what: name, reason: unsafe String(cString: strerror(-result)))
    }
  }

  deinit { close() }

  /// Ends the stream; `process` does not run afterwards. The stream cannot be used any more.
  func close() {
    guard !isClosed else { return }
    isClosed = true
    unsafe pw_stream_destroy(raw)
    unsafe hook.deallocate()
  }

  /// The id of its node; nil until the server has reported it.
  var node: UInt32? {
    let id = unsafe pw_stream_get_node_id(raw)
    return id == UInt32.max ? nil : id
  }

  /// A channel's position by its name in the pulse protocol.
  private static func position(_ name: String) -> UInt32 {
    if let index = named.firstIndex(of: name) {
      return SPA_AUDIO_CHANNEL_MONO.rawValue + UInt32(index)
    }
    if name.hasPrefix("aux"), let number = UInt32(name.dropFirst(3)), number < 64 {
      return SPA_AUDIO_CHANNEL_AUX0.rawValue + number
    }
    return SPA_AUDIO_CHANNEL_UNKNOWN.rawValue
  }

  /// In the order of `enum spa_audio_channel`, starting at its MONO.
  private static let named = [
    "mono", "front-left", "front-right", "front-center", "lfe", "side-left", "side-right",
    "front-left-of-center", "front-right-of-center", "rear-center", "rear-left", "rear-right",
    "top-center", "top-front-left", "top-front-center", "top-front-right", "top-rear-left",
    "top-rear-center", "top-rear-right",
  ]

  private static func stream(behind data: UnsafeMutableRawPointer) -> PipeWireStream {
    unsafe Unmanaged<PipeWireStream>.fromOpaque(data).takeUnretainedValue()
  }

  nonisolated(unsafe) private static let events = {
    let events = UnsafeMutablePointer<pw_stream_events>.allocate(capacity: 1)
    var table = pw_stream_events()
    table.version = UInt32(PW_VERSION_STREAM_EVENTS)
    unsafe table.process = { data in
      guard let data = unsafe data else { return }
      let stream = unsafe stream(behind: data)
      unsafe stream.process(stream.raw)
    }
    unsafe table.state_changed = { data, _, state, reason in
      guard let data = unsafe data else { return }
      unsafe stream(behind: data).note(state, string(reason))
    }
    unsafe table.param_changed = { data, id, parameter in
      guard let data = unsafe data else { return }
      var latency = spa_latency_info()
      guard unsafe pipewire_read_latency(id, parameter, &latency) else { return }
      unsafe stream(behind: data).onLatency?(latency)
    }
    unsafe events.initialize(to: table)
    return unsafe events
  }()

  private func note(_ state: pw_stream_state, _ reason: String?) {
    isStreaming = state == PW_STREAM_STATE_STREAMING
    if state == PW_STREAM_STATE_ERROR {
      failure = .refused(what: "the recording ended", reason: reason ?? "for no reason it tells")
    }
    if !isClosed { changed() }
  }
}
