/// A stream of an application that records from a source or plays to a sink.
public struct AudioStream: Equatable, Sendable {
  /// A user's or another program's choice for an existing stream.
  public enum Order: Equatable, Sendable {
    case nothing
    /// To follow the default.
    case `default`
    /// A device by its name, or by a number if it is gone.
    case device(String)
  }

  /// The server's index; a recording and a playback may share one.
  public var index: UInt32
  /// The index of the source or sink.
  public var device: UInt32
  /// Whether it has paused itself.
  public var isCorked: Bool
  /// The name of the application, else of the stream.
  public var application: String
  public var processID: Int?
  /// The application's name for the stream.
  public var name: String
  /// The name or the index of the device that the application asked for, if the server reports it:
  /// PipeWire does, PulseAudio does not.
  public var target: String?
  /// A later choice for the stream; nil if the server does not report it. Only native PipeWire
  /// does.
  public var order: Order?
  public var isMuted: Bool
  /// The volume of the loudest channel in percent, as mixers show it.
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
