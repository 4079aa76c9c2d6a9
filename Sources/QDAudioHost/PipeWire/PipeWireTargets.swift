internal import CQDPipeWire

/// The chosen sources of the streams in PipeWire's graph: "target.object" in the metadata
/// "default". Mixers and the pulse server write the user's choice there, and the session manager
/// follows it, but writes nothing when it moves a stream by itself.
/// Thread: the loop's.
@safe public final class PipeWireTargets {
  private static let objectKey = "target.object"
  private static let nodeKey = "target.node"

  /// Whether the connection cannot be used any more.
  public var hasFailed: Bool { connection.failure != nil }

  private let connection: PipeWireConnection
  /// The bound object of `connection.targetStore`.
  private var store: (id: UInt32, raw: OpaquePointer)?
  private let hook: UnsafeMutablePointer<spa_hook>
  /// Whether the values that `store` had when it was bound may still be on their way.
  private var isNew = false
  /// By the ID of the stream's node.
  private var orders: [UInt32: String] = [:]

  /// Connects to the user's server.
  public init(loop: EventLoop) throws(PipeWireError) {
    connection = try PipeWireConnection(loop: loop)
    unsafe hook = .allocate(capacity: 1)
    unsafe hook.initialize(to: spa_hook())
    connection.onChange = { [unowned self] in follow() }
    follow()
    connection.roundTrip()
  }

  deinit {
    connection.onChange = nil
    release()
    unsafe hook.deallocate()
  }

  /// The choices for the streams, as far as the server has reported them.
  public func orders(of streams: [AudioStream]) -> [UInt32: AudioStream.Order] {
    connection.catchUp()
    guard unsafe store != nil else { return [:] }
    // Without them, a stream that its user moved looks like one that nobody moved.
    if isNew {
      guard connection.roundTrip() else { return [:] }
      isNew = false
    }
    var found: [UInt32: AudioStream.Order] = [:]
    for stream in streams {
      guard let node = node(withSerial: stream.index) else { continue }
      found[stream.index] = order(of: node)
    }
    return found
  }

  /// Makes a stream record from the node with a name, even if that is the default; the pulse server
  /// would then make it follow the default.
  /// - Returns: false if there is no such stream or node, or no metadata.
  public func tell(stream serial: UInt32, toRecordFrom name: String) -> Bool {
    connection.catchUp()
    guard let raw = unsafe store?.raw, let stream = node(withSerial: serial),
      let target = connection.node(name), let targetSerial = connection.serials[target]
    else { return false }
    // The session manager is not notified of a value that is there already.
    if orders[stream] == "\(targetSerial)" {
      for key in [Self.nodeKey, Self.objectKey] {
        unsafe pipewire_metadata_set(raw, stream, key, nil, nil)
      }
    }
    unsafe pipewire_metadata_set(raw, stream, Self.nodeKey, "Spa:Id", "\(target)")
    unsafe pipewire_metadata_set(raw, stream, Self.objectKey, "Spa:Id", "\(targetSerial)")
    connection.catchUp()
    return true
  }

  private func node(withSerial serial: UInt32) -> UInt32? {
    connection.serials.first { $0.value == serial }?.key
  }

  private func order(of stream: UInt32) -> AudioStream.Order {
    guard let value = orders[stream] else { return .nothing }
    if value == "-1" { return .default }
    // A name, or the serial number of a node.
    let named = UInt32(value).flatMap { node(withSerial: $0) }.flatMap { connection.nodes[$0] }
    return .device(named ?? value)
  }

  // MARK: The metadata

  private func follow() {
    guard unsafe store?.id != connection.targetStore else { return }
    release()
    guard let id = connection.targetStore,
      let raw = unsafe pipewire_registry_metadata(connection.registry, id)
    else { return }
    unsafe store = (id, raw)
    isNew = true
    unsafe hook.initialize(to: spa_hook())
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe pipewire_metadata_listen(raw, hook, Self.events, me)
  }

  private func release() {
    orders = [:]
    guard let raw = unsafe store?.raw else { return }
    unsafe store = nil
    unsafe spa_hook_remove(hook)
    unsafe pipewire_metadata_release(raw)
  }

  nonisolated(unsafe) private static let events = {
    let events = UnsafeMutablePointer<pw_metadata_events>.allocate(capacity: 1)
    var table = pw_metadata_events()
    table.version = UInt32(PW_VERSION_METADATA_EVENTS)
    unsafe table.property = { data, subject, key, _, value in
      guard let data = unsafe data else { return 0 }
      let targets = unsafe Unmanaged<PipeWireTargets>.fromOpaque(data).takeUnretainedValue()
      targets.note(subject, unsafe string(key), unsafe string(value))
      return 0
    }
    unsafe events.initialize(to: table)
    return unsafe events
  }()

  /// Without a key, all values of the object are removed.
  private func note(_ subject: UInt32, _ key: String?, _ value: String?) {
    if key == nil || key == Self.objectKey { orders[subject] = key == nil ? nil : value }
  }
}
