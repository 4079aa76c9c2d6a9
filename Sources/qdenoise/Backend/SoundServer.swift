import AudioHost
import Control
import Glibc

/// The control thread's view of a pulse server: its devices, who listens, and our modules on it.
/// Thread: control.
@safe final class SoundServer {
  private let connection: PulseConnection
  private(set) var server: ServerDescription
  private(set) var sources: [AudioDevice] = []
  /// Who records from the virtual microphone and has not paused.
  private(set) var listeners: [AudioStream] = []
  /// What a mixer can turn down.
  private(set) var volumes = VolumeChain(sources: [])
  /// Somebody is connected to the virtual microphone, paused or not.
  private var isConnectedTo = false
  /// Our modules, in the order of loading.
  private(set) var modules: [UInt32] = []
  private(set) var virtualMicrophone: VirtualMicrophone?
  /// Counts the virtual microphones made; an adopted one is not made.
  private(set) var edition = 0
  /// Something changed on the server since the last `refresh`.
  private(set) var isStale = true
  private var modulesAreStale = true
  /// Everybody who records from some source, ourselves excepted.
  private(set) var everybody: [AudioStream] = []
  private var sinks: [AudioDevice] = []
  /// Who plays to which sink; asked for where the virtual microphone is fed by a playback.
  private var players: [AudioStream] = []
  private(set) var feedGuard = FeedGuard()

  /// Tells this daemon's connection from those of others.
  private static let instance = String(UInt64.random(in: 0...UInt64.max), radix: 16)

  /// Connects and asks for events.
  init(loop: EventLoop) throws(PulseError) {
    connection = PulseConnection(
      loop: loop, name: Product.client, properties: [Product.instance: Self.instance])
    try connection.connect()
    server = try connection.server()
    connection.onEvent = { [unowned self] event in
      // Who plays matters where there is a sink of ours to play into, or a playback of ours.
      if event.subject == .sinkInput, !plays { return }
      isStale = true
      if event.subject == .module && event.change == .removed { modulesAreStale = true }
    }
    try connection.subscribe()
  }

  /// Whether the server runs on this machine.
  var isLocal: Bool { connection.isLocal }

  var isLost: Bool { connection.hasFailed }

  /// Has everything looked at again, as if the server had changed.
  func lookAgain() { isStale = true }

  /// Asks for everything that may have changed.
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

  /// The virtual microphone is fed by a playback.
  private var plays: Bool {
    switch virtualMicrophone?.layout {
    case .sink, .node: true
    case .pipe, nil: false
    }
  }

  /// The daemon that was on this server before us.
  func owner() throws(PulseError) -> PulseClient? {
    Owner.find(
      among: try connection.clients(with: Product.instance), instance: Self.instance)
  }

  /// Moves somebody to the virtual microphone; false if the server refuses.
  func bringBack(_ stray: UInt32) throws(PulseError) -> Bool {
    do {
      try connection.move(listener: stray, to: VirtualMicrophone.sourceName)
      return true
    } catch .refused {
      return false
    }
  }

  /// Sees to it that nobody plays to a sink of ours, and says who did.
  func guardFeed(
    of wanted: VirtualMicrophone, at now: UInt64
  ) throws(PulseError) -> [FeedGuard.Action] {
    // Without a sink of ours only a refuge that is left over matters.
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
        // It has gone meanwhile.
        continue
      }
    }
    return actions
  }

  /// Makes sure that the virtual microphone exists once, as it is wanted.
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
        // The server refuses to make a FIFO where one is left.
        if case .pipe(let path) = wanted.layout { try makeRoom(at: path) }
        modules.append(try connection.loadModule(request.name, request.argument))
        edition += 1
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

  /// Takes the virtual microphone away, unless somebody is connected to it: the server would give
  /// them the microphone as it is. Says who they are.
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

  /// Unloads a module that somebody else may be unloading, too.
  private func unload(_ module: UInt32) throws(PulseError) {
    do {
      try connection.unloadModule(module)
    } catch .refused {
      return
    }
  }
}
