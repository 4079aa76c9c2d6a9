/// A server's description of itself.
public struct ServerDescription: Equatable, Sendable {
  public var name: String
  public var version: String
  public var defaultSource: String?
  public var defaultSink: String?
  /// A random number for each run of the server. A restart of pipewire-pulse alone keeps it, and
  /// then indices are not reused.
  public var cookie: UInt32

  public var isPipeWire: Bool { name == "PipeWire" }

  /// Name and version for the user: "PulseAudio 16.1", "PipeWire 1.4.2".
  public var title: String { "\(name == "pulseaudio" ? "PulseAudio" : name) \(version)" }

  /// PipeWire's pulse server reports "PulseAudio (on PipeWire 0.3.65)", and the version of the
  /// PulseAudio whose protocol it implements.
  public init(
    name: String, version: String, defaultSource: String?, defaultSink: String?, cookie: UInt32 = 0
  ) {
    if let match = name.firstMatch(of: /PipeWire ?([0-9][^)]*)?/) {
      self.name = "PipeWire"
      self.version = match.1.map(String.init) ?? version
    } else {
      self.name = name
      self.version = version
    }
    self.defaultSource = defaultSource
    self.defaultSink = defaultSink
    self.cookie = cookie
  }
}
