/// A source to record from, or a sink to play to.
public struct AudioDevice: Equatable, Sendable {
  /// The server's index; a source and a sink may share one.
  public var index: UInt32
  public var name: String
  public var description: String
  /// The sink that this source monitors, if it is a monitor.
  public var monitorOf: String?
  /// The device that this one is derived from (remap sources and the like).
  public var master: String?
  public var isMuted: Bool
  /// Whether a stream uses it now.
  public var isRunning: Bool
  public var isSuspended: Bool
  public var ownerModule: UInt32?
  /// Samples per second and channel.
  public var sampleRate: Int
  /// The position of each channel in the server's terms: "front-left", "aux7".
  public var positions: [String]
  /// The latency that the server reports, in microseconds.
  public var latencyMicroseconds: Int
  /// The volume of the loudest channel in percent, as mixers show it.
  public var volume: Int
  /// Whether the volumes of its streams include its own.
  public var hasFlatVolume: Bool

  public init(
    index: UInt32, name: String, description: String = "", monitorOf: String? = nil,
    master: String? = nil, isMuted: Bool = false, isRunning: Bool = false,
    isSuspended: Bool = false, ownerModule: UInt32? = nil, sampleRate: Int = 48_000,
    positions: [String] = ["mono"], latencyMicroseconds: Int = 0, volume: Int = 100,
    hasFlatVolume: Bool = false
  ) {
    self.index = index
    self.name = name
    self.description = description
    self.monitorOf = monitorOf
    self.master = master
    self.isMuted = isMuted
    self.isRunning = isRunning
    self.isSuspended = isSuspended
    self.ownerModule = ownerModule
    self.sampleRate = sampleRate
    self.positions = positions
    self.latencyMicroseconds = latencyMicroseconds
    self.volume = volume
    self.hasFlatVolume = hasFlatVolume
  }

  public var channels: Int { positions.count }

  /// A name for the user, also if it has no description.
  public var title: String { description.isEmpty ? name : description }
}
