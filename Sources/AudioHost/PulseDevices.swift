internal import CPulse

/// What a server says of itself.
public struct PulseServer: Equatable, Sendable {
  public var name: String
  public var version: String
  public var defaultSource: String?
  public var defaultSink: String?
  /// A number that each run of the server draws anew. A restart of pipewire-pulse alone keeps it,
  /// and then no index is given out a second time.
  public var cookie: UInt32

  public var isPipeWire: Bool { name == "PipeWire" }

  /// Name and version for people: "PulseAudio 16.1", "PipeWire 1.4.2".
  public var title: String { "\(name) \(version)" }

  /// PipeWire's pulse server says "PulseAudio (on PipeWire 0.3.65)", and the version of the PulseAudio
  /// whose protocol it speaks.
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

/// A source: something that can be recorded from.
public struct PulseSource: Equatable, Sendable {
  public var index: UInt32
  public var name: String
  public var description: String
  /// The sink whose output this source repeats, if it is a monitor.
  public var monitorOf: String?
  /// The source or sink that this one is derived from (remap sources and the like).
  public var master: String?
  public var isMuted: Bool
  /// Some stream records from it now.
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

  init(_ info: pa_source_info) {
    unsafe self.init(
      index: info.index, name: unsafe string(info.name) ?? "",
      description: unsafe string(info.description) ?? "",
      monitorOf: unsafe string(info.monitor_of_sink_name),
      master: unsafe string(pa_proplist_gets(info.proplist, PA_PROP_DEVICE_MASTER_DEVICE)),
      isMuted: info.mute != 0, isRunning: info.state == PA_SOURCE_RUNNING,
      isSuspended: info.state == PA_SOURCE_SUSPENDED, ownerModule: valid(info.owner_module),
      sampleRate: Int(info.sample_spec.rate), positions: AudioHost.positions(info.channel_map),
      latencyMicroseconds: Int(clamping: info.latency), volume: percent(info.volume),
      hasFlatVolume: info.flags.rawValue & PA_SOURCE_FLAT_VOLUME.rawValue != 0)
  }
}

/// A sink: something that can be played to.
public struct PulseSink: Equatable, Sendable {
  public var index: UInt32
  public var name: String
  public var description: String
  public var ownerModule: UInt32?
  public var isRunning: Bool
  public var isMuted: Bool
  /// Percent as mixers show it, of the loudest channel.
  public var volume: Int
  /// What the server says of the device, in microseconds.
  public var latencyMicroseconds: Int
  /// The sink that this one plays into (remap sinks and the like).
  public var master: String?

  public init(
    index: UInt32, name: String, description: String = "", master: String? = nil,
    ownerModule: UInt32? = nil, isRunning: Bool = false, isMuted: Bool = false, volume: Int = 100,
    latencyMicroseconds: Int = 0
  ) {
    self.index = index
    self.name = name
    self.description = description
    self.master = master
    self.ownerModule = ownerModule
    self.isRunning = isRunning
    self.isMuted = isMuted
    self.volume = volume
    self.latencyMicroseconds = latencyMicroseconds
  }

  init(_ info: pa_sink_info) {
    unsafe self.init(
      index: info.index, name: unsafe string(info.name) ?? "",
      description: unsafe string(info.description) ?? "",
      master: string(pa_proplist_gets(info.proplist, PA_PROP_DEVICE_MASTER_DEVICE)),
      ownerModule: valid(info.owner_module), isRunning: info.state == PA_SINK_RUNNING,
      isMuted: info.mute != 0, volume: percent(info.volume),
      latencyMicroseconds: Int(clamping: info.latency))
  }
}

/// Somebody who records from a source.
public struct PulseListener: Equatable, Sendable {
  public var index: UInt32
  public var source: UInt32
  /// It has paused itself.
  public var isCorked: Bool
  /// As the application calls itself, else the stream's name.
  public var application: String
  public var processID: Int?
  /// What the application calls the stream.
  public var stream: String
  /// The name or the index of the source that the application asked for, where the server tells:
  /// PipeWire does, PulseAudio does not.
  public var target: String?
  public var isMuted: Bool
  /// Percent as mixers show it, of the loudest channel.
  public var volume: Int

  public init(
    index: UInt32, source: UInt32, isCorked: Bool = false, application: String,
    processID: Int? = nil, stream: String = "", target: String? = nil, isMuted: Bool = false,
    volume: Int = 100
  ) {
    self.index = index
    self.source = source
    self.isCorked = isCorked
    self.application = application
    self.processID = processID
    self.stream = stream
    self.target = target
    self.isMuted = isMuted
    self.volume = volume
  }

  init(_ info: pa_source_output_info) {
    let application = unsafe string(pa_proplist_gets(info.proplist, PA_PROP_APPLICATION_NAME))
    let process = unsafe string(pa_proplist_gets(info.proplist, PA_PROP_APPLICATION_PROCESS_ID))
    let target = unsafe string(pa_proplist_gets(info.proplist, "target.object"))
    unsafe self.init(
      index: info.index, source: info.source, isCorked: info.corked != 0,
      application: unsafe application ?? string(info.name) ?? "?",
      processID: process.flatMap { Int($0) }, stream: unsafe string(info.name) ?? "",
      target: unsafe target ?? string(pa_proplist_gets(info.proplist, "node.target")),
      isMuted: info.mute != 0, volume: info.has_volume != 0 ? percent(info.volume) : 100)
  }
}

/// A stream that plays to a sink.
public struct PulsePlayer: Equatable, Sendable {
  public var index: UInt32
  public var sink: UInt32
  /// As the application calls itself, else the stream's name.
  public var application: String
  public var processID: Int?
  public var isMuted: Bool
  /// Percent as mixers show it, of the loudest channel.
  public var volume: Int

  public init(
    index: UInt32, sink: UInt32, application: String, processID: Int? = nil, isMuted: Bool = false,
    volume: Int = 100
  ) {
    self.index = index
    self.sink = sink
    self.application = application
    self.processID = processID
    self.isMuted = isMuted
    self.volume = volume
  }

  init(_ info: pa_sink_input_info) {
    let application = unsafe string(pa_proplist_gets(info.proplist, PA_PROP_APPLICATION_NAME))
    let process = unsafe string(pa_proplist_gets(info.proplist, PA_PROP_APPLICATION_PROCESS_ID))
    unsafe self.init(
      index: info.index, sink: info.sink,
      application: unsafe application ?? string(info.name) ?? "?",
      processID: process.flatMap { Int($0) }, isMuted: info.mute != 0,
      volume: info.has_volume != 0 ? percent(info.volume) : 100)
  }
}

/// A program that is connected to the server.
public struct PulseClient: Equatable, Sendable {
  /// The server counts up: who connected earlier has the lower one.
  public var index: UInt32
  public var application: String
  public var processID: Int?
  public var user: String?
  public var host: String?
  /// The value of the property that was asked for; nil if the client has none.
  public var property: String?

  public init(
    index: UInt32, application: String = "", processID: Int? = nil, user: String? = nil,
    host: String? = nil, property: String? = nil
  ) {
    self.index = index
    self.application = application
    self.processID = processID
    self.user = user
    self.host = host
    self.property = property
  }

  init(_ info: pa_client_info, property: String) {
    func text(_ name: String) -> String? {
      unsafe string(pa_proplist_gets(info.proplist, name))
    }
    unsafe self.init(
      index: info.index, application: text(PA_PROP_APPLICATION_NAME) ?? "",
      processID: text(PA_PROP_APPLICATION_PROCESS_ID).flatMap { Int($0) },
      user: text(PA_PROP_APPLICATION_PROCESS_USER), host: text(PA_PROP_APPLICATION_PROCESS_HOST),
      property: text(property))
  }
}

/// A loaded module of the server.
public struct PulseModule: Equatable, Sendable {
  public var index: UInt32
  public var name: String
  public var argument: String

  public init(index: UInt32, name: String, argument: String) {
    self.index = index
    self.name = name
    self.argument = argument
  }

  init(_ info: pa_module_info) {
    unsafe self.init(
      index: info.index, name: unsafe string(info.name) ?? "",
      argument: unsafe string(info.argument) ?? "")
  }
}

/// A copy of a C string, nil for a null pointer.
func string(_ text: UnsafePointer<CChar>?) -> String? {
  guard let text = unsafe text else { return nil }
  return unsafe String(cString: text)
}

/// A volume as mixers show it, of the loudest channel; 100 where the server does not know it yet.
private func percent(_ volume: pa_cvolume) -> Int {
  guard volume.channels > 0 else { return 100 }
  return unsafe withUnsafePointer(to: volume) { volume in
    Int((100 * Double(unsafe pa_cvolume_max(volume)) / Double(PA_VOLUME_NORM)).rounded())
  }
}

/// The names of a map's channels.
private func positions(_ map: pa_channel_map) -> [String] {
  unsafe withUnsafeBytes(of: map.map) { bytes in
    unsafe bytes.bindMemory(to: pa_channel_position_t.self).prefix(Int(map.channels)).map {
      unsafe string(pa_channel_position_to_string($0)) ?? "mono"
    }
  }
}

/// An index of the server, nil if it says "none".
private func valid(_ index: UInt32) -> UInt32? { index == UInt32.max ? nil : index }
