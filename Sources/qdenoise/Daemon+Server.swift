import AudioHost
import Control
import Denoise
import Synchronization

extension Daemon {
  /// Keeps the connection and the virtual microphone up, and the order to audio right.
  func followServer(at now: UInt64) {
    if server?.isLost == true { lose("the sound server went away") }
    if server == nil {
      guard let due = nextConnect, due <= now else { return }
      connect(at: now)
    }
    guard let server, server.isStale else { return }
    do {
      // Making the microphone is news itself.
      repeat {
        try server.refresh()
        let edition = server.edition
        try server.establish(virtualMicrophone(on: server))
        if server.edition != edition {
          Journal.write(.info, "made '\(VirtualMicrophone.description)'")
        }
      } while server.isStale
      connectPause = Daemon.shortestPause
      greet(server)
      chooseMicrophone(server)
      adjustOrder()
    } catch {
      lose("\(error)")
    }
  }

  private func connect(at now: UInt64) {
    do {
      let made = try SoundServer(loop: loop)
      server = made
      nextConnect = nil
      order = AudioOrder(connection: order.connection + 1)
    } catch {
      if serverFailure != "\(error)" { Journal.write(.warning, "\(error)") }
      serverFailure = "\(error)"
      waitToConnect()
    }
  }

  private func lose(_ reason: String) {
    if serverFailure != reason { Journal.write(.warning, reason) }
    serverFailure = reason
    isGreeted = false
    server = nil
    microphone = nil
    nextSecond = nil
    waitToConnect()
    post(AudioOrder(connection: order.connection))
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
    connectPause = min(2 * connectPause, Daemon.longestPause)
  }

  private func virtualMicrophone(on server: SoundServer) -> VirtualMicrophone {
    let usesPipe =
      switch configuration.output {
      // A server on another machine does not see our FIFO.
      case .auto: !server.server.isPipeWire && server.isLocal
      case .pipe: true
      case .sink: false
      }
    return VirtualMicrophone(
      layout: usesPipe ? .pipe(path: directory.fifo) : .sink, sampleRate: models.full.sampleRate)
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
      }
    let wanted = AudioOrder(
      connection: order.connection, edition: server.edition,
      source: isHeard ? microphone?.source.name : nil,
      route: isHeard ? route : nil)
    if wanted != order || report.number != order.connection {
      post(wanted)
    }
    if isHeard && nextSecond == nil { nextSecond = AudioClock.microseconds + 1_000_000 }
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
    }
    if case .lost(let reason) = next.connection, server != nil {
      Journal.write(.warning, "audio: \(reason)")
      // The control connection finds out by itself if the server is gone.
      order.connection += 1
      nextSecond = nextSecond ?? AudioClock.microseconds + 1_000_000
    }
    if case .failed(let reason) = next.capture { Journal.write(.warning, "microphone: \(reason)") }
    if let output = next.output { Journal.write(.error, "output: \(output)") }
  }
}
