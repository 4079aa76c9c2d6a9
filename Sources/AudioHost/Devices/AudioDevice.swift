/// A source, from which something can be recorded, or a sink, which something can be played to.
public struct AudioDevice: Equatable, Sendable {
  /// The server's; a source and a sink may share one.
  public var index: UInt32
  public var name: String
  public var description: String
  /// The sink whose output this source repeats, if it is a monitor.
  public var monitorOf: String?
  /// The device that this one is derived from (remap sources and the like).
  public var master: String?
  public var isMuted: Bool
  /// Some stream uses it now.
  public var isRunning: Bool
  public var isSuspended: Bool
  public var ownerModule: UInt32?
  /// Samples a second of one channel.
  public var sampleRate: Int
  /// Of each channel, as the server calls it: "front-left", "aux7".
  public var positions: [String]
  /// What the server says of the device, in microseconds.
  public var latencyMicroseconds: Int
  /// Percent as mixers show it, of the loudest channel.
  public var volume: Int
  /// The volumes of its streams contain its own.
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

  /// For people, also where it has no description.
  public var title: String { description.isEmpty ? name : description }
}
