import QDAudioHost
import QDControl
import Glibc

/// The control thread's view of a pulse server: its devices, its listeners, and our modules.
/// Thread: control.
@safe final class SoundServer {
  private let connection: PulseConnection
  private(set) var server: ServerDescription
  private(set) var sources: [AudioDevice] = []
  /// Streams that record from the virtual microphone and are not paused.
  private(set) var listeners: [AudioStream] = []
  /// The volumes and mutes between microphone and applications.
  private(set) var volumes = VolumeChain(sources: [])
  /// Whether a stream is connected to the virtual microphone, paused or not.
  private var isConnectedTo = false
  /// Our modules, in loading order.
  private(set) var modules: [UInt32] = []
  private(set) var virtualMicrophone: VirtualMicrophone?
  /// Incremented for each new virtual microphone; an adopted one does not count.
  private(set) var generation = 0
  /// Whether something changed on the server since the last `refresh`.
  private(set) var isStale = true
  private var modulesAreStale = true
  /// All streams that record from a source, except ours.
  private(set) var everybody: [AudioStream] = []
  private var sinks: [AudioDevice] = []
  /// The streams that play to sinks; queried only if a playback feeds the virtual microphone.
  private var players: [AudioStream] = []
  private(set) var feedGuard = FeedGuard()

  /// Distinguishes this daemon's connection from others.
  private static let instance = String(UInt64.random(in: 0...UInt64.max), radix: 16)

  /// Connects and subscribes to events.
  init(loop: EventLoop) throws(PulseError) {
    connection = PulseConnection(
      loop: loop, name: Product.client, properties: [Product.instance: Self.instance])
    try connection.connect()
    server = try connection.server()
    connection.onEvent = { [unowned self] event in
      // Players matter only if there is a sink of ours, or a playback of ours.
      if event.subject == .sinkInput, !plays { return }
      isStale = true
      if event.subject == .module && event.change == .removed { modulesAreStale = true }
    }
    try connection.subscribe()
  }

  /// Whether the server runs on this machine.
  var isLocal: Bool { connection.isLocal }

  var isLost: Bool { connection.hasFailed }

  /// Makes the next `refresh` query everything, as if the server had changed.
  func lookAgain() { isStale = true }

  /// Queries everything that may have changed.
  func refresh() throws(PulseError) {
    isStale = false
    server = try connection.server()
    sources = try connection.sources()
    let ours = ourIndex
    let recorders = try connection.listeners()
    everybody = recorders.filter {
      !($0.processID == Int(getpid()) && $0.application == Product.client)
    }
    isConnectedTo = everybody.contains { $0.device == ours }
    listeners = everybody.filter { $0.device == ours && !$0.isCorked }
    sinks = try connection.sinks()
    players = plays ? try connection.players() : []
    volumes = VolumeChain(sources: sources)
    volumes.recorders = recorders
    if plays { (volumes.sinks, volumes.players) = (sinks, players) }
  }

  /// Whether a playback feeds the virtual microphone.
  private var plays: Bool {
    switch virtualMicrophone?.layout {
    case .sink, .node: true
    case .pipe, nil: false
    }
  }

  /// The daemon that was connected to this server before us.
  func owner() throws(PulseError) -> PulseClient? {
    Owner.find(
      among: try connection.clients(with: Product.instance), instance: Self.instance)
  }

  /// Moves a stream to the virtual microphone; false if the server refuses.
  func bringBack(_ stray: UInt32) throws(PulseError) -> Bool {
    do {
      try connection.move(listener: stray, to: VirtualMicrophone.sourceName)
      return true
    } catch .refused {
      return false
    }
  }

  /// Moves other programs' streams off our sink, and returns them.
  func guardFeed(
    of wanted: VirtualMicrophone, at now: UInt64
  ) throws(PulseError) -> [FeedGuard.Action] {
    // Without a sink of ours only a remaining refuge matters.
    let actions = feedGuard.actions(
      isNeeded: wanted.layout == .sink, on: server, sinks: sinks, players: players,
      ourselves: Int(getpid()), at: now)
    for action in actions {
      do {
        switch action {
        case .loadRefuge:
          _ = try connection.loadModule(FeedGuard.refugeModule, FeedGuard.refugeArgument)
        case .unloadRefuge(let module): try connection.unloadModule(module)
        case .makeDefault(let sink): try connection.setDefaultSink(sink)
        case .move(let player, let sink): try connection.move(player: player.index, to: sink)
        }
      } catch .refused {
        // The stream is gone meanwhile.
        continue
      }
    }
    return actions
  }

  /// Ensures that the virtual microphone exists once, in the wanted form.
  func establish(_ wanted: VirtualMicrophone) throws(PulseError) {
    guard wanted != virtualMicrophone || modulesAreStale else { return }
    let plan = wanted.plan(
      for: try connection.modules(), adopts: isConnectedTo || wanted == virtualMicrophone)
    for module in plan.unload { try unload(module) }
    modules = []
    for (request, adopted) in zip(wanted.requests, plan.adopt) {
      if let adopted {
        modules.append(adopted)
      } else {
        // The server refuses to create a FIFO if there is one already.
        if case .pipe(let path) = wanted.layout { try makeRoom(at: path) }
        modules.append(try connection.loadModule(request.name, request.argument))
        generation += 1
      }
    }
    virtualMicrophone = wanted
    modulesAreStale = false
    isStale = true
  }

  private func makeRoom(at path: String) throws(PulseError) {
    guard unsafe unlink(path) != 0, errno != ENOENT else { return }
    throw .refused(
      what: path,
      reason: "\(unsafe String(cString: strerror(errno))); a FIFO is to be there, remove it")
  }

  /// Removes the virtual microphone, unless streams are connected to it: the server would give them
  /// the raw microphone. Returns these streams.
  func remove() throws(PulseError) -> [AudioStream] {
    try refresh()
    if isConnectedTo { return everybody.filter { $0.device == ourIndex } }
    for module in modules.reversed() { try unload(module) }
    let refuge = sinks.first { $0.name == FeedGuard.refugeName }
    if let module = refuge?.ownerModule { try unload(module) }
    modules = []
    virtualMicrophone = nil
    return []
  }

  private var ourIndex: UInt32? {
    sources.first { $0.name == VirtualMicrophone.sourceName }?.index
  }

  /// Unloads a module that another program may be unloading, too.
  private func unload(_ module: UInt32) throws(PulseError) {
    do {
      try connection.unloadModule(module)
    } catch .refused {
      return
    }
  }
}
