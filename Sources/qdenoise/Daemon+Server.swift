import AudioHost
import AudioPath
import Control
import Denoise
import Glibc
import Synchronization

extension Daemon {
  /// Connections to PipeWire that may fail before it is done without.
  private static let mostFailures = 3

  /// Keeps the connection and the virtual microphone up, and the order to audio right.
  func followServer(at now: UInt64) {
    if server?.isLost == true { lose("the sound server went away") }
    if server == nil {
      guard let due = nextConnect, due <= now else { return }
      connect(at: now)
    }
    if let due = nextLook, due <= now {
      nextLook = nil
      server?.lookAgain()
    }
    guard let server, server.isStale else { return }
    do {
      // Making the microphone is news itself.
      repeat {
        try server.refresh()
        try bringStraysBack(on: server, at: now)
        noteCutOff(on: server, at: now)
        let wanted = virtualMicrophone(on: server)
        try guardFeed(of: wanted, on: server, at: now)
        let edition = server.edition
        try server.establish(wanted)
        if server.edition != edition {
          Journal.write(.info, "made '\(VirtualMicrophone.description)'")
          if usesSinkNeedlessly { Journal.write(.warning, Self.needlessSink) }
        }
      } while server.isStale
      connectPause = Daemon.shortestPause
      greet(server)
      remember(strays.memory)
      chooseMicrophone(server)
      adjustOrder()
      watchVolumes(server)
    } catch {
      lose("\(error)")
    }
  }

  private func connect(at now: UInt64) {
    do {
      let made = try SoundServer(loop: loop)
      if let owner = try made.owner() {
        return waitForEnd(of: owner)
      }
      if configuration.backend == .pipeWire && !made.server.isPipeWire {
        return refuse(made.server)
      }
      server = made
      canReachPipeWire = made.server.isPipeWire && PipeWireSocket.answers
      pipeWireFailures = 0
      nextConnect = nil
      order = AudioOrder(connection: order.connection + 1, transport: order.transport)
    } catch {
      if serverFailure != "\(error)" { Journal.write(.warning, "\(error)") }
      serverFailure = "\(error)"
      waitToConnect()
    }
  }

  /// Another server than the one that the configuration names.
  private func refuse(_ other: ServerDescription) {
    let reason =
      "backend = \"pipewire\", but the sound server is \(other.title); backend = \"auto\" in"
      + " config.toml takes it"
    if serverFailure != reason { Journal.write(.warning, reason) }
    serverFailure = reason
    waitToConnect()
  }

  private func lose(_ reason: String) {
    if serverFailure != reason { Journal.write(.warning, reason) }
    serverFailure = reason
    isGreeted = false
    server = nil
    microphone = nil
    attenuations = []
    nextSecond = nil
    nextLook = nil
    cutOffSince = nil
    waitToConnect()
    post(AudioOrder(connection: order.connection, transport: order.transport))
  }

  /// Says once for each connection that it serves; before that a failure is not told anew.
  private func greet(_ server: SoundServer) {
    serverFailure = nil
    if isGreeted { return }
    isGreeted = true
    Journal.write(
      .info, "connected to the sound server",
      ["QDENOISE_SERVER": server.server.title])
  }

  private func waitToConnect() {
    nextConnect = AudioClock.microseconds + connectPause
    // A server that restarts is back within a second or two, and its applications with it.
    connectPause = min(connectPause + connectPause / 8, Daemon.longestPause)
  }

  /// Two daemons on one server would unload each other's modules.
  private func waitForEnd(of owner: PulseClient) {
    let reason = Owner.words(for: owner)
    if serverFailure != reason { Journal.write(.warning, reason) }
    serverFailure = reason
    connectPause = min(max(2 * connectPause, Daemon.longestPause), Daemon.longestWait)
    nextConnect = AudioClock.microseconds + connectPause
  }

  /// Moves whoever asked for us and was taken elsewhere by the server.
  private func bringStraysBack(on server: SoundServer, at now: UInt64) throws(PulseError) {
    let before = strays.strays
    let stray = strays.find(
      server: server.server, sources: server.sources, listeners: server.everybody, at: now)
    for found in strays.strays where !before.contains(found) { report(found) }
    for listener in stray {
      strays.note(moveOf: listener, helped: try server.bringBack(listener), at: now)
    }
    nextLook = strays.areMoving || strays.mayMove(at: now) ? now + Daemon.lookPause : nil
  }

  /// Looks again after a while whether somebody who is connected to nothing still is.
  private func noteCutOff(on server: SoundServer, at now: UInt64) {
    guard strays.areCutOff, server.server.isPipeWire else {
      cutOffSince = nil
      return
    }
    if cutOffSince == nil { nextLook = now + Daemon.cutOffPatience }
    cutOffSince = cutOffSince ?? now
  }

  private func guardFeed(
    of wanted: VirtualMicrophone, on server: SoundServer, at now: UInt64
  ) throws(PulseError) {
    for action in try server.guardFeed(of: wanted, at: now) { report(action) }
    if server.feedGuard.isWaiting { nextLook = now + Daemon.lookPause }
  }

  private func report(_ stray: StrayListeners.Stray) {
    let (application, source) = (stray.listener.application, stray.source.description)
    Journal.write(
      stray.isChosen ? .info : .notice,
      stray.isChosen
        ? "\(application) was moved to '\(source)' by you, and is left there"
        : "\(application) asked for '\(VirtualMicrophone.description)' and got '\(source)';"
          + " it is moved back",
      ["QDENOISE_LISTENER": application])
  }

  private func report(_ action: FeedGuard.Action) {
    switch action {
    case .loadRefuge, .unloadRefuge: break
    case .makeDefault(let sink):
      Journal.write(
        .notice,
        "the feed of the virtual microphone had become the default output; it is '\(sink)' now")
    case .move(let player, let sink):
      Journal.write(
        .notice,
        "\(player.application) played into the virtual microphone; it plays to '\(sink)' now")
    }
  }

  /// Keeps who listens for the daemon after this one.
  private func remember(_ memory: StrayListeners.Memory) {
    guard memory != keptMemory else { return }
    keptMemory = memory
    do {
      try directory.save(memory)
    } catch {
      Journal.write(.warning, "\(error)")
    }
  }

  private func virtualMicrophone(on server: SoundServer) -> VirtualMicrophone {
    VirtualMicrophone(layout: layout(on: server), sampleRate: models.full.sampleRate)
  }

  private func layout(on server: SoundServer) -> VirtualMicrophone.Layout {
    switch configuration.output {
    case .auto where isNative: .node
    // A server on another machine does not see our FIFO.
    case .auto where server.server.isPipeWire || !server.isLocal: .sink
    case .auto, .pipe: .pipe(path: directory.fifo)
    case .sink: .sink
    }
  }

  /// Whether the sound goes through PipeWire's own graph.
  private var isNative: Bool {
    switch configuration.backend {
    case .auto, .pipeWire: canReachPipeWire && pipeWireFailures < Self.mostFailures
    case .pulse, .alsa: false
    }
  }

  static let needlessSink =
    "output = \"sink\" on PulseAudio: more latency, and an output that other programs can play"
    + " into; output = \"auto\" in config.toml has neither"

  /// On PulseAudio the FIFO does the same without a sink.
  var usesSinkNeedlessly: Bool {
    guard let server, server.virtualMicrophone?.layout == .sink else { return false }
    return !server.server.isPipeWire
  }

  private func chooseMicrophone(_ server: SoundServer) {
    let chosen = MicrophoneChoice.choose(
      among: server.sources, pinned: settings.device, defaultSource: server.server.defaultSource,
      lastDefault: state.lastDefaultMicrophone)
    if chosen?.source.name != microphone?.source.name || chosen?.reason != microphone?.reason {
      if let chosen {
        Journal.write(
          .info, "the microphone is '\(chosen.source.description)', \(chosen.explanation)",
          ["QDENOISE_DEVICE": chosen.source.name])
      } else {
        Journal.write(.warning, "there is no microphone; listeners get silence")
      }
    }
    microphone = chosen
    remember(server)
  }

  /// Keeps the last default that is not ourselves, for the day on which the person chooses us.
  private func remember(_ server: SoundServer) {
    guard let name = server.server.defaultSource, name != state.lastDefaultMicrophone,
      let source = server.sources.first(where: { $0.name == name }), source.monitorOf == nil,
      !MicrophoneChoice.isOurs(source, among: server.sources)
    else { return }
    state.lastDefaultMicrophone = name
    save()
  }

  /// Nobody listens, nothing is captured.
  func adjustOrder() {
    guard let server, let layout = server.virtualMicrophone?.layout else { return }
    let isHeard = !server.listeners.isEmpty || recording != nil
    let route: AudioOrder.Route =
      switch layout {
      // What nobody fetches would be heard by the next listener.
      case _ where server.listeners.isEmpty: .nowhere
      case .pipe(let path): .pipe(path: path)
      case .sink: .sink(name: VirtualMicrophone.sinkName, target: sinkTarget(on: server))
      case .node: .node(name: VirtualMicrophone.sourceName)
      }
    let wanted = AudioOrder(
      connection: order.connection, transport: layout == .node ? .pipeWire : .pulse,
      edition: server.edition,
      source: isHeard ? microphone?.source.name : nil,
      positions: isHeard ? microphone?.source.positions ?? ["mono"] : ["mono"],
      pinned: pinnedChannels, route: isHeard ? route : nil)
    // A microphone that was away for a moment is another one of the same name.
    let isBack = hasFailed && microphone?.source.index != capturedIndex
    if wanted != order || report.number != order.connection || isBack {
      capturedIndex = microphone?.source.index
      post(wanted)
    }
    if isHeard && nextSecond == nil { nextSecond = AudioClock.microseconds + 1_000_000 }
  }

  private var hasFailed: Bool {
    if case .failed = report.capture { true } else { false }
  }

  /// The channels that were pinned of the microphone in use, a bit each.
  var pinnedChannels: UInt32 {
    guard configuration.backend == .alsa || microphone?.reason == .pinned else { return 0 }
    return (settings.channels ?? []).reduce(0) { $0 | 1 << UInt32($1 - 1) }
  }

  /// Says what somebody has muted or turned down, once.
  private func watchVolumes(_ server: SoundServer) {
    // Until its streams run, PipeWire has no volumes for them and says 0.
    let found = server.volumes.attenuations(
      microphone: microphone?.source,
      processID: report.capture == .running ? Int(getpid()) : nil)
    for new in found where !attenuations.contains(where: { $0.remedy == new.remedy }) {
      Journal.write(.warning, "\(new.sentence); `\(new.remedy)` undoes it")
    }
    attenuations = found
  }

  /// Samples that the virtual microphone's sink is asked to hold: 20 ms. With as much PulseAudio
  /// wakes up 2,000 times a second; with 30 ms it does not.
  private func sinkTarget(on server: SoundServer) -> Int {
    (server.server.isPipeWire ? 2 : 3) * models.full.sampleRate / 100
  }

  /// Reads what audio says became of the order.
  func takeReports() {
    guard let next = link.reports.take() else { return }
    let before = report
    report = next
    guard next.number == order.connection else { return }
    if next.capture != before.capture, next.capture == .running {
      Journal.write(.info, "capturing", ["QDENOISE_DEVICE": next.source ?? "?"])
      server?.lookAgain()
    }
    if case .lost(let reason) = next.connection, server != nil {
      Journal.write(.warning, "audio: \(reason)")
      // The control connection finds out by itself if the server is gone.
      order.connection += 1
      notePipeWireFailure(reason)
      nextSecond = nextSecond ?? AudioClock.microseconds + 1_000_000
    }
    if case .failed(let reason) = next.capture { Journal.write(.warning, "microphone: \(reason)") }
    if let output = next.output { Journal.write(.error, "output: \(output)") }
  }

  /// After some failures the sound goes through PipeWire's pulse server.
  private func notePipeWireFailure(_ reason: String) {
    guard order.transport == .pipeWire else { return }
    pipeWireFailures += 1
    guard pipeWireFailures == Self.mostFailures else { return }
    Journal.write(
      .warning, "\(reason); the sound goes through PipeWire's pulse server, with more latency")
    server?.lookAgain()
  }
}
