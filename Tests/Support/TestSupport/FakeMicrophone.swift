/// A microphone made of a null sink and a remapped source; what is played into it is what it hears.
public final class FakeMicrophone {
  public let name: String
  /// Where a `Player` plays.
  public var sink: String { "\(name)_feed" }
  /// Of its channels, as the server calls them.
  public let positions: [String]
  private let server: SoundServer
  private var modules: [Int] = []

  public init(
    _ name: String = "fakemic", on server: SoundServer, positions: [String] = ["mono"],
    isDefault: Bool = true
  ) throws(SupportError) {
    self.name = name
    self.positions = positions
    self.server = server
    try plugIn(isDefault: isDefault)
  }

  /// Makes the microphone appear; also after the server was started anew.
  public func plugIn(isDefault: Bool = true) throws(SupportError) {
    // A remapped source without a channel map of its own is 3 dB louder on PipeWire.
    let channels = "channels=\(positions.count)"
    let map = "channel_map=\(positions.joined(separator: ","))"
    modules = [
      try server.loadModule(
        "module-null-sink", "sink_name=\(sink)", "rate=48000", channels, "format=float32le", map,
        // As a card has it, so that it drives PipeWire's graph.
        "sink_properties=priority.driver=2000"),
      try server.loadModule(
        "module-remap-source", "source_name=\(name)", "master=\(sink).monitor", channels, map,
        // PipeWire 1.4 takes stereo where the master's is not given.
        "master_\(map)",
        "source_properties=device.description=\(name)"),
    ]
    if isDefault { try server.pactl("set-default-source", name) }
  }

  /// Makes the microphone go away, as an unplugged one does.
  public func unplug() throws(SupportError) {
    for module in modules.reversed() { try server.pactl("unload-module", "\(module)") }
    modules = []
  }
}
