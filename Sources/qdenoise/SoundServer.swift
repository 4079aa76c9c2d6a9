import AudioHost
import Glibc

/// The control thread's view of a pulse server: its devices, who listens, and our modules on it.
/// Thread: control.
@safe final class SoundServer {
  private let connection: PulseConnection
  private(set) var server: PulseServer
  private(set) var sources: [PulseSource] = []
  /// Who records from the virtual microphone and has not paused.
  private(set) var listeners: [PulseListener] = []
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
  private var strays = StrayListeners()

  /// Connects and asks for events.
  init(loop: PulseLoop) throws(PulseError) {
    connection = PulseConnection(loop: loop, name: "qdenoise")
    try connection.connect()
    server = try connection.server()
    connection.onEvent = { [unowned self] event in
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
    let ours = sources.first { $0.name == VirtualMicrophone.sourceName }?.index
    let everybody = try connection.listeners()
    isConnectedTo = everybody.contains { $0.source == ours }
    listeners = everybody.filter { $0.source == ours && !$0.isCorked }
    let strays = self.strays.find(
      sources: sources, defaultSource: server.defaultSource, listeners: everybody)
    for stray in strays { try bringBack(stray) }
  }

  private func bringBack(_ stray: UInt32) throws(PulseError) {
    do {
      try connection.move(listener: stray, to: VirtualMicrophone.sourceName)
    } catch .refused {
      // It has gone meanwhile.
      return
    }
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

  /// Takes the virtual microphone away.
  func remove() throws(PulseError) {
    for module in modules.reversed() { try unload(module) }
    modules = []
    virtualMicrophone = nil
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
