import QDAudioHost
import QDAudioPath
import QDControl
import Glibc
import QDMessages

/// PulseAudio, or PipeWire's pulse server: streams over the pulse protocol into a FIFO or a sink.
/// Thread: control.
@safe class PulseBackend: Backend {
  let server: SoundServer
  private let fifo: String
  private let sampleRate: Int
  private(set) var output = Configuration.Output.auto

  init(_ server: SoundServer, fifo: String, sampleRate: Int) {
    self.server = server
    self.fifo = fifo
    self.sampleRate = sampleRate
  }

  var title: String { server.server.title }

  var transport: AudioTransport { .pulse }

  func adopt(_ configuration: Configuration) {
    output = configuration.output
    lookAgain()
  }

  // MARK: What there is

  var isLost: Bool { server.isLost }

  var isStale: Bool { server.isStale }

  func lookAgain() { server.lookAgain() }

  func refresh() throws(BackendError) {
    do { try server.refresh() } catch { throw BackendError(error) }
  }

  var devices: Devices {
    Devices(
      server: server.server, sources: server.sources, recordings: server.everybody,
      listeners: server.listeners)
  }

  func attenuations(of microphone: AudioDevice?, isCapturing: Bool) -> [Status.Attenuation] {
    // Until its streams run, PipeWire has no volumes for them and reports 0.
    server.volumes.attenuations(
      microphone: microphone, processID: isCapturing ? Int(getpid()) : nil)
  }

  // MARK: The virtual microphone

  /// The layout of the virtual microphone.
  var layout: VirtualMicrophone.Layout {
    switch output {
    // A server on another machine cannot read our FIFO.
    case .auto where server.server.isPipeWire || !server.isLocal: .sink
    case .auto, .pipe: .pipe(path: fifo)
    case .sink: .sink
    }
  }

  func establish(at now: UInt64) throws(BackendError) -> [Notice] {
    let wanted = VirtualMicrophone(layout: layout, sampleRate: sampleRate)
    let generation = server.generation
    var notices: [Notice] = []
    do {
      notices = try server.guardFeed(of: wanted, at: now).compactMap(\.notice)
      try server.establish(wanted)
    } catch { throw BackendError(error) }
    if server.generation != generation {
      notices.append(Notice(.info, "made '\(VirtualMicrophone.description)'"))
      notices += warnings.map { Notice(.warning, $0.description) }
    }
    return notices
  }

  var virtualMicrophone: Established? {
    guard let layout = server.virtualMicrophone?.layout else { return nil }
    let route: AudioOrder.Route =
      switch layout {
      case .pipe(let path): .pipe(path: path)
      case .sink: .sink(name: VirtualMicrophone.sinkName, target: sinkTarget)
      case .node: .node(name: VirtualMicrophone.sourceName)
      }
    return Established(
      name: VirtualMicrophone.description, route: route, generation: server.generation)
  }

  /// The requested fill of the virtual microphone's sink in samples: 20 ms. With it PulseAudio
  /// wakes up 2,000 times per second; with 30 ms it does not.
  private var sinkTarget: Int { (server.server.isPipeWire ? 2 : 3) * sampleRate / 100 }

  var isSettling: Bool { server.feedGuard.isWaiting }

  func remove() throws(BackendError) -> [AudioStream] {
    do { return try server.remove() } catch { throw BackendError(error) }
  }

  func bringBack(_ recording: UInt32) throws(BackendError) -> Bool {
    do { return try server.bringBack(recording) } catch { throw BackendError(error) }
  }

  // MARK: What goes wrong

  func note(audioFailure reason: String) -> Notice? { nil }

  /// On PulseAudio the FIFO does the same without a sink.
  var warnings: [UserMessage] {
    guard server.virtualMicrophone?.layout == .sink, !server.server.isPipeWire else { return [] }
    return [
      UserMessage(
        "output = \"sink\" on PulseAudio: more latency, and an output that other programs can play"
          + " into; output = \"auto\" in config.toml has neither")
    ]
  }

  var cutOffWarning: UserMessage? {
    guard server.server.isPipeWire else { return nil }
    return UserMessage(
      "the session manager connects an application that asked for"
        + " '\(VirtualMicrophone.description)' to nothing; `systemctl --user restart pipewire"
        + " pipewire-pulse wireplumber` mends it")
  }
}

extension FeedGuard.Action {
  /// The notice for the user.
  fileprivate var notice: Notice? {
    switch self {
    case .loadRefuge, .unloadRefuge: nil
    case .makeDefault(let sink):
      Notice(
        .notice,
        "the feed of the virtual microphone had become the default output; it is '\(sink)' now")
    case .move(let player, let sink):
      Notice(
        .notice,
        "\(player.application) played into the virtual microphone; it plays to '\(sink)' now")
    }
  }
}
