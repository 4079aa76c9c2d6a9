internal import CQDPipeWire
import Glibc

/// A connection to PipeWire, and the objects of its graph. Thread: the loop's.
@safe public final class PipeWireConnection {
  /// A port of a node.
  struct Port {
    var node: UInt32
    var isInput: Bool
  }

  /// A link between two ports.
  struct Link: Equatable {
    var output: UInt32
    var input: UInt32
  }

  /// Called when the graph or the connection has changed.
  public var onChange: (() -> Void)?
  /// Why the connection cannot be used any more.
  public private(set) var failure: PipeWireError?
  /// The names of the nodes.
  private(set) var nodes: [UInt32: String] = [:]
  private(set) var ports: [UInt32: Port] = [:]
  private(set) var links: [UInt32: Link] = [:]
  /// The serial numbers of the nodes, which the server never reuses.
  private(set) var serials: [UInt32: UInt32] = [:]
  /// The session manager's metadata with the targets of streams.
  private(set) var targetStore: UInt32?

  private let raw: UnsafeMutablePointer<pw_loop>
  private let context: OpaquePointer
  let core: OpaquePointer
  let registry: OpaquePointer
  private let hooks: UnsafeMutablePointer<spa_hook>
  private var watch: EventLoop.Watch?
  /// The number of the last question that the server has answered.
  private var answered: Int32?

  /// Connects to the user's server.
  public init(loop: EventLoop) throws(PipeWireError) {
    _ = Self.isInitialized
    guard let raw = unsafe pw_loop_new(nil), let context = unsafe pw_context_new(raw, nil, 0) else {
      throw .unreachable(reason: unsafe String(cString: strerror(errno)))
    }
    guard let core = unsafe pw_context_connect(context, nil, 0) else {
      let reason = unsafe String(cString: strerror(errno))
      unsafe pw_context_destroy(context)
      unsafe pw_loop_destroy(raw)
      throw .unreachable(reason: reason)
    }
    unsafe self.raw = raw
    unsafe self.context = context
    unsafe self.core = core
    unsafe registry = pipewire_core_registry(core)
    unsafe hooks = .allocate(capacity: 2)
    unsafe hooks.initialize(repeating: spa_hook(), count: 2)
    let me = unsafe Unmanaged.passUnretained(self).toOpaque()
    unsafe pipewire_core_listen(core, hooks, Self.coreEvents, me)
    unsafe pipewire_registry_listen(registry, hooks + 1, Self.registryEvents, me)
    unsafe pipewire_loop_enter(raw)
    watch = loop.watch(unsafe pipewire_loop_descriptor(raw)) { [unowned self] in iterate() }
    iterate()
  }

  deinit {
    watch = nil
    unsafe pipewire_registry_destroy(registry)
    unsafe spa_hook_remove(hooks)
    unsafe pw_core_disconnect(core)
    unsafe pw_context_destroy(context)
    unsafe pipewire_loop_leave(raw)
    unsafe pw_loop_destroy(raw)
    unsafe hooks.deallocate()
  }

  private func iterate() { _ = unsafe pipewire_loop_iterate(raw) }

  /// Processes all messages that the server has sent so far.
  func catchUp() { while failure == nil, unsafe pipewire_loop_iterate(raw) > 0 {} }

  /// Waits for the answers to all that was asked so far, for at most 0.1 s.
  /// - Returns: whether they came.
  @discardableResult
  func roundTrip() -> Bool {
    let asked = unsafe pipewire_core_sync(core)
    for _ in 0..<100 {
      catchUp()
      if failure != nil { return false }
      if answered == asked { return true }
      usleep(1000)
    }
    return false
  }

  /// The node with a name; the newest, if there are several.
  func node(_ name: String) -> UInt32? { nodes.filter { $0.value == name }.keys.max() }

  /// The first port of a node in one direction.
  func port(of node: UInt32, isInput: Bool) -> UInt32? {
    ports.filter { $0.value.node == node && $0.value.isInput == isInput }.keys.min()
  }

  // MARK: What the server tells

  private static let isInitialized: Bool = {
    pw_init(nil, nil)
    return true
  }()

  nonisolated(unsafe) private static let coreEvents = {
    let events = UnsafeMutablePointer<pw_core_events>.allocate(capacity: 1)
    var table = pw_core_events()
    table.version = UInt32(PW_VERSION_CORE_EVENTS)
    unsafe table.error = { data, id, _, result, message in
      guard let data = unsafe data else { return }
      let connection = unsafe Unmanaged<PipeWireConnection>.fromOpaque(data).takeUnretainedValue()
      unsafe connection.noteError(
        id, result, message.map { unsafe String(cString: $0) } ?? "")
    }
    unsafe table.done = { data, id, number in
      guard let data = unsafe data, id == PW_ID_CORE else { return }
      unsafe Unmanaged<PipeWireConnection>.fromOpaque(data).takeUnretainedValue().answered = number
    }
    unsafe events.initialize(to: table)
    return unsafe events
  }()

  nonisolated(unsafe) private static let registryEvents = {
    let events = UnsafeMutablePointer<pw_registry_events>.allocate(capacity: 1)
    var table = pw_registry_events()
    table.version = UInt32(PW_VERSION_REGISTRY_EVENTS)
    unsafe table.global = { data, id, _, type, _, properties in
      guard let data = unsafe data, let type = unsafe string(type) else { return }
      let connection = unsafe Unmanaged<PipeWireConnection>.fromOpaque(data).takeUnretainedValue()
      connection.add(id, type) { unsafe string(pipewire_value(properties, $0)) }
    }
    unsafe table.global_remove = { data, id in
      guard let data = unsafe data else { return }
      unsafe Unmanaged<PipeWireConnection>.fromOpaque(data).takeUnretainedValue().remove(id)
    }
    unsafe events.initialize(to: table)
    return unsafe events
  }()

  private func noteError(_ id: UInt32, _ result: Int32, _ message: String) {
    guard id == PW_ID_CORE, result == -EPIPE else { return }
    failure = .unreachable(reason: "the server went away: \(message)")
    onChange?()
  }

  private func add(_ id: UInt32, _ type: String, property: (String) -> String?) {
    func number(_ key: String) -> UInt32? { property(key).flatMap { UInt32($0) } }
    switch type {
    case "PipeWire:Interface:Node":
      nodes[id] = property(PW_KEY_NODE_NAME)
      serials[id] = number(PW_KEY_OBJECT_SERIAL)
    case "PipeWire:Interface:Metadata":
      guard property(PW_KEY_METADATA_NAME) == "default" else { return }
      targetStore = id
    case "PipeWire:Interface:Port":
      guard let node = number(PW_KEY_NODE_ID) else { return }
      ports[id] = Port(node: node, isInput: property(PW_KEY_PORT_DIRECTION) == "in")
    case "PipeWire:Interface:Link":
      guard let output = number(PW_KEY_LINK_OUTPUT_PORT), let input = number(PW_KEY_LINK_INPUT_PORT)
      else { return }
      links[id] = Link(output: output, input: input)
    default: return
    }
    onChange?()
  }

  private func remove(_ id: UInt32) {
    let wasKnown =
      nodes.removeValue(forKey: id) != nil || ports.removeValue(forKey: id) != nil
      || links.removeValue(forKey: id) != nil || id == targetStore
    serials[id] = nil
    if id == targetStore { targetStore = nil }
    if wasKnown { onChange?() }
  }
}
