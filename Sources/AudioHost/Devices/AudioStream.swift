/// A stream of an application that records from a source or plays to a sink.
public struct AudioStream: Equatable, Sendable {
  /// What a person, or another program, has told a stream that is there.
  public enum Order: Equatable, Sendable {
    case nothing
    /// To follow the default.
    case `default`
    /// By its name, or by a number if it is gone.
    case device(String)
  }

  /// The server's; a recording and a playback may share one.
  public var index: UInt32
  /// The index of the source or sink.
  public var device: UInt32
  /// It has paused itself.
  public var isCorked: Bool
  /// As the application calls itself, else the stream's name.
  public var application: String
  public var processID: Int?
  /// What the application calls the stream.
  public var name: String
  /// The name or the index of the device that the application asked for, where the server tells:
  /// PipeWire does, PulseAudio does not.
  public var target: String?
  /// What the stream was told later; nil where the server does not tell. PipeWire does by itself.
  public var order: Order?
  public var isMuted: Bool
  /// Percent as mixers show it, of the loudest channel.
  public var volume: Int

  public init(
    index: UInt32, device: UInt32, isCorked: Bool = false, application: String,
    processID: Int? = nil, name: String = "", target: String? = nil, order: Order? = nil,
    isMuted: Bool = false, volume: Int = 100
  ) {
    self.index = index
    self.device = device
    self.isCorked = isCorked
    self.application = application
    self.processID = processID
    self.name = name
    self.target = target
    self.order = order
    self.isMuted = isMuted
    self.volume = volume
  }
}
