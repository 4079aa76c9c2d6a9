import QDAudioHost
import QDMessages

/// Chooses a back end; nothing else does.
struct Backends {
  let loop: EventLoop
  /// The path for the FIFO of the virtual microphone.
  let fifo: String
  /// Samples per second.
  let sampleRate: Int

  /// Connects to the configured server. "auto" uses native PipeWire if its socket answers, else the
  /// pulse server.
  func open(_ configuration: Configuration) throws(BackendError) -> any Backend {
    switch configuration.backend {
    case .alsa: ALSABackend(configuration.alsa)
    case .auto, .pipeWire, .pulse: try openServer(configuration)
    }
  }

  private func openServer(_ configuration: Configuration) throws(BackendError) -> any Backend {
    let server = try connect()
    if configuration.backend == .pipeWire && !server.server.isPipeWire {
      throw .failed(
        UserMessage(
          "backend = \"pipewire\", but the sound server is \(server.server.title); backend = \"auto\""
            + " in config.toml takes it"))
    }
    let isNative =
      configuration.backend != .pulse && server.server.isPipeWire && PipeWireSocket.answers
    let made =
      isNative
      ? PipeWireBackend(server, fifo: fifo, sampleRate: sampleRate, loop: loop)
      : PulseBackend(server, fifo: fifo, sampleRate: sampleRate)
    made.adopt(configuration)
    return made
  }

  /// Two daemons on one server would unload each other's modules.
  private func connect() throws(BackendError) -> SoundServer {
    let owner: PulseClient?
    let server: SoundServer
    do {
      server = try SoundServer(loop: loop)
      owner = try server.owner()
    } catch { throw BackendError(error) }
    if let owner { throw .taken(Owner.words(for: owner)) }
    return server
  }
}
