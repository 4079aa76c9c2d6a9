internal import CQDPipeWire
import Glibc

/// Records a microphone and, in the same cycle of the graph, plays the processed sound into a
/// virtual source of the server.
///
/// Both streams are in one group, so the microphone drives them; the recording triggers the output,
/// so the samples of a cycle leave in the same cycle. The streams exist as long as this object, and
/// the graph runs as long as they do. Thread: the loop's, except for `Handlers`.
@safe public final class PipeWireDuplex {
  /// A cycle of the graph.
  public struct Cycle: Sendable {
    /// Its start, in nanoseconds of the monotonic clock.
    public var start: UInt64
    /// The time of the driver, in nanoseconds; where it advances by more than the arriving samples,
    /// samples were lost.
    public var position: UInt64

    public init(start: UInt64, position: UInt64) {
      self.start = start
      self.position = position
    }
  }

  /// Called in each cycle, in this order. Thread: PipeWire's data loop.
  @safe public struct Handlers {
    public var begin: (Cycle) -> Void
    /// Takes the samples (-1...1, interleaved channels) that have arrived, and their number per
    /// channel.
    public var take: (UnsafePointer<Float>, Int) -> Void
    /// Writes this many samples of one channel.
    public var give: (UnsafeMutablePointer<Float>, Int) -> Void

    public init(
      begin: @escaping (Cycle) -> Void,
      take: @escaping (UnsafePointer<Float>, Int) -> Void,
      give: @escaping (UnsafeMutablePointer<Float>, Int) -> Void
    ) {
      self.begin = begin
      unsafe self.take = unsafe take
      unsafe self.give = unsafe give
    }
  }

  /// The recorded node.
  public struct Source: Equatable, Sendable {
    /// The name of its node in the pulse protocol.
    public var name: String
    /// The positions of its channels in the pulse protocol.
    public var positions: [String]

    public init(name: String, positions: [String]) {
      self.name = name
      self.positions = positions
    }
  }

  private let connection: PipeWireConnection
  private let target: String?
  private let handlers: Handlers
  private let channels: Int
  private var delay: Int
  private var sourceLatency = spa_latency_info()
  // Data loop: the driver's time in nanoseconds, and its ticks and their rate in the last cycle.
  private var position: UInt64 = 0
  private var ticks: UInt64 = 0
  private var rate: UInt32 = 0
  private var capture: PipeWireStream?
  private var output: PipeWireStream?
  private var link: OpaquePointer?
  /// The ends of the link.
  private var linked: PipeWireConnection.Link?
  /// Called when a stream was started or failed.
  public var onChange: (() -> Void)?

  /// - Parameters:
  ///   - application: the name that mixers show.
  ///   - target: the node to which the output is linked; nil for none, and then `give` is not
  ///     called.
  ///   - quantum: the number of samples per cycle to request from the graph, or fewer.
  ///   - delay: samples by which the output is behind the recording, reported to other programs.
  public init(
    _ connection: PipeWireConnection, application: String, from source: Source,
    to target: String?, sampleRate: Int, quantum: Int, delay: Int, handlers: Handlers
  ) throws(PipeWireError) {
    self.connection = connection
    self.target = target
    self.handlers = handlers
    self.delay = delay
    channels = source.positions.count
    let group = "\(application)-\(getpid())"
    let common = [
      PW_KEY_MEDIA_TYPE: "Audio", PW_KEY_APP_NAME: application,
      PW_KEY_APP_PROCESS_ID: "\(getpid())", PW_KEY_NODE_GROUP: group,
      PW_KEY_NODE_LINK_GROUP: group,
      // User settings for other streams of this role must not apply.
      "state.restore-props": "false", "state.restore-target": "false",
    ]
    if target != nil {
      output = try unsafe PipeWireStream(
        connection, "Denoised", .output, sampleRate: sampleRate, positions: ["mono"],
        properties: common.merging([
          PW_KEY_NODE_NAME: "\(application).output", PW_KEY_MEDIA_CATEGORY: "Playback",
          PW_KEY_NODE_AUTOCONNECT: "false", PW_KEY_NODE_PASSIVE: "true",
        ]) { $1 },
        flags: PW_STREAM_FLAG_TRIGGER.rawValue, changed: { [unowned self] in onChange?() },
        process: { [unowned self] in unsafe give($0) })
    }
    let latency = [PW_KEY_NODE_LATENCY: "\(quantum)/\(sampleRate)"]
    let made = try unsafe PipeWireStream(
      connection, "Microphone", .capture, sampleRate: sampleRate, positions: source.positions,
      properties: common.merging(Self.properties(of: source, application)) { $1 }
        .merging(latency) { $1 }.merging(target == nil ? [:] : [PW_KEY_NODE_PASSIVE: "true"]) {
          $1
        },
      flags: PW_STREAM_FLAG_AUTOCONNECT.rawValue | PW_STREAM_FLAG_DONT_RECONNECT.rawValue,
      changed: { [unowned self] in onChange?() }, process: { [unowned self] in unsafe take($0) })
    made.onLatency = { [unowned self] latency in
      sourceLatency = latency
      publishLatency()
    }
    capture = made
  }

  deinit { close() }

  /// Ends the streams; no handler runs afterwards. The object cannot be used any more.
  public func close() {
    // The recording calls the output, so it ends first.
    capture?.close()
    unlink()
    output?.close()
  }

  private static func properties(of source: Source, _ application: String) -> [String: String] {
    var properties = [
      PW_KEY_NODE_NAME: "\(application).capture", PW_KEY_MEDIA_CATEGORY: "Capture",
      // A Bluetooth headset switches to the profile with a microphone only for a call.
      PW_KEY_MEDIA_ROLE: "Communication", PW_KEY_TARGET_OBJECT: source.name,
      "node.dont-fallback": "true", "node.dont-move": "true",
    ]
    let monitor = ".monitor"
    if source.name.hasSuffix(monitor) {
      properties[PW_KEY_STREAM_CAPTURE_SINK] = "true"
      properties[PW_KEY_TARGET_OBJECT] = String(source.name.dropLast(monitor.count))
    }
    return properties
  }

  /// Sets the delay of the output behind the recording, in samples.
  public func set(delay: Int) {
    guard delay != self.delay else { return }
    self.delay = delay
    publishLatency()
  }

  /// Publishes the age of the sound: the microphone's latency plus our delay.
  private func publishLatency() {
    guard let output else { return }
    unsafe pipewire_stream_set_latency(output.raw, &sourceLatency, Int32(delay))
  }

  /// Whether samples arrive.
  public var isRunning: Bool { capture?.isStreaming == true }

  /// Why a stream has ended.
  public var failure: PipeWireError? { capture?.failure ?? output?.failure }

  /// Links the output to its target, if both exist and are not linked. Call it when the connection
  /// reports a change.
  public func connectOutput() {
    guard let target, let from = output?.node, let to = connection.node(target),
      let output = connection.port(of: from, isInput: false),
      let input = connection.port(of: to, isInput: true)
    else { return }
    let wanted = PipeWireConnection.Link(output: output, input: input)
    if linked == wanted, !noticeUnlinking() { return }
    unlink()
    let properties = unsafe pw_properties_new_string("")
    defer { unsafe pw_properties_free(properties) }
    for (key, value) in [
      (PW_KEY_LINK_OUTPUT_PORT, "\(output)"), (PW_KEY_LINK_INPUT_PORT, "\(input)"),
      (PW_KEY_LINK_PASSIVE, "true"), (PW_KEY_OBJECT_LINGER, "false"),
    ] { unsafe pw_properties_set(properties, key, value) }
    guard let proxy = unsafe pipewire_core_link(connection.core, properties) else { return }
    unsafe link = proxy
    linked = wanted
    wasSeen = false
    publishLatency()
  }

  /// Whether the server has reported our link.
  private var wasSeen = false

  /// Returns whether our link existed and was removed.
  private func noticeUnlinking() -> Bool {
    guard let linked else { return false }
    let isThere = connection.links.values.contains(linked)
    let isGone = wasSeen && !isThere
    wasSeen = isThere
    return isGone
  }

  private func unlink() {
    if let link = unsafe link { unsafe pw_proxy_destroy(link) }
    unsafe link = nil
    linked = nil
  }

  // MARK: Data loop

  /// Advances the driver's time. Its ticks continue if the graph changes its rate, and have another
  /// length from then on.
  private func follow(_ time: pw_time) {
    if time.rate.denom == rate, time.ticks > ticks, rate > 0 {
      // Another driver's ticks may have any value.
      let passed = min(time.ticks - ticks, UInt64(rate) * 3600)
      position += passed * 1_000_000_000 / UInt64(rate)
    }
    (ticks, rate) = (time.ticks, time.rate.denom)
  }

  /// Takes the microphone's samples of this cycle, or of several. Thread: the data loop's.
  private func take(_ raw: OpaquePointer) {
    var time = pw_time()
    unsafe pw_stream_get_time_n(raw, &time, MemoryLayout<pw_time>.size)
    follow(time)
    handlers.begin(Cycle(start: UInt64(max(0, time.now)), position: position))
    while let buffer = unsafe pw_stream_dequeue_buffer(raw) {
      let data = unsafe buffer.pointee.buffer.pointee.datas[0]
      if let memory = unsafe data.data, unsafe data.chunk.pointee.size > 0 {
        let samples = unsafe (memory + Int(data.chunk.pointee.offset))
          .assumingMemoryBound(to: Float.self)
        let bytes = unsafe Int(data.chunk.pointee.size)
        unsafe handlers.take(samples, bytes / (channels * MemoryLayout<Float>.stride))
      }
      unsafe pw_stream_queue_buffer(raw, buffer)
    }
    if let output { unsafe pw_stream_trigger_process(output.raw) }
  }

  /// Writes the samples that the graph requests. Thread: the data loop's.
  private func give(_ raw: OpaquePointer) {
    guard let buffer = unsafe pw_stream_dequeue_buffer(raw) else { return }
    let data = unsafe buffer.pointee.buffer.pointee.datas!
    guard let memory = unsafe data[0].data else { return }
    let room = unsafe Int(data[0].maxsize) / MemoryLayout<Float>.stride
    let requested = unsafe Int(buffer.pointee.requested)
    let count = requested > 0 ? min(requested, room) : room
    unsafe handlers.give(memory.assumingMemoryBound(to: Float.self), count)
    unsafe data[0].chunk.pointee.offset = 0
    unsafe data[0].chunk.pointee.stride = Int32(MemoryLayout<Float>.stride)
    unsafe data[0].chunk.pointee.size = UInt32(count * MemoryLayout<Float>.stride)
    unsafe buffer.pointee.size = UInt64(count)
    unsafe pw_stream_queue_buffer(raw, buffer)
  }
}
